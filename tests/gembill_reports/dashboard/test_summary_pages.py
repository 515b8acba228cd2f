"""The pages of sums show what `gembill report` prints."""

from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest

from gembill.ledger import Ledger, Selection, open_ledger, read_records
from gembill.model import Status
from gembill.money import unit_price, usd
from gembill.period import HOUR_US, iso, parse
from gembill.rules.budgets.toml import budgets
from gembill.rules.prices import bundled
from gembill_reports.analysis.report import report
from gembill_reports.dashboard import summary_pages
from gembill_reports.dashboard.query import PageQuery, view
from gembill_reports.layout.sheet import money
from gembill_reports.views.report import report_dict
from tests.gembill_reports.making import FAILED, FLASH, PRO, call, put, us

NOW = us("2026-11-21T09:00:00+00:00")


def test_the_overview_has_the_reports_numbers(ledger: Ledger, november: PageQuery) -> None:
    page = summary_pages.overview(ledger, november, bundled())
    wanted = report(ledger, parse(month="2026-11"), ("model",))
    assert {key: page.data[key] for key in report_dict(wanted)} == report_dict(wanted)
    cards = {card.name: card.figure for card in page.cards}
    assert cards["Spend"] == money(wanted.total.cost_pico)
    assert (cards["Input"], cards["Intermediate"], cards["Output"]) == ("406", "76", "26")
    assert (cards["Executions"], cards["Failed"]) == ("3", "66.7%")
    assert [row["model"] for row in page.rows] == [row["model"] for row in page.data["rows"]]
    assert page.data["previous"]["total"]["calls"] == 1
    assert page.data["forecast"] is not None
    assert "Forecast" in cards


def test_calls_that_ended_in_an_error_are_named_where_their_tokens_are_not_counted(ledger: Ledger) -> None:
    august = view([("month", "2026-08")], NOW, None)

    def notes() -> list[str]:
        overview = summary_pages.overview(ledger, august, bundled())
        return [*overview.notes, *summary_pages.models(ledger, august).notes]

    put(ledger, call("2026-08-09T10:00:00+00:00", (1, 2, 3), PRO))
    assert not any("Errors" in note for note in notes())
    put(ledger, *(call("2026-08-09T10:00:00+00:00", None, model, status=Status.ERROR) for model in ("typo", PRO, PRO)))
    said = f"Errors: 3 calls ({PRO}: 2, typo: 1); they cost nothing and what they used is not counted."
    assert notes().count(said) == 2
    labels = summary_pages.label_page(ledger, august)
    assert any(note.startswith("Errors: 3 calls ((unknown): 3)") for note in labels.notes)


def test_cards_say_what_they_were_in_the_period_before(ledger: Ledger, november: PageQuery) -> None:
    changes = {card.name: card.change for card in summary_pages.overview(ledger, november, bundled()).cards}
    assert changes["Input"] == "+4,975% against 8"  # October's one call had 8 tokens of input and nothing else
    assert (changes["Intermediate"], changes["Executions"]) == ("none before", "none before")
    assert changes["Failed"] == "none before"
    october = view([("month", "2026-10")], NOW, None)  # September had no call
    assert {card.change for card in summary_pages.overview(ledger, october, bundled()).cards} == {""}


def test_tables_of_models_and_labels_are_beside_the_period_before(ledger: Ledger, november: PageQuery) -> None:
    for page in (summary_pages.models(ledger, november), summary_pages.overview(ledger, november, bundled())):
        grid = page.grids[0]
        assert [head.text for head in grid.heads][-2:] == ["Before", "Change"]
        flash = next(row for row in grid.rows if row[0].text == FLASH)
        assert flash[-2].text == money(8 * unit_price("0.50"))
        assert page.data["previous"]["total"]["calls"] == 1
    page = summary_pages.models(ledger, november)
    assert {row["model"]: row["previous_cost_usd"] for row in page.rows}[FLASH] == usd(8 * unit_price("0.50"))
    whole = summary_pages.models(ledger, view([("since", "2026-01-01")], NOW, None))  # it has no period before
    assert [head.text for head in whole.grids[0].heads][-1] == "Cost"
    assert whole.data["previous"] is None


