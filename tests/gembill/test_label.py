"""Labels as people write them: `name=value`."""

import pytest

from gembill.errors import ConfigurationError
from gembill.label import labels


@pytest.mark.parametrize("pair", ["team", "=x", ""])
def test_a_label_without_name_or_value_is_refused(pair: str) -> None:
    with pytest.raises(ConfigurationError, match="write it like team=search"):
        labels((pair,), "--label")


def test_labels_that_contradict_each_other_are_refused() -> None:
    assert labels(("a=1", "a=1", "b="), "--label") == {"a": "1", "b": ""}
    with pytest.raises(ConfigurationError, match="--label a is both '1' and '2'"):
        labels(("a=1", "a=2"), "--label")
