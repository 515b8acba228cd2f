"""What the documentation shows of gembill at work: real commands on the made-up month of `gembill demo`.

Owns: a scratch folder with that ledger, and how a command and what it said are written down. Not here: the text of the
documentation (it calls this when it is generated). Invariant: what is shown was printed by the command beside it, and
is the same on every machine.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path
from shlex import split

from gembill.cli.demo import CALLS, own_settings
from gembill.config import Settings
from gembill.demo.month import MONTH, fill
from tests.surroundings import clean

__all__ = ["MONTH", "Shown", "shown"]
_TOKEN = re.compile(r"::(stop-commands::)?[0-9a-f]{32}(::)?")  # GitHub's commands are stopped by a random word


class Shown:
    """A folder whose ledger holds the made-up month; it goes when the program ends."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="gembill-docs-")
        self.folder = Path(self._scratch.name)
        self.settings = own_settings(Settings(data_dir=self.folder))
        assert sum(fill(self.settings, CALLS)) == CALLS
        self._environment = clean(
            GEMBILL_DATA_DIR=str(self.folder),
            GEMBILL_DATABASE_URL=self.settings.ledger_url,
            HOME=str(self.folder),
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # whoever was the first to ask
            NO_COLOR="1",
        )

    def command(self, line: str, *, width: int = 118, flags: str = "", more: Mapping[str, str] | None = None) -> str:
        """A block of Markdown with the command, what it wrote to stdout and, if it is not 0, its exit code.

        The line may begin with variables. `flags` and `more` variables are given to the command and not shown.
        """
        words = split(line)
        variables = list(takewhile(lambda word: "=" in word, words))
        environment = self._environment | {"COLUMNS": str(width)} | dict(more or {})
        environment |= dict(word.split("=", 1) for word in variables)
        done = subprocess.run(
            [*words[len(variables) :], *split(flags)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        text = _TOKEN.sub(lambda token: f"::{token[1] or ''}TOKEN{token[2] or ''}", done.stdout)
        ended = f"exit {done.returncode}\n" if done.returncode else ""
        return f"```\n$ {line}\n{text}{ended}```"

    def written(self, file: str) -> str:
        """A block of Markdown with what a command wrote to a file of the folder."""
        text = (self.folder / file).read_text(encoding="utf-8").replace(str(self.folder), "/tmp")
        return f"```\n{text}```"


@cache
def shown() -> Shown:
    """The one folder of this program."""
    return Shown()
