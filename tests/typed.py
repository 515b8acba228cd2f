"""What the documents let people type: the lines of their blocks of commands, and the commands of ours among them.

Owns: which blocks are for typing, and lines as a shell takes them. Not here: what becomes of them (`tests.hours` plays them,
tests/test_typed.py reads them). Invariant: a block is typed if its first word is a program's; a line with `$ ` before it is
shown with its output by cog, which `make check` runs again.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from shlex import split

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "deploy" / "README.md", *(ROOT / "docs").glob("*.md")])
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COG = re.compile(r"^<!-- \[\[\[cog$.*?^\]\]\] -->$", re.MULTILINE | re.DOTALL)
_PROGRAMS = re.compile(r"(?:[A-Z_]+=\S+ )*(?:gembill|pip|python|pytest|curl|export|make|docker|systemctl)\b")
_EXAMPLE = re.compile(r"^ {2}(gembill (?!\[)\S.*)$", re.MULTILINE)  # in the help of a command


@dataclass(frozen=True, slots=True)
class Line:
    """One command as it is typed; `shown` says that its output is printed below it."""

    document: str
    text: str
    shown: bool = False

    @property
    def ours(self) -> list[str] | None:
        """The words for `gembill`, without variables before them and what follows in the shell; None if it is not ours."""
        words = split(self.text, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if not words or words[0] != "gembill":
            return None
        ends = [
            at for at, word in enumerate(words) if word in ("|", "||", "&&", "&", ";") or word.startswith((">", "2>"))
        ]
        return words[1 : min(ends, default=len(words))]


def typed(document: Path) -> list[Line]:
    """The commands of a document, in its order."""
    text = _COG.sub("", document.read_text("utf-8"))
    name = str(document.relative_to(ROOT))
    lines = [line for language, block in _BLOCK.findall(text) for line in _lines(name, language, block)]
    if document.name == "commands.md":
        lines += [Line(name, example) for example in _EXAMPLE.findall(text)]
    return lines


def blocks(document: Path, language: str) -> list[str]:
    """The blocks of a language."""
    return [block for found, block in _BLOCK.findall(document.read_text("utf-8")) if found == language]


def _lines(document: str, language: str, block: str) -> list[Line]:
    if language not in ("", "sh", "bash", "shell", "console"):
        return []
    if block.startswith("$ "):
        return [Line(document, block.splitlines()[0].removeprefix("$ "), shown=True)]
    if not _PROGRAMS.match(block):
        return []
    return [Line(document, " ".join(line.split())) for line in block.replace("\\\n", " ").splitlines() if line.strip()]
