"""Every command that a document lets people type is one that there is, with options that it has."""

from pathlib import Path

import click
import pytest
import yaml

from gembill.cli import gembill
from tests.typed import DOCUMENTS, ROOT, Line, blocks, typed


def scripts() -> list[Line]:
    """The lines of jobs in the documents' YAML."""
    found = []
    for document in DOCUMENTS:
        for block in blocks(document, "yaml"):
            for text in _scripts(yaml.safe_load(block)):
                found += [Line(str(document.relative_to(ROOT)), line) for line in text.splitlines()]
    return found


def _scripts(value: object) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _scripts(one)]
    if not isinstance(value, dict):
        return []
    own = [value[name] for name in ("run", "script") if name in value]
    said = [text for one in own for text in (one if isinstance(one, list) else [one])]
    return said + [text for one in value.values() for text in _scripts(one)]


LINES = [line for document in DOCUMENTS for line in typed(document)] + scripts()
OURS = sorted({(line.document, " ".join(line.ours)): line for line in LINES if line.ours is not None}.items())


def parsed(words: list[str]) -> None:
    """Let click read the words, down to the last command, without running it."""
    command: click.Command = gembill
    context = None
    while True:
        context = command.make_context(command.name or "gembill", list(words), parent=context)
        if not isinstance(command, click.Group):
            return
        rest = [*context._protected_args, *context.args]
        if not rest and command.invoke_without_command:
            return
        _, inner, words = command.resolve_command(context, rest)
        assert inner is not None
        command = inner


def refusal(words: list[str]) -> str | None:
    """Why click refuses the words; a file of the reader's need not be there, and what is no option is found before it."""
    try:
        parsed(words)
    except click.UsageError as error:
        return None if "does not exist" in str(error) else str(error)
    return None


@pytest.mark.parametrize("line", [line for _, line in OURS], ids=lambda line: f"{line.document}: {line.text[:60]}")
def test_a_command_of_a_document_is_one_that_there_is(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GEMBILL_RUN", raising=False)
    monkeypatch.chdir(tmp_path)
    assert line.ours is not None
    assert refusal(line.ours) is None


def test_a_command_that_is_none_is_found() -> None:
    for words in (["reprot"], ["report", "monthly", "--mnth", "x"], ["budget", "chek"], ["report", "yearly"]):
        assert refusal(words)
    assert refusal(["db", "restore", "nowhere.backup", "--dry-run"]) is None
    assert refusal(["db", "restore", "nowhere.backup", "--dry"])


def test_the_words_of_a_line_are_those_of_our_command() -> None:
    line = Line("x", "A=1 gembill budget check --format junit > budgets.xml || code=$?   # said")
    assert line.ours == ["budget", "check", "--format", "junit"]
    assert Line("x", "pip install .").ours is None


def test_the_documents_have_commands_to_type() -> None:
    assert len(OURS) > 20
    assert {"README.md", "docs/ci.md", "docs/commands.md", "docs/dashboard.md"} <= {line.document for line in LINES}
