"""The address is the state: read, and written again with one change."""

import pytest

from gembill.errors import ConfigurationError
from gembill_reports.dashboard.query import months, newest_month, view
from tests.gembill_reports.making import us

NOW = us("2026-11-21T09:00:00+00:00")
SPAN = (us("2026-08-03T00:00:00+00:00"), us("2026-10-31T23:00:00+00:00"))


def test_without_a_period_it_is_the_newest_month_with_calls() -> None:
    assert view([], NOW, None).month == "2026-11"
    assert view([], NOW, SPAN).month == "2026-10"
    assert newest_month(NOW, (0, NOW + 10**15)) == "2026-11"  # a clock that ran ahead
    assert newest_month(us("2026-11-01T03:00:00+00:00"), None, "UTC") == "2026-11"


def test_all_filters_are_read_and_the_rest_is_kept() -> None:
    pairs = [
        ("month", "2026-11"),
        ("model", "a"),
        ("model", "b*"),
        ("label", "team=x=y"),
        ("key", "k"),
        ("code_execution", "1"),
        ("sort", "cost"),
        ("tz", "UTC"),
    ]
    shown = view(pairs, NOW, None)
    assert shown.selection.models == ("a", "b*")
    assert shown.selection.labels == {"team": ("x=y",)}
    assert shown.selection.keys == ("k",)
    assert shown.selection.code_execution
    assert shown.rest == {"sort": "cost"}
    assert shown.period.timezone == "UTC"
    assert shown.also() == [("key", "k")]
    assert shown.several() == [("model", "a"), ("model", "b*"), ("label", "team=x=y"), ("key", "k")]


def test_a_range_says_more_than_a_month_and_empty_says_nothing() -> None:
    shown = view([("month", "2026-11"), ("since", "2026-11-03"), ("until", "2026-11-04"), ("model", "")], NOW, None)
    assert shown.month is None
    assert shown.period.start == "2026-11-03T00:00:00-08:00"
    assert shown.selection.models == ()


def test_a_period_is_a_word_and_a_last_day_is_included() -> None:
    assert view([("period", "last-month")], NOW, None).month == "2026-10"
    assert view([("period", "last-month"), ("month", "2026-11")], NOW, None).month == "2026-11"
    day = view([("period", "today"), ("since", "2026-11-03"), ("through", "2026-11-03")], NOW, None)
    assert day.period.end == "2026-11-04T00:00:00-08:00"


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("since", "2026-11-31")], "From is '2026-11-31', which is not a date"),
        (
            [("since", "2026-11-10"), ("through", "2026-11-01")],
            "From 2026-11-10 is not before the end of Through 2026-",
        ),
        ([("until", "2026-11-02"), ("through", "2026-11-01")], "until and Through both name the end"),
        ([("month", "2026-13")], "Month is '2026-13'"),
        ([("period", "this-monht")], "period is 'this-monht'"),
    ],
)
def test_what_is_wrong_with_a_period_is_said_in_the_words_of_the_page(pairs: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as raised:
        view(pairs, NOW, None)
    assert "--" not in str(raised.value)


def test_values_of_a_filter_are_kept_together() -> None:
    pairs = [("label", "team=a"), ("label", "team=b"), ("tier", "batch"), ("location", "global"), ("location", "eu")]
    shown = view(pairs, NOW, None)
    assert shown.selection.labels == {"team": ("a", "b")}
    assert (shown.selection.tiers, shown.selection.locations) == (("batch",), ("global", "eu"))
    assert shown.also() == [("location", "eu")]
    left = shown.less("/calls", ("label", "team=a"))
    assert left == "/calls?tier=batch&location=global&location=eu&label=team%3Db"


def test_days_are_those_of_a_period_named_by_its_ends() -> None:
    def days(*pairs: tuple[str, str]) -> tuple[str, str] | None:
        return view(list(pairs), NOW, None).days

    assert days(("since", "2026-11-03"), ("until", "2026-11-05")) == ("2026-11-03", "2026-11-04")
    assert days(("since", "2026-11-01"), ("through", "2026-11-30")) == ("2026-11-01", "2026-11-30")
    assert days(("since", "2026-11-03"), ("until", "2026-11-05T12:00")) is None
    assert days(("since", "2026-11-03")) is None
    assert days(("period", "last-7-days")) is None
    assert days(("month", "2026-11")) is None


def test_a_word_leads_to_its_period_and_is_kept() -> None:
    shown = view([("month", "2026-10"), ("model", "m"), ("sort", "cost")], NOW, None)
    assert shown.named("/calls", "today") == "/calls?model=m&sort=cost&period=today"
    assert "month" not in shown.named("/calls", "today")
    assert shown.is_named("last-month")
    assert not shown.is_named("today")
    assert ("period", "last-7-days") in view([("period", "last-7-days")], NOW, None).also()


def test_addresses_differ_in_one_thing() -> None:
    shown = view([("month", "2026-11"), ("model", "a&b"), ("sort", "cost")], NOW, None)
    assert shown.to("/calls") == "/calls?month=2026-11&model=a%26b"
    assert shown.to("/calls", ("model", "c"), without=("model",)) == "/calls?month=2026-11&model=c"
    assert shown.to("/calls", rest=True).endswith("&sort=cost")
    day = view([("since", "2026-11-03"), ("until", "2026-11-04T12:00")], NOW, None)
    assert day.span("/calls", day.period) == "/calls?since=2026-11-03&until=2026-11-04T12%3A00%3A00-08%3A00"
    assert view([], NOW, None).to("/") == "/"


@pytest.mark.parametrize(
    "pairs",
    [
        [("month", "x")],
        [("tz", "Mars/Olympus")],
        [("label", "team")],
        [("period", "last-fortnight")],
        [("through", "2026-11-05T12:00")],
        [("since", "2026-11-05"), ("until", "2026-11-01")],
        [("model", "x" * 2000)],
        [("model", "x")] * 100,
    ],
)
def test_what_cannot_be_read_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(ConfigurationError):
        view(pairs, NOW, None)


def test_the_months_to_choose_from_are_those_with_calls_and_this_one() -> None:
    shown = view([], NOW, SPAN)
    assert months(shown, SPAN) == ["2026-11", "2026-10", "2026-09", "2026-08"]
    assert months(shown, None) == ["2026-11"]
    assert len(months(shown, (0, NOW))) == 36
