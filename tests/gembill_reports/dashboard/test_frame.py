"""The frame: what a form offers, what is chosen in it, and how a choice is taken back."""

import re
from pathlib import Path

import pytest

from gembill.config import Settings
from gembill.ledger import Ledger
from gembill_reports.dashboard.app import Dashboard
from gembill_reports.dashboard.frame import MENU
from gembill_reports.dashboard.guard import App
from tests.gembill_reports.dashboard.asking import ask
from tests.gembill_reports.making import FLASH, PRO, call, put, us

NOW = us("2026-11-21T09:00:00+00:00")


@pytest.fixture
def app(ledger: Ledger, tmp_path: Path) -> App:
    return Dashboard(ledger, Settings(data_dir=tmp_path), lambda: NOW).app()


def checked(page: str) -> list[str]:
    """The names and values of the boxes that are ticked."""
    return re.findall(r'name="(\w+)" value="[^"]*" checked', page)


def test_the_menu_marks_the_page_and_keeps_the_choice(app: App) -> None:
    page = ask(app, f"/models?month=2026-11&model={FLASH}").text
    assert f'href="/models?month=2026-11&amp;model={FLASH}" aria-current=page>Models' in page
    assert page.count(f"?month=2026-11&amp;model={FLASH}") >= len(MENU)


@pytest.mark.parametrize("month", ["2020-01", "2026-11"])
def test_a_month_without_calls_is_the_one_that_its_form_asks_for_again(app: App, month: str) -> None:
    page = ask(app, f"/models?month={month}").text
    assert re.findall(r"<option selected>([^<]+)", page) == [month]
    months = re.findall(r"<option[^>]*>(\d{4}-\d\d)</option>", page)
    assert months == sorted({*months, month}, reverse=True)


@pytest.mark.parametrize("path", ["/models", "/calls"])
def test_an_empty_table_says_what_to_do(app: App, path: str) -> None:
    assert "No call fits this period and filter. Choose another period" in ask(app, f"{path}?month=2020-01").text


def test_a_page_that_is_not_about_a_period_says_what_day_it_is_about(app: App) -> None:
    assert "<small>2026-10 · America/Los_Angeles</small>" in ask(app, "/models?month=2026-10").text
    for address, day in (("/prices?month=2026-10", "2026-11-21"), ("/prices?at=2026-01-01", "2026-01-01")):
        assert f"<small>in force on {day} · America/Los_Angeles</small>" in ask(app, address).text


def test_several_models_and_labels_are_ticked_and_said(app: App) -> None:
    page = ask(app, f"/models?month=2026-11&model={FLASH}&model={PRO}&label=team=a&label=team=b").text
    assert checked(page) == ["model", "model", "label", "label"]
    assert "<span>2 models</span>" in page
    assert "<span>2 labels</span>" in page
    assert "<strong>team</strong>" in page
    assert "<span>all</span>" in ask(app, "/models?month=2026-11").text


def test_a_choice_is_taken_back_by_a_link_of_its_own(app: App) -> None:
    page = ask(app, f"/calls?model={FLASH}&model={PRO}&sort=cost&after=1.1.1.{'0' * 8}-0000-0000-0000-{'0' * 12}").text
    assert f'href="/calls?sort=cost&amp;model={PRO}" title="Leave out model {FLASH}"' in page
    assert 'href="/calls?sort=cost">all</a>' in page


def test_a_pattern_and_the_only_tier_stay_chosen(app: App) -> None:
    page = ask(app, "/models?month=2026-11&model=gemini-3*&tier=standard").text
    assert 'value="gemini-3*" checked' in page
    assert '<input type="hidden" name="tier" value="standard">' in page


def test_no_more_values_are_offered_than_there_is_room_for(
    ledger: Ledger, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gembill_reports.dashboard.frame._CHOICES", 3)
    put(ledger, *(call("2026-11-09T12:00:00+00:00", (1, 0, 0), labels={"run": f"r{n}"}) for n in range(5)))
    page = ask(app, "/models?label=run%3Dr4").text
    assert len(re.findall('name="label"', page)) == 4  # three, and the one that is chosen
    assert 'value="run=r4" checked' in page
