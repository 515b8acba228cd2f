"""Pictures of the dashboard for the README: `python -m tests.pictures` takes them again (part of `make docs`).

Owns: which pages are pictured and the stamp in each picture: a digest of the page it shows, so that a test without a
browser can tell an old picture. Not here: pages and data. Invariant: a picture is written together with its stamp.
"""

import re
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from gembill.ledger import Ledger, Selection, open_ledger, read_records
from gembill.model import Outcome
from gembill_reports.dashboard.app import Dashboard
from tests.gembill_reports.dashboard.asking import ask
from tests.png import chunks
from tests.shown import MONTH, Shown, shown

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
NOW_US = int(datetime(2026, 11, 2, 18, tzinfo=UTC).timestamp()) * 1_000_000
_KEYWORD = b"gembill-page\0"  # of the PNG's text chunk that holds the stamp


@dataclass(frozen=True, slots=True)
class Picture:
    """A page in one colour scheme, `height` pixels of it."""

    name: str
    path: str
    scheme: str
    height: int

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return FOLDER / f"{self.name}-{self.scheme}.png"


@contextmanager
def month(made: Shown) -> Iterator[Ledger]:
    """The made-up month's ledger."""
    ledger = open_ledger(made.settings.ledger_url, read_only=True)
    try:
        yield ledger
    finally:
        ledger.close()


def pictures(ledger: Ledger) -> list[Picture]:
    """The pictures there are to be."""
    overview, receipt = f"/?month={MONTH}", f"/calls/{telling(ledger)}"
    return [
        Picture("overview", overview, "light", 1330),
        Picture("overview", overview, "dark", 1330),
        Picture("receipt", receipt, "light", 1330),
    ]


def telling(ledger: Ledger) -> str:
    """The id of a call whose receipt tells much: it failed most of those whose last run went well, and was the most expensive."""
    records = read_records(ledger, Selection())
    mended = (one for one in records if one.record.executions and one.record.executions[-1].outcome is Outcome.OK)
    return max(mended, key=lambda one: (one.record.failed, one.cost_pico or 0)).record.id


def stamp(made: Shown, ledger: Ledger, picture: Picture) -> str:
    """A digest of what the picture shows. The page names its style and script by their own digests.

    The mark of the ledger, which nobody sees, is that of this moment: it is left out.
    """
    page = ask(Dashboard(ledger, made.settings, lambda: NOW_US).app(), picture.path)
    assert page.status == 200, f"{picture.path}: {page.status}"
    return sha256(re.sub(rb'data-mark="\w*"', b"", page.body)).hexdigest()


def stamp_of(png: bytes) -> str | None:
    """The stamp in a picture, None if it has none."""
    texts = (data for kind, data in chunks(png) if kind == b"tEXt" and data.startswith(_KEYWORD))
    return next((data.removeprefix(_KEYWORD).decode("latin-1") for data in texts), None)


def stamped(png: bytes, text: str) -> bytes:
    """The picture with a stamp before its last chunk."""
    body = b"tEXt" + _KEYWORD + text.encode("latin-1")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    end = len(png) - 12
    return png[:end] + chunk + png[end:]


def main() -> None:
    """Take those pictures that are older than their page."""
    from tests.e2e.browsing import chromium, serving, tab

    made = shown()
    with month(made) as ledger:
        wanted = [(one, stamp(made, ledger, one)) for one in pictures(ledger)]
        old = [(one, mark) for one, mark in wanted if not one.file.exists() or stamp_of(one.file.read_bytes()) != mark]
        if not old:
            return
        FOLDER.mkdir(exist_ok=True)
        with serving(ledger, made.settings.data_dir, NOW_US) as home, chromium() as browser:
            for one, mark in old:
                size = {"width": 1200, "height": one.height}
                with tab(browser, home, viewport=size, color_scheme=one.scheme) as seen:
                    seen.go(one.path)
                    assert seen.troubles() == []
                    one.file.write_bytes(stamped(seen.page.screenshot(), mark))
                    print(f"took {one.file.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
