"""Files: resumable uploads, and what was uploaded or made.

Owns: the upload protocol (wire.md 5.6), the list of files, and downloads. Not here: the use of a file. Invariant: a
file counts its bytes and hash exactly; of contents over `KEPT` bytes no more than that is remembered, so that large
uploads cost no memory.
"""

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from gembill.errors import Refusal
from gembill_simulator import frames
from gembill_simulator.context import RequestContext, stamp
from gembill_simulator.fields import bad, decode, entry, text
from gembill_simulator.frames import Reply
from gembill_simulator.names import IdFactory, id_text
from gembill_simulator.store import Store, page
from gembill_simulator.wire import Document

KEPT = 4 << 20
_ADDRESS = "https://generativelanguage.googleapis.com/v1beta/"  # of Google's answers; nothing is sent there
_GRANULARITY = 8 << 20
_TWO_DAYS = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class File:
    """A whole file; `content` is None when it was too large to keep. `made` is True for results of a batch."""

    name: str
    title: str
    mime_type: str
    size: int
    digest: str
    created: datetime
    content: bytes | None
    made: bool = False


@dataclass(slots=True)
class Upload:
    """An upload that goes on."""

    title: str
    mime_type: str
    origin: bytes
    draw: bytes
    name: str = ""
    size: int = 0
    kept: list[bytes] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)

    def take(self, data: bytes) -> None:
        """Add bytes."""
        if self.size + len(data) <= KEPT:
            self.kept.append(data)
        else:
            self.kept.clear()
        self.size += len(data)
        self.digest.update(data)


class Files:
    """The files of one simulator."""

    def __init__(self, names: IdFactory) -> None:
        self._names = names
        self._uploads: Store[Upload] = Store()
        self._store: Store[File] = Store()

    def find(self, name: str) -> File:
        """The file of this name (`files/...` or its end); raises `Refusal` (403) when there is none."""
        file = self._store.get(name.rpartition("/")[2])
        if file is None:
            message = f"You do not have permission to access the File {name} or it may not exist."
            raise Refusal(403, "PERMISSION_DENIED", message)
        return file

    def write(self, name: str, content: bytes, now: datetime) -> None:
        """Keep a file that the simulator made itself."""
        digest = hashlib.sha256(content).hexdigest()
        made = File(name, "", "application/jsonl", len(content), digest, now, content, made=True)
        self._store.put(name.rpartition("/")[2], made)

    def answer(self, context: RequestContext) -> Reply:
        """Answer a request to the files."""
        route = context.route
        if not route.name:
            shown, more = page([_show(file) for file in self._store], route.query)
            return frames.plain(200, {"files": shown} | more)
        file = self.find(route.name)
        if route.method == "DELETE":
            self._store.drop(route.name)
            return frames.plain(200, {})
        if route.operation == "download":
            return _download(file)
        return frames.plain(200, _show(file))

    def upload(self, context: RequestContext) -> Reply:
        """Answer one step of an upload."""
        steps = {step.strip().lower() for step in context.headers.get("x-goog-upload-command", "").split(",")}
        if "start" in steps:
            return self._start(context)
        key = context.route.query.get("upload_id", "")
        upload = self._uploads.get(key)
        if upload is None:
            raise Refusal(404, "NOT_FOUND", "There is no upload of this id; start one first.")
        if "cancel" in steps:
            self._uploads.drop(key)
            return _status({}, "cancelled")
        if "query" in steps:
            return _status({}, "active", ("X-Goog-Upload-Size-Received", str(upload.size)))
        _check_offset(context, upload)
        upload.take(context.body)
        if "finalize" not in steps:
            return _status({}, "active")
        self._uploads.drop(key)
        return _status({"file": _show(self._finish(upload, context))}, "final")

    def _start(self, context: RequestContext) -> Reply:
        if context.headers.get("x-goog-upload-protocol") != "resumable":
            raise bad("The simulator takes resumable uploads only.")
        about = entry(decode(context.body), "file") if context.body else {}
        mime = text(about, "mimeType") or context.headers.get("x-goog-upload-header-content-type", "")
        upload = Upload(text(about, "displayName"), mime or "application/octet-stream", context.origin, context.draw)
        if text(about, "name"):
            upload.name = f"files/{text(about, 'name').rpartition('/')[2]}"
        key = id_text(context.draw)
        self._uploads.put(key, upload)
        address = f"{context.url}{context.route.path}?upload_id={key}&upload_protocol=resumable"
        granularity = ("X-Goog-Upload-Chunk-Granularity", str(_GRANULARITY))
        return _status({}, "active", ("X-Goog-Upload-URL", address), granularity)

    def _finish(self, upload: Upload, context: RequestContext) -> File:
        name = upload.name or self._names.give("files/", upload.draw, upload.origin + upload.digest.digest())
        content = b"".join(upload.kept) if upload.size <= KEPT else None
        hexed = upload.digest.hexdigest()
        made = File(name, upload.title, upload.mime_type, upload.size, hexed, context.now, content)
        self._store.put(name.rpartition("/")[2], made)
        return made


def _check_offset(context: RequestContext, upload: Upload) -> None:
    offset = context.headers.get("x-goog-upload-offset", "0")
    if offset != str(upload.size):
        raise bad(f"X-Goog-Upload-Offset is {offset}, but {upload.size} bytes were received so far.")


def _status(document: Document, status: str, *more: tuple[str, str]) -> Reply:
    return replace(frames.plain(200, document), headers=(("X-Goog-Upload-Status", status), *more))


def _download(file: File) -> Reply:
    if not file.made or file.content is None:
        raise bad(f"The file {file.name} was uploaded; only files that were made by the API can be downloaded.")
    return Reply(200, (file.content,), kind=file.mime_type)


def _show(file: File) -> Document:
    title: Document = {"displayName": file.title} if file.title else {}
    address = {"downloadUri": f"{_ADDRESS}{file.name}:download?alt=media"} if file.made else {}
    return {
        "name": file.name,
        **title,
        "mimeType": file.mime_type,
        "sizeBytes": str(file.size),
        "createTime": stamp(file.created),
        "updateTime": stamp(file.created),
        "expirationTime": stamp(file.created + _TWO_DAYS),
        "sha256Hash": b64encode(file.digest.encode()).decode(),
        "uri": _ADDRESS + file.name,
        **address,
        "state": "ACTIVE",
        "source": "GENERATED" if file.made else "UPLOADED",
    }
