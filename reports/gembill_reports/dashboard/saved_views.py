"""Names for addresses of the dashboard.

Owns: the file in which they are kept, and what may be kept. Not here: pages, and who may write (`guard`). Invariant:
the ledger is not touched; the file is replaced as a whole and bounded; a name leads to a page of ours and nowhere else.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from urllib.parse import urlencode

from gembill.errors import ConfigurationError
from gembill.private_file import replace_private

FILE = "dashboard-views.json"
MOST = 100
_NAME_CHARS = 60
_ADDRESS_CHARS = 4000


class SavedViews:
    """The saved views of a file; without one there are none. `is_page` tells whether a path is that of a page."""

    def __init__(self, path: Path | None, is_page: Callable[[str], bool]) -> None:
        self.path = path
        self._is_page = is_page
        self._lock = Lock()

    def read(self) -> dict[str, str]:
        """The address of each name, in the order of the names; ConfigurationError where the file cannot be read."""
        if self.path is None:
            return {}
        try:
            views = json.loads(self.path.read_bytes())["views"]
            kept = {str(name): str(address) for name, address in views.items() if self.fits(str(address))}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"{self.path} cannot be read as saved views: {error}") from error
        return dict(sorted(kept.items(), key=lambda pair: (pair[0].casefold(), pair[0])))

    def save(self, name: str, address: str) -> None:
        """Give an address a name; one that has the name already loses it. ConfigurationError where it is unfit."""
        name = " ".join(name.split())
        if not name or len(name) > _NAME_CHARS or not name.isprintable():
            raise ConfigurationError(f"a view is named with 1 to {_NAME_CHARS} characters")
        if not self.fits(address):
            raise ConfigurationError("only pages of this dashboard can be saved as a view")
        with self._lock:
            views = self.read()
            if name not in views and len(views) >= MOST:
                raise ConfigurationError(f"there are {MOST} saved views already; delete one first")
            self._write({**views, name: address})

    def delete(self, name: str) -> None:
        """Forget a name; one that is not there is forgotten already."""
        with self._lock:
            views = self.read()
            if views.pop(name, None) is not None:
                self._write(views)

    def fits(self, address: str) -> bool:
        """Whether an address is one of a page of ours."""
        path = address.partition("?")[0].partition("#")[0]
        plain = len(address) <= _ADDRESS_CHARS and address.isascii() and address.isprintable()
        return plain and path.startswith("/") and not path.startswith("//") and self._is_page(path)

    def _write(self, views: Mapping[str, str]) -> None:
        if self.path is None:
            raise ConfigurationError("views are kept in the data folder; name one in GEMBILL_DATA_DIR")
        text = json.dumps({"schema_version": 1, "views": dict(views)}, indent=1, ensure_ascii=False) + "\n"
        try:
            replace_private(self.path, text.encode())
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written: {error.strerror}") from error


def link_of(name: str) -> str:
    """The address that leads to a saved view, whatever it is by then."""
    return "/view?" + urlencode({"name": name})
