"""What a built site must keep to: `python website/check.py site`.

Owns: the walk over its files. Not here: links between documents, which `mkdocs build --strict` follows. Invariant:
nothing is loaded from another server when a page is viewed, and what a page loads is there.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {"script": "src", "img": "src", "source": "srcset", "link": "href", "iframe": "src"}
_NOT_LOADED = {"canonical", "prev", "next", "edit"}  # of `link`
_OUTSIDE = re.compile(r"""url\(["']?(?:https?:)?//|@import|unpkg\.com|googleapis|gstatic|jsdelivr|cdnjs""")


class _Loads(HTMLParser):
    """Addresses that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element loads."""
        members = dict(attrs)
        address = members.get(_LOADED.get(tag, ""))
        if address and members.get("rel") not in _NOT_LOADED:
            self.addresses.append(address)


def troubles(site: Path) -> list[str]:
    """What is wrong with a site, in words."""
    return [trouble for path in sorted(site.rglob("*")) for trouble in _troubles(site, path)]


def _troubles(site: Path, path: Path) -> list[str]:
    name = path.relative_to(site)
    if path.suffix == ".html":
        page = _Loads()
        page.feed(path.read_text("utf-8"))
        return [f"{name} loads {one}" for one in page.addresses if not _is_there(site, path, one)]
    if path.suffix in (".css", ".js") and name.name != "mermaid.min.js":
        return [f"{name} names {one[0]}" for one in _OUTSIDE.finditer(path.read_text("utf-8"))]
    return []


def _is_there(site: Path, page: Path, address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "data":
        return True
    if parts.scheme or parts.netloc:
        return False
    base = site if parts.path.startswith("/") else page.parent  # the page for what is missing names its files so
    return (base / unquote(parts.path).lstrip("/")).exists()


if __name__ == "__main__":
    wrong = troubles(Path(sys.argv[1]))
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(bool(wrong))
