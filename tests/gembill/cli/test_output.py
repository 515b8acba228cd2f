"""Where and how a command writes: --format and --output."""

import ast
import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gembill import cli
from gembill.cli.output import Output, output_options, pour, target
from gembill.errors import ConfigurationError
from gembill_reports.views.view import Format


@click.command()
@output_options(file=True)
def shown(output: Output) -> None:
    click.echo(f"{output.form!r} {output.path}")


@click.command()
@output_options(Format.TABLE, Format.HTML, text=None)
def pages(output: Output) -> None:
    click.echo(repr(output))


def test_a_format_is_handed_over_as_a_member() -> None:
    assert CliRunner().invoke(shown, []).output == "<Format.TABLE: 'table'> None\n"
    flags = ["--format", "markdown", "--output", "x.md"]
    assert CliRunner().invoke(shown, flags).output == "<Format.MARKDOWN: 'markdown'> x.md\n"


def test_only_the_formats_of_the_command_are_taken() -> None:
    assert "[table|json|csv|markdown]" in CliRunner().invoke(shown, ["--help"]).output
    assert "[table|html]" in CliRunner().invoke(pages, ["--help"]).output
    assert CliRunner().invoke(pages, ["--format", "json"]).exit_code == 2
    assert "Format.HTML" in CliRunner().invoke(pages, ["--format", "html"]).output


def test_a_file_is_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("before")
    with pytest.raises(ValueError, match="midway"), target(path) as stream:  # noqa: PT012
        stream.write("half")
        raise ValueError("midway")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    with target(path) as stream:
        pour(["a", "b"], stream, Format.CSV)
    assert path.read_text() == "ab"


def test_a_device_is_written_to_and_never_replaced() -> None:
    with target(Path(os.devnull)) as stream:
        stream.write("gone")
    assert not Path(os.devnull).is_file()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    with target(link) as stream:
        stream.write("here")
    assert link.is_symlink()
    assert (tmp_path / "real").read_text() == "here"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written: No such file"), target(tmp_path / "no" / "x"):
        pass


def test_no_command_chooses_by_the_format() -> None:
    def chooses(source: str) -> bool:
        compared = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Compare))
        return any(getattr(node.left, "id", getattr(node.left, "attr", "")) == "form" for node in compared)

    commands = Path(cli.__file__).parent.glob("*.py")
    assert {path.stem for path in commands if chooses(path.read_text())} == set()
