"""Files that pages need: our style and script, and the plotly.js of the installed plotly package.

Owns: their bytes, compressed once, and the names under which browsers may keep them for good. Not here: markup.
Invariant: a name holds a digest of the content, so that a kept file is never an old one; nothing comes from elsewhere.
Naming a file does not compress it: that takes 0.2 s for plotly.js, and a page that only names it must not wait.
"""

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

_OURS = Path(__file__).with_name("static")
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FILES = ("style.css", "pages.js", "icon.svg")
PLOTLY = "plotly.js"
_KEPT = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
_PACKING = {file: Lock() for file in (*FILES, PLOTLY)}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file: what it is called here and by pages, its bytes and its media type."""

    file: str
    plain: bytes
    kind: str
    name: str

    @property
    def packed(self) -> bytes:
        """The bytes gzipped. Whoever asks while another thread packs them waits for that one."""
        with _PACKING[self.file]:
            return _packed(self.file)


@cache
def asset(file: str) -> Asset:
    """The file of that name, one of `FILES` or `PLOTLY`."""
    plain = _plotly() if file == PLOTLY else (_OURS / file).read_bytes()
    kind = _KINDS[Path(file).suffix]
    name = f"{Path(file).stem}.{sha256(plain).hexdigest()[:16]}{Path(file).suffix}"
    return Asset(file, plain, f"{kind}; charset=utf-8", name)


def named(name: str) -> Asset | None:
    """The file that pages call by this name, None if there is none."""
    return next((one for one in map(asset, (*FILES, PLOTLY)) if one.name == name), None)


def names() -> dict[str, str]:
    """The names of the files that pages load."""
    files = {"style": "style.css", "script": "pages.js", "icon": "icon.svg", "plotly": PLOTLY}
    return {word: asset(file).name for word, file in files.items()}


def static(request: Request) -> Response:
    """The file that a page asked for."""
    file = named(request.path_params["name"])
    if file is None:
        return Response("there is no such file\n", 404, media_type="text/plain")
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers={**_KEPT, "content-encoding": "gzip"}, media_type=file.kind)
    return Response(file.plain, headers=_KEPT, media_type=file.kind)


def pack() -> None:
    """Compress all files now, the small ones that pages wait for first."""
    for file in (*FILES, PLOTLY):
        _ = asset(file).packed


@cache
def _packed(file: str) -> bytes:
    return gzip.compress(asset(file).plain, 9, mtime=0)


def _plotly() -> bytes:
    """plotly.js as the plotly package carries it (MIT); it names addresses in it that our figures never use."""
    import plotly

    return Path(plotly.__file__).with_name("package_data").joinpath("plotly.min.js").read_bytes()