def test_rows_and_bars_lead_to_their_calls(ledger: Ledger, november: PageQuery) -> None:
    page = summary_pages.overview(ledger, november, bundled())
    by_day, _, by_model, ratio = page.charts
    assert by_day.links[4] == "/calls?since=2026-11-05&until=2026-11-06"
    assert by_model.links[0] == f"/calls?month=2026-11&model={PRO}"
    assert ratio.links == ("/calls?month=2026-11&label=team%3Db", "/calls?month=2026-11&label=team%3Da", "")
    first = page.grids[0].rows[0][0]
    assert (first.text, first.link) == (PRO, f"/calls?month=2026-11&model={PRO}")
    unknown = page.grids[0].rows[-1][0]
    assert (unknown.text, unknown.link) == ("nobody-knows", "/calls?month=2026-11&model=nobody-knows")


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Los_Angeles", "2026-03-08"),
        ("America/Los_Angeles", "2026-11-01"),
        ("Asia/Kolkata", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-04-05"),
        ("America/Havana", "2026-03-08"),
        ("America/Havana", "2025-11-02"),
        ("Asia/Beirut", "2026-10-24"),
    ],
)
def test_bars_about_a_change_of_the_clock_lead_to_just_their_calls(tmp_path: Path, zone: str, day: str) -> None:
    own = open_ledger(f"sqlite:///{tmp_path / 'own.db'}")
    start = parse(day, tz=zone).start_us or 0
    instants = range(start - 24 * HOUR_US, start + 49 * HOUR_US, HOUR_US // 2)
    put(own, *(call(iso(at, ZoneInfo("UTC")), (n, 0, 0), outcomes=[FAILED]) for n, at in enumerate(instants, 1)))
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    for asked in (
        [("since", day), ("until", after)],
        [("since", f"{day}T00:45"), ("until", f"{after}T01:15")],
        [("month", day[:7])],
    ):
        shown = view([*asked, ("tz", zone)], NOW, None)
        cost, outcomes, *_ = summary_pages.overview(own, shown, bundled()).charts
        seen = [called(own, link) for link in cost.links if link]
        assert [usd(sum(calls) * unit_price("0.50")) for calls in seen] == [one for one in cost.series[0].values if one]
        assert [str(len(calls)) for calls in seen] == [one for one in outcomes.series[1].values if one]
        assert seen == [called(own, link) for link in outcomes.links if link]
        assert sorted(chain.from_iterable(seen)) == sorted(tokens(own, shown.selection))
    own.close()


def called(ledger: Ledger, link: str) -> list[int]:
    """Input tokens of the calls that a link shows; here each call has its own number."""
    path, _, query = link.partition("?")
    assert path == "/calls"
    return tokens(ledger, view(parse_qsl(query), NOW, None).selection)


def tokens(ledger: Ledger, selection: Selection) -> list[int]:
    return [stored.record.tokens.input or 0 for stored in read_records(ledger, selection)]


def test_labels_are_chosen_by_name(ledger: Ledger) -> None:
    named = view([("month", "2026-11"), ("name", "env")], NOW, None)
    page = summary_pages.label_page(ledger, named)
    assert page.data["by"] == ["label.env"]
    assert [link for name, link in page.more["known"] if name == "team"] == ["/labels?month=2026-11&name=team"]
    assert summary_pages.label_page(ledger, view([("month", "2026-11")], NOW, None)).data["by"] == ["label.team"]


def test_a_star_in_a_name_is_no_link(ledger: Ledger, november: PageQuery) -> None:
    put(ledger, call("2026-11-05T10:00:00+00:00", (1, 0, 0), "gemini-*"))
    page = summary_pages.models(ledger, november)
    assert next(row[0].link for row in page.grids[0].rows if row[0].text == "gemini-*") is None


def test_time_is_cut_as_the_period_is_long(ledger: Ledger) -> None:
    for since, until, unit in (
        ("2026-11-05", "2026-11-07", "hour"),
        ("2026-10-31", "2026-11-03", "hour"),  # three days, one of them of 25 hours
        ("2026-10-31", "2026-11-04", "day"),
        ("2026-11-01", "2026-12-01", "day"),
        ("2026-01-01", "2027-01-01", "month"),
    ):
        page = summary_pages.overview(ledger, view([("since", since), ("until", until)], NOW, None), bundled())
        assert page.charts[0].title == f"Cost per {unit}"
    everything = summary_pages.overview(ledger, view([("until", "2027-01-01")], NOW, None), bundled())
    assert everything.charts[0].categories == ("2026-10", "2026-11")
    assert everything.charts[0].links == (  # as far as the period reaches
        "/calls?since=2026-10-01&until=2026-11-01",
        "/calls?since=2026-11-01&until=2026-12-01",
    )
    ages = [("since", "1970-01-01"), ("until", "9998-01-01"), ("tz", "UTC")]
    assert summary_pages.overview(ledger, view(ages, NOW, None), bundled()).charts[0].categories == (
        "2026-10",
        "2026-11",
    )
    assert everything.data["previous"] is None


def test_filters_reach_every_number(ledger: Ledger) -> None:
    page = summary_pages.overview(ledger, view([("month", "2026-11"), ("model", FLASH)], NOW, None), bundled())
    assert [row["model"] for row in page.data["rows"]] == [FLASH]
    assert sum(row["calls"] for row in page.data["days"]) == page.data["total"]["calls"]


def test_budgets_stand_as_they_do_now(ledger: Ledger, november: PageQuery) -> None:
    text = '[[budget]]\nname = "all"\nlimit_usd = "0.0001"\nperiod = "month"\n'
    page = summary_pages.overview(ledger, november, bundled(), budgets(text, "test"))
    card = next(card for card in page.cards if card.name == "Budget all")
    assert "BREACH" in card.note
    assert card.kind == "failed"
    assert [one["state"] for one in page.data["budgets"]] == ["BREACH"]
    assert summary_pages.overview(ledger, november, bundled()).data["budgets"] == []
