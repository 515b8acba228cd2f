"""What is said about a command or option that does not exist."""

import click
import pytest
from click.testing import CliRunner

from gembill.cli.groups import NearGroup, did_you_mean, usage_sentence


@click.group(cls=NearGroup, other_words={"calls": "records"})
def tool() -> None:
    pass


@tool.command()
@click.option("--month")
@click.option("--model")
def records(month: str | None, model: str | None) -> None:
    click.echo(f"{month} {model}")


@tool.command()
def report() -> None:
    pass


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["recrods"], "there is no command 'recrods'; did you mean `tool records`? (see `tool --help`)"),
        (["Calls"], "there is no command 'Calls'; did you mean `tool records`? (see `tool --help`)"),
        (["xyz"], "there is no command 'xyz' (see `tool --help`)"),
        (["records", "--mnth", "x"], "there is no option --mnth; did you mean --month? (see `tool records --help`)"),
        (["records", "--zzz"], "there is no option --zzz (see `tool records --help`)"),
        (["records", "more"], "Got unexpected extra argument (more) (see `tool records --help`)"),
        (
            ["records", "2026-10"],
            "Got unexpected extra argument (2026-10); did you mean --month 2026-10? (see `tool records --help`)",
        ),
        (["report", "2026-10"], "Got unexpected extra argument (2026-10) (see `tool report --help`)"),
    ],
)
def test_the_nearest_is_named_in_one_line(words: list[str], says: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        tool.main(words, prog_name="tool", standalone_mode=False)
    assert usage_sentence(refused.value) == says


def test_a_command_that_exists_runs() -> None:
    assert CliRunner().invoke(tool, ["records", "--month", "x"]).output == "x None\n"


def test_nothing_near_is_nothing_said() -> None:
    assert did_you_mean([]) == ""
    assert did_you_mean(["a", "b"]) == "; did you mean a or b?"
