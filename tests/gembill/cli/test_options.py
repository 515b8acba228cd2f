"""What the shared flags mean together."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gembill.cli import gembill
from gembill.cli.options import CallFilter, selection_options
from gembill.errors import ConfigurationError, GembillError
from gembill.ledger import Ledger, open_ledger
from tests.gembill_reports.making import call, put


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


@click.command()
@selection_options
def shown(calls: CallFilter) -> None:
    selection = calls.selection(calls.period())
    click.echo(f"{calls.period().start} {selection.models} {dict(selection.labels)} {selection.keys}")
    click.echo(f"{selection.code_execution} {selection.start_us} {calls.timeless}")


def test_the_flags_become_a_period_and_a_selection() -> None:
    flags = ["--month", "2026-11", "--tz", "UTC", "--model", "a", "--model", "b*", "--label", "team=x=y", "--key", "k"]
    result = CliRunner().invoke(shown, [*flags, "--code-execution"])
    assert result.output.splitlines() == [
        "2026-11-01T00:00:00+00:00 ('a', 'b*') {'team': ('x=y',)} ('k',)",
        "True 1793491200000000 False",
    ]


def test_without_flags_everything_is_chosen() -> None:
    result = CliRunner().invoke(shown, [])
    assert result.output.splitlines() == ["None () {} ()", "False None True"]


def test_the_zone_may_come_from_the_environment() -> None:
    result = CliRunner().invoke(shown, ["--month", "2026-11"], env={"GEMBILL_TZ": "Asia/Kolkata"})
    assert result.output.startswith("2026-11-01T00:00:00+05:30")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--period", "today", "--since", "2026-11-01"), "--period names a whole period"),
        (("--period", "today", "--month", "2026-11"), "--period names a whole period"),
        (("--through", "2026-11-01", "--until", "2026-11-01"), "both name the end"),
        (("--through", "2026-11-01", "--month", "2026-11"), "--month names a whole period"),
    ],
)
def test_a_period_is_named_in_one_way(flags: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        CliRunner().invoke(shown, flags, catch_exceptions=False)


def test_a_name_that_no_call_has_is_refused_where_the_ledger_is_known(ledger: Ledger) -> None:
    put(ledger, call("2026-11-05T10:00:00+00:00", labels={"team": "search"}))
    calls = CallFilter(model=("gemini-3-falsh-preview",))
    with pytest.raises(ConfigurationError, match="did you mean gemini-3-flash-preview"):
        calls.selection(calls.period(), ledger)
    assert calls.selection(calls.period()).models == ("gemini-3-falsh-preview",)


def test_a_command_that_may_not_begin_a_ledger_makes_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'data' / 'none.db'}"
    for words in (["rerate"], ["repost"], ["rerate", "--dry-run"], ["budget", "watch", "--once"], ["audit"]):
        with pytest.raises(GembillError):
            CliRunner().invoke(gembill, [*words, "--database-url", url], catch_exceptions=False)
        assert list(tmp_path.iterdir()) == []
