"""The address of an upload: back through the proxy if it is the upstream's, untouched if it is anyone else's."""

import pytest

from gembill.capture.upload import homeward
from gembill.upstream import Origin

GOOGLE = Origin.parse("https://generativelanguage.googleapis.com")
LOCAL = Origin.parse("http://127.0.0.1:9000")
TAIL = "/upload/v1beta/files?upload_id=A%2Fb&upload_protocol=resumable"


def rewritten(
    address: str, origin: Origin = GOOGLE, host: bytes = b"localhost:8787", name: bytes = b"X-Goog-Upload-URL"
) -> str:
    other = (b"Content-Type", b"text/plain")
    found = homeward([other, (name, address.encode()), other], origin, host)
    assert (found[0], found[2], found[1][0]) == (other, other, name)
    return found[1][1].decode()


@pytest.mark.parametrize("address", ["https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com:443", "https://GenerativeLanguage.googleapis.com"])  # fmt: skip
def test_an_address_of_the_upstream_leads_to_where_the_client_called(address):
    assert rewritten(address + TAIL) == "http://localhost:8787" + TAIL
    assert rewritten(address + TAIL, name=b"x-goog-upload-url") == "http://localhost:8787" + TAIL


def test_a_port_is_part_of_the_upstream():
    assert rewritten("http://127.0.0.1:9000" + TAIL, LOCAL) == "http://localhost:8787" + TAIL
    assert rewritten("http://127.0.0.1:9001" + TAIL, LOCAL) == "http://127.0.0.1:9001" + TAIL


@pytest.mark.parametrize(
    "address",
    [
        "https://storage.googleapis.com/upload?x=1", "http://generativelanguage.googleapis.com/upload", "//generativelanguage.googleapis.com/u",
        "https://generativelanguage.googleapis.com.evil.example/u", "https://generativelanguage.googleapis.com@evil.example/u",
        "https://evil.example/https://generativelanguage.googleapis.com/u", "https://generativelanguage.googleapis.com", "/upload", "", "\u20ac",
        "https://generativelanguage.googleapis.com\\@evil.example/u", "https://generativelanguage.googleapis.com#/u",
    ],
)  # fmt: skip
def test_any_other_address_stays(address):
    assert rewritten(address) == address


def test_other_headers_and_a_client_without_a_host_change_nothing():
    address = "https://generativelanguage.googleapis.com" + TAIL
    assert rewritten(address, name=b"Location") == address
    assert rewritten(address, host=b"") == address
