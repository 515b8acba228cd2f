"""Which calls match, the same in records, rollups and cut hours on both engines."""

import pytest

from gembill.ledger import Ledger, Selection, open_ledger, read_records, read_totals
from gembill.model import Outcome
from tests.gembill.ledger.making import HOUR, SPOOL, START, append, posting, runs

MODELS = (None, "gemini-a", "Gemini-a", "gemini-ab", "g_m%?", "gem", "a[b]c", "abc", "a\\c")


def wanted(parameter: object) -> str:
    """A test is named by what is asked for; sets have no fixed order, and every worker must find the same names."""
    return "" if isinstance(parameter, set) else str(parameter)


def matching(ledger: Ledger, **asked: object) -> set[str | None]:
    """The models of the calls that match: asked of the records, of a rollup, and of the records of an hour cut short."""
    whole = Selection(**asked)  # type: ignore[arg-type]
    cut = Selection(start_us=START, end_us=START + HOUR - 1, **asked)  # type: ignore[arg-type]
    listed = {stored.record.model for stored in read_records(ledger, whole)}
    reader = open_ledger(ledger.engine.url.render_as_string(hide_password=False), read_only=True)
    for opened in (ledger, reader):
        for selection in (whole, cut):
            summed = {total.group["model"] for total in read_totals(opened, selection, ["model"])}
            assert summed == listed
    reader.close()
    return listed


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("gemini-a",), {"gemini-a"}),
        (("gemini-*",), {"gemini-a", "gemini-ab"}),
        (("*-a",), {"gemini-a", "Gemini-a"}),
        (("*",), {*MODELS} - {None}),
        (("g_m*",), {"g_m%?"}),
        (("*%*",), {"g_m%?"}),
        (("*?",), {"g_m%?"}),
        (("a[b]*",), {"a[b]c"}),
        (("a\\*",), {"a\\c"}),
        (("gem", "ab*"), {"gem", "abc"}),
        (("gemini-?*", "GEM*"), set()),
    ],
    ids=wanted,
)
def test_names_match_by_code_point_and_a_star_is_the_only_wildcard(
    ledger: Ledger, patterns: tuple[str, ...], expected: set[str]
) -> None:
    append(ledger, SPOOL, [posting(seq, model=model) for seq, model in enumerate(MODELS, 1)])
    assert matching(ledger, models=patterns) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"team": "a"}, {"1", "5"}),
        ({"team": "a", "b": 'c"'}, {"5"}),
        ({'we"ird.name': "x"}, {"3"}),
        ({"$x": "é"}, {"4"}),
        ({"team": "A"}, set()),
        ({"b": "a"}, set()),
        ({"team": "a", "$x": "é"}, set()),
        ({"team": ""}, set()),
        ({"team": ("a", "ab")}, {"1", "2", "5"}),
        ({"team": ("ab", "none")}, {"2"}),
        ({"team": ("a", "ab"), "b": ('c"', "d")}, {"5"}),
    ],
    ids=wanted,
)
def test_all_labels_asked_for_must_be_there_to_the_letter(
    ledger: Ledger, labels: dict[str, str], expected: set[str]
) -> None:
    sets = [{"team": "a"}, {"team": "ab"}, {'we"ird.name': "x"}, {"$x": "é"}, {"team": "a", "b": 'c"'}, {}]
    append(ledger, SPOOL, [posting(seq, model=str(seq), labels=each) for seq, each in enumerate(sets, 1)])
    assert matching(ledger, labels=labels) == expected


def test_any_of_the_keys_and_everything_else_must_hold(ledger: Ledger) -> None:
    calls = (("a", "k1", True), ("b", "k2", False), ("c", None, True), ("d", "k3", True))
    append(
        ledger,
        SPOOL,
        [
            posting(seq, model=model, key=key, executions=runs(Outcome.FAILED) if used else ())
            for seq, (model, key, used) in enumerate(calls, 1)
        ],
    )
    assert matching(ledger) == {"a", "b", "c", "d"}
    assert matching(ledger, keys=("k1", "k2")) == {"a", "b"}
    assert matching(ledger, code_execution=True) == {"a", "c", "d"}
    assert matching(ledger, keys=("k1", "k2", "k3"), code_execution=True, models=("a", "b", "c")) == {"a"}
    assert matching(ledger, keys=("k1",), labels={"team": "search"}, models=("*",)) == {"a"}


def test_any_of_the_tiers(ledger: Ledger) -> None:
    tiers = ("standard", "batch", "flex")
    append(ledger, SPOOL, [posting(seq, model=tier, service_tier=tier) for seq, tier in enumerate(tiers, 1)])
    assert matching(ledger, tiers=("batch",)) == {"batch"}
    assert matching(ledger, tiers=("batch", "flex", "none")) == {"batch", "flex"}
