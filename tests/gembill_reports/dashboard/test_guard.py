"""The door: methods, names, the token and the headers."""

from typing import Any

import pytest

from gembill_reports.dashboard.guard import LOOPBACK, Guard, host_of
from tests.gembill_reports.dashboard.asking import ask

TOKEN = "a-long-and-random-token"


async def page(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"the page"})


def test_only_get_and_head_are_answered() -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"):
        assert ask(Guard(page), method=method).status == 405
    assert ask(Guard(page)).body == b"the page"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil", "localhost:80:80", "[::1]:x"]
)
def test_a_name_that_is_not_known_is_refused(host: str) -> None:
    assert ask(Guard(page), headers={"host": host}).status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8789", "[::1]:8789", "[::1]", "pages.lan"])
def test_known_names_are_let_in(host: str) -> None:
    assert ask(Guard(page, (*LOOPBACK, "pages.lan")), headers={"host": host}).status == 200


def test_every_answer_carries_the_headers() -> None:
    for answer in (ask(Guard(page)), ask(Guard(page), method="POST"), ask(Guard(page, token=TOKEN))):
        policy = answer.header("content-security-policy") or ""
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("cache-control") == "no-store"


def test_with_a_token_nothing_is_shown_without_it() -> None:
    guard = Guard(page, token=TOKEN)
    for target in ("/", "/calls.json", f"/?token={TOKEN}x", "/?token=", f"/?token={TOKEN}&token={TOKEN}"):
        assert ask(guard, target).status == 401
    assert ask(guard, headers={"cookie": f"gembill={TOKEN}"}).status == 401  # the cookie is not the token
    assert ask(guard, headers={"cookie": "gembill=\u00e9; x"}).status == 401


def test_the_token_becomes_a_strict_cookie_and_leaves_the_address() -> None:
    guard = Guard(page, token=TOKEN)
    answer = ask(guard, f"//evil.example/x?month=2026-11&token={TOKEN}")
    assert answer.status == 303
    assert answer.header("location") == "/evil.example/x?month=2026-11"
    cookie = answer.header("set-cookie") or ""
    assert "SameSite=Strict" in cookie
    assert "HttpOnly" in cookie
    assert TOKEN not in cookie
    assert ask(guard, headers={"cookie": cookie.partition(";")[0]}).body == b"the page"
    other = Guard(page, token=TOKEN + "2")
    assert ask(other, headers={"cookie": cookie.partition(";")[0]}).status == 401


def test_a_header_cannot_be_split_by_the_address() -> None:
    answer = ask(Guard(page, token=TOKEN), f"/a\r\nx: y?token={TOKEN}&q=%0d%0a")
    assert "\n" not in (answer.header("location") or "")
    assert "\r" not in (answer.header("location") or "")


@pytest.mark.parametrize(
    ("header", "name"), [("a:1", "a"), ("A", "a"), ("[::1]:80", "[::1]"), ("::1", "::1"), ("", "")]
)
def test_the_name_of_a_host(header: str, name: str) -> None:
    assert host_of(header) == name
