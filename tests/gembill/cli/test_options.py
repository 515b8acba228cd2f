"""What the shared flags mean together."""

import click
from click.testing import CliRunner

from gembill.cli.options import Choice, format_option, selection_options


@click.command()
@selection_options
@format_option
def shown(choice: Choice, form: str) -> None:
    selection = choice.selection(choice.period())
    click.echo(f"{choice.period().start} {selection.models} {dict(selection.labels)} {selection.keys}")
    click.echo(f"{selection.code_execution} {selection.start_us} {choice.timeless} {form}")


def test_the_flags_become_a_period_and_a_selection() -> None:
    flags = ["--month", "2026-11", "--tz", "UTC", "--model", "a", "--model", "b*", "--label", "team=x=y", "--key", "k"]
    result = CliRunner().invoke(shown, [*flags, "--code-execution", "--format", "csv"])
    assert result.output.splitlines() == [
        "2026-11-01T00:00:00+00:00 ('a', 'b*') {'team': 'x=y'} ('k',)",
        "True 1793491200000000 False csv",
    ]


def test_without_flags_everything_is_chosen() -> None:
    result = CliRunner().invoke(shown, [])
    assert result.output.splitlines() == ["None () {} ()", "False None True table"]


def test_the_zone_may_come_from_the_environment() -> None:
    result = CliRunner().invoke(shown, ["--month", "2026-11"], env={"GEMBILL_TZ": "Asia/Kolkata"})
    assert result.output.startswith("2026-11-01T00:00:00+05:30")
