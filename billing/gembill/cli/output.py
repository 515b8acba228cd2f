"""Where and how a command writes its result.

Owns: the flags --format and --output, and writing to a terminal or a file. Not here: what is written (the views).
Invariant: a file that was named is whole or not there: it is written beside its place and moved when it is complete.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from gembill.cli.options import WordOf, together
from gembill.errors import ConfigurationError
from gembill_reports.views.view import USUAL, Format

if TYPE_CHECKING:
    from gembill_reports.views.view import View

Command = TypeVar("Command", bound=Callable[..., Any])

file_option = click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to a file instead.",
)


@dataclass(frozen=True, slots=True)
class Output:
    """The format asked for, and the file to write it to or None for stdout."""

    form: Format
    path: Path | None = None

    def write(self, view: View) -> None:
        """Write the view. ConfigurationError if the file cannot be written."""
        from gembill_reports.views.view import text

        with target(self.path) as stream:
            pour(text(view, self.form), stream, self.form)


def output_options(
    *forms: Format,
    file: bool = False,
    text: str | None = "How to write it. Money in JSON and CSV is exact.",
    default: Callable[[], str] | None = None,
) -> Callable[[Command], Command]:
    """Give a command --format (the usual formats unless others are named), which it takes as `output`.

    With `file` also --output. `text` is the help of --format; it has to name the default where `default` finds it.
    """
    choice = click.option(
        "--format",
        "form",
        type=WordOf(forms or USUAL),
        default=default or Format.TABLE.value,
        show_default=default is None,
        help=text,
    )
    return together("output", Output, [choice, file_option] if file else [choice])


@contextlib.contextmanager
def target(path: Path | None) -> Iterator[TextIO]:
    """The file to write to, or stdout. ConfigurationError if it cannot be written."""
    if path is None:
        yield sys.stdout
        return
    try:
        with _written_aside(path.resolve()) as stream:
            yield stream
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}; name another with --output") from None
    click.echo(f"gembill: wrote {path}", err=True)


def pour(pieces: Iterable[str], stream: TextIO, form: str) -> None:
    """Write the pieces as they come; in a table on stdout what the terminal's encoding lacks is written out."""
    if stream is sys.stdout:
        from gembill_reports.layout import screen

        screen.write_as(form, pieces)
    else:
        stream.writelines(pieces)


@contextlib.contextmanager
def _written_aside(path: Path) -> Iterator[TextIO]:
    """A file beside the path that becomes it at the end. A device or pipe is written to itself, never replaced."""
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
