"""Every "(document.md, section)" in code, tests and documents leads to a document of this repository and a place in it.

A citation is a file name ending in `.md` and what follows it: numbers of sections (`wire.md 2.4 and 2.6`), items (`1.4
b`, `law 8`, `R11`), or the title of a section (`contract.md, Identity`). A name within quotation marks is a file that
a program reads or writes, and no citation.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = {path.name: path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]}
TEXTS = sorted(
    path
    for path in [
        *(
            path
            for room in ("billing", "reports", "migrations", "tests", ".github")
            for path in (ROOT / room).rglob("*")
        ),
        *DOCUMENTS.values(),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ]
    if (path.suffix in {".py", ".md", ".toml", ".yml"} or path.name == "Makefile") and path.name != Path(__file__).name
)
CITATION = re.compile(r"(?<![\w\"'*./-])((?:[\w.-]+/)*[A-Za-z][\w-]*\.md)\b(?![\"'\w/\\-])`?")
ITEM = r"(?:\d+(?:\.\d+)*(?: ?\(?[a-z]\)?(?![\w]))?|[RS]\d+|laws? \d+|items? \d+)"
PLACES = re.compile(rf",? ?(?:sections? )?({ITEM}(?:(?:, | and | to | against ){ITEM})*)")
TITLE = re.compile(r", (?=[\"“A-Z])[\"“]?([A-Z][^\n]*)")
NUMBER = re.compile(r"[RS]?\d+(?:\.\d+)*")
LETTER = re.compile(r"(\d+(?:\.\d+)*) ?\(?([a-z])\b")


def unfolded(path: Path) -> str:
    """The text with its line breaks as blanks: a citation may go on in the next line."""
    return re.sub(r"\s*\n[\s#]*", " ", path.read_text("utf-8"))


def headings(document: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", DOCUMENTS[document].read_text("utf-8"), re.MULTILINE)


def numbers(document: str) -> set[str]:
    """The numbers of sections and of the rows of tables that have one (R1, S1, laws)."""
    text = DOCUMENTS[document].read_text("utf-8")
    sections = re.findall(r"^#+ (\d+(?:\.\d+)*)\.? ", text, re.MULTILINE)
    rows = re.findall(r"^\| (\d+) \|", text, re.MULTILINE)
    marks = [
        mark for cell in re.findall(r"^\| ([RS]\d[^|]*)", text, re.MULTILINE) for mark in re.findall(r"[RS]\d+", cell)
    ]
    return {*sections, *rows, *marks}


def items(document: str, section: str) -> list[str]:
    """The letters of a section's paragraphs."""
    behind = re.split(rf"^#+ {re.escape(section)}\.? .*$", DOCUMENTS[document].read_text("utf-8"), flags=re.MULTILINE)[
        -1
    ]
    return re.findall(r"^([a-z])\. ", re.split(r"^#", behind, flags=re.MULTILINE)[0], re.MULTILINE)


def missing(text: str) -> list[str]:
    """The citations of a text that lead nowhere."""
    wrong = []
    for cited in CITATION.finditer(text):
        name = cited[1].rsplit("/", 1)[-1]
        rest = text[cited.end() : cited.end() + 120]
        if name not in DOCUMENTS:
            wrong.append(f"{cited[1]}: there is no such document")
        elif places := PLACES.match(rest):
            known = numbers(name)
            wrong += [f"{name} {place}" for place in NUMBER.findall(places[1]) if place not in known]
            wrong += [f"{name} {at} {item}" for at, item in LETTER.findall(places[1]) if item not in items(name, at)]
        elif (title := TITLE.match(rest)) and not any(
            title[1].casefold().startswith(heading.casefold()) for heading in headings(name)
        ):
            wrong.append(f"{name}, {title[1][:40]}")
    return wrong


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_citation_leads_somewhere(path):
    assert missing(unfolded(path)) == []


@pytest.mark.parametrize("document", sorted(DOCUMENTS), ids=str)
def test_every_file_that_a_document_names_is_there(document):
    """Code and documents in backquotes with a folder before them; NAME and NNNN are for the reader to fill in."""
    roots = [
        ROOT,
        ROOT / "billing",
        ROOT / "reports",
        ROOT / "billing" / "gembill",
        ROOT / "reports" / "gembill_reports",
    ]
    text = DOCUMENTS[document].read_text("utf-8")
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_0-9]+\.(?:py|md))`", text)
    assert [name for name in named if not any((root / name).exists() for root in roots)] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("(wire.md 5.3)", []),
        ("(wire.md 2.4 and 2.6)", []),
        ("(wire.md 1.4 b)", []),
        ("(wire.md 1.4(e), where code is search)", []),
        ("(wire.md 1.4 z)", ["wire.md 1.4 z"]),
        ("(wire.md 9, law 8)", []),
        ("(wire.md 2.4 and 2.99)", ["wire.md 2.99"]),
        ("(reliability.md 2, R2)", []),
        ("(reliability.md R11)", []),
        ("(reliability.md 2, R99)", ["reliability.md R99"]),
        ('(reliability.md 4, "Schema rules from day 1" and more)', []),
        ("(contract.md, Identity)", []),
        ("(`docs/contract.md`, Calls and records)", []),
        ("(contract.md, No such section)", ["contract.md, No such section)"]),
        ("see nowhere.md 1.1", ["nowhere.md: there is no such document"]),
        ('a file that a program writes: "budgets.md"', []),
    ],
)
def test_what_counts_as_a_citation_that_leads_nowhere(text, wrong):
    assert missing(text) == wrong
