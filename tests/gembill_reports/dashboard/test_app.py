"""Routes: each page in three forms, the same numbers in all of them."""

import asyncio
import csv
import json
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gembill.config import Settings
from gembill.ledger import Ledger, Selection, open_ledger, read_records
from gembill.model import Api, Operation
from gembill_reports.dashboard import assets
from gembill_reports.dashboard.app import Dashboard
from gembill_reports.dashboard.guard import App
from tests.gembill_reports.dashboard.asking import ask
from tests.gembill_reports.making import FLASH, call, put, us

NOW = us("2026-11-21T09:00:00+00:00")
PAGES = (
    "overview",
    "changes",
    "models",
    "labels",
    "keys",
    "executions",
    "conversations",
    "calls",
    "budgets",
    "bill",
    "prices",
    "quality",
)


@pytest.fixture
def app(ledger: Ledger, tmp_path: Path) -> App:
    return Dashboard(ledger, Settings(data_dir=tmp_path), lambda: NOW).app()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_three_forms(app: App, name: str) -> None:
    page = ask(app, f"/{name}")
    assert page.status == 200
    assert page.text.lstrip().startswith("<!doctype html>")
    assert "https://" not in page.text
    data = ask(app, f"/{name}.json")
    assert data.header("content-type") == "application/json"
    assert json.loads(data.text)["schema_version"] == 1
    table = ask(app, f"/{name}.csv")
    assert table.header("content-disposition") == f'attachment; filename="gembill-{name}.csv"'
    assert next(csv.reader(StringIO(table.text)))


def test_the_forms_have_the_same_numbers(app: App) -> None:
    shape = json.loads(ask(app, "/models.json?month=2026-11").text)
    rows = list(csv.DictReader(StringIO(ask(app, "/models.csv?month=2026-11").text)))
    page = ask(app, "/models?month=2026-11").text
    assert [row["cost_usd"] or None for row in rows] == [row["cost_usd"] for row in shape["rows"]]
    for row in shape["rows"]:
        assert f">{row['tokens']['input']:,}<" in page.replace("\n", "") or row["tokens"]["input"] is None
        assert str(row["model"] or "(unknown)") in page


def test_one_call_has_its_page_and_an_unknown_one_is_not_found(app: App, ledger: Ledger) -> None:
    known = next(iter(read_records(ledger, Selection(models=(FLASH,))))).record.id
    assert "Receipt" in ask(app, f"/calls/{known}").text
    assert json.loads(ask(app, f"/calls/{known}.json").text)["record"]["id"] == known
    assert ask(app, f"/calls/{known}.csv").text.startswith("meter,")
    for wrong in ("x", known[:-1] + "0" * 2, known[:-12] + "0" * 12, "%00"):
        assert ask(app, f"/calls/{wrong}").status == 404


def test_mistakes_are_sentences_with_a_status(app: App) -> None:
    bad = ask(app, "/?month=<script>")
    assert (bad.status, "<script>" in bad.text) == (400, False)
    assert "which is not a month" in bad.text
    assert ask(app, "/nothing").status == 404
    assert "no such page" in ask(app, "/nothing").text


def test_files_are_packed_for_those_who_can_unpack_and_kept_for_good(app: App) -> None:
    name = assets.asset("style.css").name
    packed = ask(app, f"/static/{name}", headers={"accept-encoding": "gzip, br"})
    assert packed.header("content-encoding") == "gzip"
    assert "immutable" in (packed.header("cache-control") or "")
    assert ask(app, f"/static/{name}").body == assets.asset("style.css").plain
    assert ask(app, "/static/app.py").status == 404
    assert ask(app, "/favicon.ico").status == 307


