"""What the shared flags mean together."""

import click
from click.testing import CliRunner

from gembill.cli.options import CallFilter, selection_options


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
        "2026-11-01T00:00:00+00:00 ('a', 'b*') {'team': 'x=y'} ('k',)",
        "True 1793491200000000 False",
    ]


def test_without_flags_everything_is_chosen() -> None:
    result = CliRunner().invoke(shown, [])
    assert result.output.splitlines() == ["None () {} ()", "False None True"]


def test_the_zone_may_come_from_the_environment() -> None:
    result = CliRunner().invoke(shown, ["--month", "2026-11"], env={"GEMBILL_TZ": "Asia/Kolkata"})
    assert result.output.startswith("2026-11-01T00:00:00+05:30")
