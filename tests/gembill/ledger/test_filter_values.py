"""Names in filters: those that calls have pass, others are refused with the nearest, on both engines."""

import pytest
from msgspec import structs

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, Reason, Selection, read_records, require_known
from gembill.model import Api
from tests.gembill.ledger.making import SPOOL, append, posting, rated


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    append(
        ledger,
        SPOOL,
        [
            posting(1, model="gemini-3-flash-preview", key="search", labels={"team": "search", "env": "prod"}),
            posting(2, model="gemini-3.1-pro-preview", key="ads", service_tier="batch", labels={"team": "ads"}),
            posting(3, model=None, key=None, api=Api.VERTEX, location="us-central1", labels={}),
        ],
    )
    return ledger


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"models": ("gemini-3-flash-preview", "gemini-3*", "*")},
        {"keys": ("ads", "search")},
        {"tiers": ("standard", "batch")},
        {"locations": ("us-central1",)},
        {"labels": {"team": "ads", "env": ("prod",)}},
    ],
    ids=str,
)
def test_names_that_calls_have_pass(filled: Ledger, asked: dict[str, object]) -> None:
    require_known(filled, Selection(**asked))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"models": ("gemini-3-falsh-preview",)}, "'gemini-3-falsh-preview'; did you mean gemini-3-flash-preview"),
        ({"models": ("gemini-3-flash-preview", "gpt*")}, "no call has the model 'gpt*'; there are gemini-3-flash"),
        ({"models": ("gemini.3*",)}, "no call has the model 'gemini.3*'"),
        ({"models": ("Gemini-3-Flash-Preview",)}, "did you mean gemini-3-flash-preview"),
        ({"keys": ("serach",)}, "no call has the key 'serach'; did you mean search?"),
        ({"tiers": ("bath",)}, "no call has the tier 'bath'; did you mean batch?"),
        ({"locations": ("us-central",)}, "no call has the location 'us-central'; did you mean us-central1?"),
        ({"labels": {"taem": "search"}}, "no call has a label 'taem'; did you mean team?"),
        ({"labels": {"team": ("search", "adds")}}, "no call has the label 'team=adds'; did you mean team=ads?"),
        ({"labels": {"env": "x"}}, "no call has the label 'env=x'; there are env=prod"),
    ],
    ids=str,
)
def test_a_name_that_no_call_has_is_refused_with_the_nearest(
    filled: Ledger, asked: dict[str, object], says: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        require_known(filled, Selection(**asked))  # type: ignore[arg-type]
    assert says in str(refused.value)


def test_a_ledger_without_calls_refuses_nothing(ledger: Ledger) -> None:
    require_known(ledger, Selection(models=("x",), labels={"a": "b"}))


def test_of_names_that_no_call_has_at_all_none_is_shown(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, key=None)])
    with pytest.raises(ConfigurationError, match="the calls of this ledger have none"):
        require_known(ledger, Selection(keys=("k",)))


def test_what_a_correction_took_away_is_no_longer_a_name(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, model="gemini-old")])
    stored = next(iter(read_records(ledger, Selection())))
    record = structs.replace(stored.record, model="gemini-new")
    ledger.correct([(record, rated(record.tokens))], reason=Reason.REPOST)
    with pytest.raises(ConfigurationError, match="did you mean gemini-new"):
        require_known(ledger, Selection(models=("gemini-old",)))
