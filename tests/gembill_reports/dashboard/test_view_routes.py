"""The forms of saved views, asked as a browser asks."""

from pathlib import Path

import pytest

from gembill.config import Settings
from gembill.ledger import Ledger
from gembill_reports.dashboard.app import Dashboard
from gembill_reports.dashboard.guard import App
from gembill_reports.dashboard.saved_views import FILE
from gembill_reports.dashboard.tokens import TokenFile
from tests.gembill_reports.dashboard.asking import ask, post
from tests.gembill_reports.making import us

NOW = us("2026-11-21T09:00:00+00:00")
VIEW = {"name": "dear <b>", "address": "/models?month=2026-11&label=team%3Da"}


@pytest.fixture
def board(ledger: Ledger, tmp_path: Path) -> Dashboard:
    return Dashboard(ledger, Settings(data_dir=tmp_path), lambda: NOW)


@pytest.fixture
def app(board: Dashboard) -> App:
    return board.app()


def test_a_view_is_saved_followed_and_deleted(app: App) -> None:
    saved = post(app, "/views/save", VIEW)
    assert (saved.status, saved.header("location")) == (303, VIEW["address"])
    page = ask(app, "/calls?month=2026-11").text
    assert '<a href="/view?name=dear+%3Cb%3E">dear &lt;b&gt;</a>' in page
    followed = ask(app, "/view?name=dear+%3Cb%3E")
    assert (followed.status, followed.header("location")) == (303, VIEW["address"])
    assert post(app, "/views/delete", VIEW).status == 303
    gone = ask(app, "/view?name=dear+%3Cb%3E")
    assert (gone.status, "<b>" in gone.text) == (404, False)


def test_the_form_keeps_the_whole_address_of_its_page(app: App) -> None:
    page = ask(app, "/calls?month=2026-11&label=team%3Da&sort=cost&dir=up").text
    assert 'name="address" value="/calls?month=2026-11&amp;label=team%3Da&amp;sort=cost&amp;dir=up"' in page


def test_a_mistake_is_said_and_leads_nowhere(app: App) -> None:
    wrong = post(app, "/views/save", VIEW | {"address": "https://evil.example"})
    assert (wrong.status, "only pages of this dashboard" in wrong.text) == (400, True)
    assert post(app, "/views/delete", {"name": "x", "address": "//evil.example"}).header("location") == "/"


def test_a_page_of_others_saves_and_deletes_nothing(app: App, tmp_path: Path) -> None:
    for target in ("/views/save", "/views/delete"):
        assert post(app, target, VIEW, {"origin": "https://evil.example"}).status == 403
        assert ask(app, target).status in (404, 405)
    assert not (tmp_path / FILE).exists()


def test_a_reader_is_shown_views_and_no_form(board: Dashboard, tmp_path: Path) -> None:
    post(board.app(), "/views/save", VIEW)
    named = TokenFile(tmp_path / "tokens.json")
    reader = {"authorization": f"Bearer {named.add('wall', '2026-11-28')}"}
    app = board.app(named=named)
    page = ask(app, "/models", headers=reader).text
    assert "/view?name=dear" in page
    assert "/views/save" not in page
    assert "Signed in as wall" in page
    assert ask(app, "/models").status == 401


def test_a_broken_file_keeps_no_page_from_being_shown(app: App, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    assert ask(app, "/models?month=2026-11").status == 200
    assert ask(app, "/view?name=x").status == 500


def test_a_user_without_a_data_folder_sees_pages_and_saves_no_view(ledger: Ledger) -> None:
    settings = Settings(data_dir=Path("~"), database_url="sqlite:///somewhere.db")
    app = Dashboard(ledger, settings, lambda: NOW).app()
    assert ask(app, "/models?month=2026-11").status == 200
    assert post(app, "/views/save", VIEW).status == 400
