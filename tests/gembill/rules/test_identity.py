"""Natural keys: the same thing has the same identity everywhere."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.rules.identity import natural, reserved_source


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_the_same_key_gives_the_same_identity_in_a_reserved_source(parts):
    source_id, record_id = natural("interaction", *parts)
    assert (source_id, record_id) == natural("interaction", *parts)
    assert -64 <= source_id <= -1
    assert str(UUID(record_id)) == record_id
    assert natural("batch", *parts) != (source_id, record_id)


def test_an_id_alone_leads_to_its_source():
    source_id, record_id = natural("import", "x")
    assert reserved_source(record_id) == source_id
    with pytest.raises(ValueError, match="badly formed"):
        reserved_source("x")


def test_an_identity_never_changes():
    assert natural("interaction", "gemini", "v1_abc") == (-6, "d4ca2105-a9cf-5f5a-a1f5-48145083fbc5")


def test_keys_spread_over_the_sources():
    assert len({natural("import", str(n))[0] for n in range(2_000)}) == 64
