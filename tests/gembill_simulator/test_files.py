"""Files: the upload protocol step by step, and the SDK's own uploads."""

import hashlib
import io
from base64 import b64decode

import pytest
from google import genai
from google.genai import types

from gembill.errors import Refusal
from gembill_simulator import Simulator, in_thread
from gembill_simulator.files import KEPT, Files
from gembill_simulator.frames import Reply
from tests.gembill_simulator.contexts import START, URL, ContextFactory, document

START_BODY = {"file": {"display_name": "numbers", "mimeType": "text/csv", "sizeBytes": "9"}}


@pytest.fixture
def make_context() -> ContextFactory:
    return ContextFactory()


@pytest.fixture
def files(make_context: ContextFactory) -> Files:
    return Files(make_context.names)


def begin(make_context: ContextFactory, files: Files) -> str:
    """Start an upload; the target of the following steps."""
    headers = {"x_goog_upload_protocol": "resumable", "x_goog_upload_command": "start"}
    reply = files.upload(make_context("POST", "/upload/v1beta/files", START_BODY, **headers))
    headers = dict(reply.headers)
    assert headers["X-Goog-Upload-Status"] == "active"
    assert headers["X-Goog-Upload-URL"].startswith(f"{URL}/upload/v1beta/files?upload_id=")
    return headers["X-Goog-Upload-URL"].removeprefix(URL)


def step(
    make_context: ContextFactory, files: Files, target: str, command: str, data: bytes = b"", offset: int = 0
) -> Reply:
    context = make_context("POST", target, data, x_goog_upload_command=command, x_goog_upload_offset=str(offset))
    return files.upload(context)


def test_chunks_make_a_file_with_size_and_hash(make_context: ContextFactory, files: Files) -> None:
    target = begin(make_context, files)
    assert dict(step(make_context, files, target, "upload", b"1,2,3").headers)["X-Goog-Upload-Status"] == "active"
    asked = step(make_context, files, target, "query")
    assert dict(asked.headers)["X-Goog-Upload-Size-Received"] == "5"
    last = step(make_context, files, target, "upload, finalize", b"\n4,5", 5)
    assert dict(last.headers)["X-Goog-Upload-Status"] == "final"
    file = document(last)["file"]
    assert (file["sizeBytes"], file["mimeType"], file["displayName"], file["state"]) == (
        "9",
        "text/csv",
        "numbers",
        "ACTIVE",
    )
    assert b64decode(file["sha256Hash"]).decode() == hashlib.sha256(b"1,2,3\n4,5").hexdigest()
    assert files.find(file["name"]).content == b"1,2,3\n4,5"
    assert document(files.answer(make_context("GET", f"/v1beta/{file['name']}"))) == file


def test_a_wrong_offset_an_unknown_upload_and_another_protocol_are_refused(
    make_context: ContextFactory, files: Files
) -> None:
    target = begin(make_context, files)
    with pytest.raises(Refusal, match="0 bytes were received"):
        step(make_context, files, target, "upload", b"x", 5)
    with pytest.raises(Refusal) as caught:
        step(make_context, files, "/upload/v1beta/files?upload_id=none", "upload", b"x")
    assert caught.value.status == 404
    with pytest.raises(Refusal, match="resumable"):
        files.upload(make_context("POST", "/upload/v1beta/files", START_BODY, x_goog_upload_command="start"))


def test_a_cancelled_upload_is_gone(make_context: ContextFactory, files: Files) -> None:
    target = begin(make_context, files)
    assert dict(step(make_context, files, target, "cancel").headers)["X-Goog-Upload-Status"] == "cancelled"
    with pytest.raises(Refusal):
        step(make_context, files, target, "upload", b"x")


def test_files_that_were_made_can_be_downloaded_and_uploaded_ones_cannot(
    make_context: ContextFactory, files: Files
) -> None:
    files.write("files/batch-1", b"{}\n", START)
    assert files.answer(make_context("GET", "/v1beta/files/batch-1:download?alt=media")).frames == (b"{}\n",)
    assert files.answer(make_context("GET", "/download/v1beta/files/batch-1:download?alt=media")).frames == (b"{}\n",)
    name = document(step(make_context, files, begin(make_context, files), "upload, finalize", b"x"))["file"]["name"]
    with pytest.raises(Refusal, match="was uploaded"):
        files.answer(make_context("GET", f"/v1beta/{name}:download"))
    listed = document(files.answer(make_context("GET", "/v1beta/files")))["files"]
    assert [file["source"] for file in listed] == ["GENERATED", "UPLOADED"]
    assert document(files.answer(make_context("DELETE", f"/v1beta/{name}"))) == {}
    with pytest.raises(Refusal) as caught:
        files.answer(make_context("GET", f"/v1beta/{name}"))
    assert caught.value.status == 403


def test_the_sdk_uploads_in_chunks_and_uses_the_file() -> None:
    data = b"\x89PNG" + bytes(9 << 20)  # two chunks of the SDK, and more than is kept
    with in_thread(Simulator()) as running:
        client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=running.url))
        file = client.files.upload(file=io.BytesIO(data), config=types.UploadFileConfig(mime_type="image/png"))
        assert len(data) > KEPT
        assert file.name is not None
        assert file.size_bytes == len(data)
        assert file.sha256_hash is not None
        assert b64decode(file.sha256_hash).decode() == hashlib.sha256(data).hexdigest()
        answer = client.models.generate_content(model="gemini-2.5-flash", contents=[file, "What is it?"])
        assert answer.usage_metadata is not None
        details = answer.usage_metadata.prompt_tokens_details or []
        assert {detail.modality: detail.token_count for detail in details}[types.MediaModality.IMAGE] == 258
        assert [listed.name for listed in client.files.list()] == [file.name]
        client.files.delete(name=file.name)
        assert not list(client.files.list())
        client.close()