def test_getting_ready_holds_up_no_request(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    released, packed = threading.Event(), []
    monkeypatch.setattr(assets, "pack", lambda: packed.append(released.wait(60)))

    async def life() -> list[str]:
        said: list[str] = []
        asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()

        async def send(message: Any) -> None:
            said.append(message["type"])

        asked.put_nowait({"type": "lifespan.startup"})
        alive = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, asked.get, send))
        while not said:
            await asyncio.sleep(0.001)
        assert (await asyncio.to_thread(ask, app, "/")).status == 200
        assert packed == []
        released.set()
        asked.put_nowait({"type": "lifespan.shutdown"})
        await alive
        return said

    assert asyncio.run(life()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert packed == [True]


def test_demo_data_is_marked(app: App, ledger: Ledger) -> None:
    assert "DEMO DATA" not in ask(app, "/").text
    ledger.announce(5, "demo")
    assert "DEMO DATA" in ask(app, "/").text


def test_an_empty_ledger_shows_empty_pages(tmp_path: Path) -> None:
    from gembill.ledger import open_ledger

    empty = open_ledger(f"sqlite:///{tmp_path / 'empty.db'}")
    app = Dashboard(empty, Settings(data_dir=tmp_path), lambda: NOW).app()
    for name in PAGES:
        assert ask(app, f"/{name}").status == 200
    empty.close()


def test_a_ledger_without_calls_says_how_to_begin(tmp_path: Path) -> None:
    empty = open_ledger(f"sqlite:///{tmp_path / 'empty.db'}")
    page = ask(Dashboard(empty, Settings(data_dir=tmp_path), lambda: NOW).app()).text
    empty.close()
    assert "GOOGLE_GEMINI_BASE_URL" in page
    assert "$0.00" not in page


def test_an_address_without_a_period_opens_on_the_landing_month(ledger: Ledger, tmp_path: Path) -> None:
    app = Dashboard(ledger, Settings(data_dir=tmp_path), lambda: NOW, landing="2026-10").app()
    assert json.loads(ask(app, "/models.json").text)["total"]["calls"] == 1
    assert json.loads(ask(app, "/models.json?month=2026-11").text)["total"]["calls"] == 6


def test_a_name_that_no_call_has_is_refused_with_the_nearest(app: App) -> None:
    answer = ask(app, "/models?month=2026-11&model=gemini-3-falsh-preview")
    assert answer.status == 400
    assert "did you mean gemini-3-flash-preview" in answer.text
    assert ask(app, "/models.json?label=team%3Daa").status == 400


def test_tiers_and_locations_narrow_every_page(ledger: Ledger, app: App) -> None:
    put(
        ledger,
        call("2026-11-09T12:00:00+00:00", (7, 0, 0), api=Api.VERTEX, location="eu", service_tier="batch"),
        call("2026-11-09T13:00:00+00:00", (9, 0, 0), api=Api.VERTEX, location="us", service_tier="batch"),
    )
    for query, tokens in (("tier=batch", 16), ("location=eu", 7), ("location=eu&location=us", 16)):
        shape = json.loads(ask(app, f"/models.json?month=2026-11&{query}").text)
        assert shape["total"]["tokens"]["input"] == tokens
    page = ask(app, "/models?month=2026-11&location=eu&location=us&tier=batch").text
    assert 'name="location" value="eu"' in page
    assert '<input type="hidden" name="location" value="us">' in page
    assert 'name="tier" value="batch" checked' in page


def test_a_csv_has_every_call_and_conversation_and_a_page_some(
    ledger: Ledger, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pages in ("call_pages", "conversation_pages"):
        monkeypatch.setattr(f"gembill_reports.dashboard.{pages}._STREAMED", 7)
    monkeypatch.setattr("gembill_reports.dashboard.call_pages.SIZE", 5)
    chats = {"turns": 2, "operation": Operation.GENERATE_CONTENT}
    put(
        ledger, *(call(f"2026-12-05T10:{n:02d}:00+00:00", (n, 0, 0), conversation=f"c_{n}", **chats) for n in range(30))
    )
    rows = list(csv.DictReader(StringIO(ask(app, "/calls.csv?month=2026-12&sort=input&dir=up").text)))
    assert [row["tokens_input"] for row in rows] == [str(n) for n in range(30)]
    assert len(json.loads(ask(app, "/calls.json?month=2026-12").text)["records"]) == 5
    talks = list(csv.DictReader(StringIO(ask(app, "/conversations.csv?month=2026-12").text)))
    assert len({row["conversation_id"] for row in talks}) == len(talks) == 30


def test_the_form_has_days_as_dates_and_instants_as_they_are(app: App) -> None:
    days = ask(app, "/models?since=2026-11-03&until=2026-11-05").text
    assert '<input type="date" name="since" value="2026-11-03">' in days
    assert '<input type="date" name="through" value="2026-11-04">' in days
    hours = ask(app, "/models?since=2026-11-03T10:00&until=2026-11-03T12:00").text
    assert 'name="until" value="2026-11-03T12:00"' in hours
    assert 'list="zones"' in hours
    assert ">Last month</a>" in hours
    assert ask(app, "/models?month=2026-11&tz=Asia/Kathmandu").status == 200
