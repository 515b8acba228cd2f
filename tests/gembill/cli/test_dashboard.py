"""`gembill dashboard`: where it listens, and when it asks for a token."""

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from gembill.cli.dashboard import dashboard, hosts_of, token_for
from gembill.cli.demo import make, own_settings, ready
from gembill.config import Settings
from gembill.errors import ConfigurationError
from gembill.ledger import open_ledger
from tests.gembill_reports.making import call, put
from tests.surroundings import clean

LONG = "0123456789abcdef"


def test_another_address_needs_a_token() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.8.9.1"):
        assert token_for(host, None) is None
    for host in ("0.0.0.0", "192.168.1.5", "::", "example.org"):
        with pytest.raises(ConfigurationError, match="GEMBILL_DASHBOARD_TOKEN"):
            token_for(host, None)
        assert token_for(host, LONG) == LONG
    with pytest.raises(ConfigurationError, match="needs 16"):
        token_for("127.0.0.1", "short")


def test_names_it_answers_to() -> None:
    assert "pages.lan" in hosts_of("127.0.0.1", ("pages.lan",))
    assert "0.0.0.0" not in hosts_of("0.0.0.0", ())
    assert "[2001:db8::1]" in hosts_of("[2001:db8::1]", ())


@contextmanager
def served(folder: Path, *flags: str, **variables: str) -> Iterator[str]:
    """The address of a dashboard that ends with the block."""
    command = [sys.executable, "-m", "gembill", "dashboard", "--port", "0", *flags]
    environment = clean(GEMBILL_DATA_DIR=str(folder), **variables)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder) as child:
        assert child.stderr is not None
        try:
            yield next(line for line in child.stderr if " on http" in line).split(" on ")[1].split()[0]
        finally:
            child.send_signal(signal.SIGTERM)
            assert child.wait(60) in (0, -signal.SIGTERM)


def page(address: str) -> tuple[str, str | None]:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read().decode(), answer.headers["content-security-policy"]


def test_it_serves_and_ends_at_a_signal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(url)
    put(ledger, call("2026-11-05T10:00:00+00:00", (1, 2, 3)))
    ledger.close()
    with served(tmp_path, "--database-url", url) as address:
        text, policy = page(address)
    assert "script-src 'self'" in str(policy)
    assert "Intermediate" in text


def test_the_address_it_says_leads_to_it_where_it_listens_on_all(tmp_path: Path) -> None:
    with served(tmp_path, "--host", "0.0.0.0", GEMBILL_DASHBOARD_TOKEN=LONG) as address:
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {LONG}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200


def test_who_guesses_at_the_token_has_one_address(tmp_path: Path) -> None:
    def status(number: int) -> int:
        request = urllib.request.Request(f"{address}/?token=wrong", headers={"X-Forwarded-For": f"10.0.0.{number}"})
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request, timeout=60)
        return raised.value.code

    with served(tmp_path, GEMBILL_DASHBOARD_TOKEN=LONG) as address:
        assert 429 in {status(number) for number in range(40)}


def test_without_a_ledger_it_says_how_to_begin_and_makes_none(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    with served(tmp_path) as address:
        text, policy = page(f"{address}/calls")
        assert "gembill proxy" in text
        assert "script-src 'self'" in str(policy)
        assert not file.exists()
        ledger = open_ledger(f"sqlite:///{file}")
        put(ledger, call("2026-11-05T10:00:00+00:00", (1, 2, 3)))
        ledger.close()
        assert "gemini-3-flash-preview" in page(f"{address}/calls?month=2026-11")[0]


def test_the_demo_is_made_if_need_be_and_opens_on_its_month(tmp_path: Path) -> None:
    own = own_settings(Settings(data_dir=tmp_path))
    make(own, records=20)
    made = Path(own.data_dir, "ledger.db").stat().st_ino
    with served(tmp_path, "--demo") as address:
        text, _ = page(address)
    assert "DEMO DATA" in text
    assert "2026-10" in text.partition("</h1>")[0].rpartition("<h1>")[2]
    assert Path(own.data_dir, "ledger.db").stat().st_ino == made
    with served(tmp_path, "--database-url", own.ledger_url) as address:
        text, _ = page(address)
    assert "2026-10" in text.partition("</h1>")[0].rpartition("<h1>")[2], "also where its address is given"


def test_a_demo_that_was_not_finished_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = own_settings(Settings(data_dir=tmp_path))
    own.data_dir.mkdir()
    (own.data_dir / "ledger.db").write_text("half")
    made: list[Path] = []
    monkeypatch.setattr("gembill.cli.demo.make", lambda settings: made.append(settings.data_dir))
    ready(own)
    assert made == [own.data_dir]
    assert not (own.data_dir / "ledger.db").exists()


def test_the_demo_has_no_other_ledger(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--demo has a ledger of its own"):
        CliRunner().invoke(dashboard, ["--demo", "--database-url", "sqlite:///x"], catch_exceptions=False)


def test_tokens_by_name_are_made_listed_and_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMBILL_DATA_DIR", str(tmp_path))

    def said(*words: str) -> str:
        run = CliRunner().invoke(dashboard, ["tokens", *words])
        assert run.exit_code == 0, run.output
        return run.stdout.strip()

    token = said("add", "wall")
    assert len(token) >= 40
    assert said("list").split()[0] == "wall"
    said("add", "desk")
    assert "no token by name is left" not in CliRunner().invoke(dashboard, ["tokens", "revoke", "desk"]).stderr
    assert "restart it" in CliRunner().invoke(dashboard, ["tokens", "revoke", "wall"]).stderr
    assert said("list") == ""
    assert isinstance(CliRunner().invoke(dashboard, ["tokens", "revoke", "wall"]).exception, ConfigurationError)


def test_a_token_by_name_opens_the_pages_of_other_machines() -> None:
    assert token_for("0.0.0.0", None, named=True) is None


def test_a_named_token_is_needed_and_opens_a_dashboard_that_runs(tmp_path: Path) -> None:
    from gembill_reports.dashboard.tokens import FILE, TokenFile

    open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}").close()
    token = TokenFile(tmp_path / FILE).add("wall", "2026-11-28")
    with served(tmp_path) as home:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            page(home)
        asked = urllib.request.Request(f"{home}/calls.json", headers={"Authorization": f"Bearer {token}"})
        assert urllib.request.urlopen(asked, timeout=60).status == 200
