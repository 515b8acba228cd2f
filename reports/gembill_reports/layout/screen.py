"""The terminal a report is printed on.

Owns: its width, whether it shows colour, and which characters it can show. Not here: content. Invariant: text that the
terminal's encoding lacks is written out or replaced by a plain sign, and never ends the program; what programs read
is UTF-8 whatever the locale says.
"""

import io
import os
import sys
from collections.abc import Iterable
from typing import TextIO

_PLAIN = str.maketrans({"─": "-", "·": "|"})


def width() -> int:
    """Cells across: COLUMNS, else the terminal's own width, else 120, because a file or a pipe has no edge."""
    import shutil

    return shutil.get_terminal_size(fallback=(120, 24)).columns


def colored(stream: TextIO | None = None) -> bool:
    """Whether to use bold and colour: on a terminal, unless NO_COLOR is set to anything or TERM is `dumb`."""
    stream = stream or sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def write(pieces: Iterable[str], stream: TextIO | None = None) -> None:
    """Write the pieces as they come."""
    stream = stream or sys.stdout
    for piece in pieces:
        stream.write(showable(piece, stream.encoding))
    stream.flush()


def write_as(form: str, pieces: Iterable[str]) -> None:
    """Write to stdout: a `table` as the terminal can show it, any other form in UTF-8, as it would be in a file."""
    if form != "table" and isinstance(sys.stdout, io.TextIOWrapper):  # a notebook's stream takes text as it is
        sys.stdout.reconfigure(encoding="utf-8")
    write(pieces)


def showable(text: str, encoding: str | None) -> str:
    """The text with what the encoding lacks written out."""
    encoding = encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text
