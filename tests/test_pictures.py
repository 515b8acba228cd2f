"""The README's pictures show the dashboard as it is, and its links lead to files that are there."""

import re
from pathlib import Path

import pytest

from tests.pictures import FOLDER, Picture, month, pictures, stamp, stamp_of, stamped
from tests.png import chunks
from tests.shown import shown

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def test_each_picture_was_taken_of_the_page_as_it_is_now() -> None:
    made = shown()
    with month(made) as ledger:
        wanted: list[Picture] = pictures(ledger)
        for one in wanted:
            assert stamp_of(one.file.read_bytes()) == stamp(made, ledger, one), (
                f"{one.file.name} shows an older {one.path}; run `make docs` where Chromium is installed"
            )
    assert {one.file for one in wanted} == set(FOLDER.iterdir())


def test_a_stamp_leaves_the_picture_sound() -> None:
    png = next(FOLDER.glob("*.png")).read_bytes()
    again = stamped(png, "other")
    assert [kind for kind, _ in chunks(again)][-3:] == [b"tEXt", b"tEXt", b"IEND"]
    assert stamp_of(png[:8] + png[-12:]) is None
    assert stamp_of(stamped(png[:8] + png[-12:], "mark")) == "mark"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_points_at_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)|(?:src|srcset)=\"([^\"]+)\"", text)
    for link in (first or second for first, second in links):
        assert "://" in link or (document.parent / link).exists(), link
