"""The door: methods, names, the token and the headers."""

from typing import Any

import pytest

from gembill.guesses import GUESS_SECONDS, GUESSES
from gembill_reports.dashboard import guard as guards
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


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("Pages.lan:8789", "to the name pages.lan; if it is this machine's, start it with --allow-host pages.lan"),
        ("[2001:db8::1]:80", "start it with --allow-host [2001:db8::1]"),
        ("localhost@evil", "does not answer to this name\n"),
    ],
)
def test_a_name_that_is_refused_is_named_with_what_to_do(host: str, said: str) -> None:
    assert said in ask(Guard(page), headers={"host": host}).text


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


def entered(guard: Guard) -> str:
    """The cookie of someone who brought the token."""
    return (ask(guard, f"/?token={TOKEN}").header("set-cookie") or "").partition(";")[0]


@pytest.mark.parametrize(
    "others",
    [
        "{}; theme=dark", "theme=dark; {}", "theme=dark;{};x=y", "a=b c, d; {}", "{{not a cookie}}; {}", 'user="{{\\"a\\": 1}}"; {}', "x; {}; y", ";;{}", "é=ü; {}",
        "gembill=of-another-port; {}", "{}; gembill=of-another-port", "gembill-theme=1; {}", "$Version=1; {}", "a[0]=1; {}", "=; {}", "expires; path=/; {}",
    ],
)  # fmt: skip
def test_the_cookie_is_seen_beside_those_of_other_programs(others: str) -> None:
    guard = Guard(page, token=TOKEN)
    assert ask(guard, headers={"cookie": others.format(entered(guard))}).status == 200
    for other in ("", "gembill=", "gembill"):
        assert ask(guard, headers={"cookie": others.format(other)}).status == 401
    for disguised in ("x" + entered(guard), entered(guard).upper(), "a=" + entered(guard)):
        assert ask(guard, headers={"cookie": disguised}).status == 401


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_guesses_at_the_token_are_limited_and_whoever_is_in_stays_in() -> None:
    clock = Clock()
    guard = Guard(page, token=TOKEN, clock=clock)
    cookie = entered(guard)
    assert [ask(guard, f"/?token=wrong-{n}").status for n in range(GUESSES)] == [401] * GUESSES
    answer = ask(guard, f"/?token={TOKEN}")  # the right one is not looked at either, or the limit would be none
    assert (answer.status, answer.header("retry-after")) == (429, str(int(GUESS_SECONDS)))
    assert answer.header("set-cookie") is None
    assert ask(guard, headers={"cookie": cookie}).status == 200
    assert ask(guard, "/").status == 401  # nobody guessed anything here
    assert ask(guard, f"/?token={TOKEN}", client="10.0.0.2").status == 303
    clock.now += GUESS_SECONDS
    assert [ask(guard, "/?token=wrong").status for _ in range(3)] == [401, 429, 429]
    clock.now += GUESS_SECONDS
    assert ask(guard, f"/?token={TOKEN}").status == 303


def test_an_hour_of_guessing_is_some_hundred_tokens() -> None:
    clock = Clock()
    guard = Guard(page, token=TOKEN, clock=clock)
    looked_at = 0
    for _ in range(3_600):
        looked_at += ask(guard, "/?token=wrong").status == 401
        clock.now += 1
    assert looked_at == GUESSES + 3_600 / GUESS_SECONDS - 1


def test_of_ipv6_a_network_guesses_together() -> None:
    guard = Guard(page, token=TOKEN, clock=Clock())
    answers = [ask(guard, "/?token=wrong", client=f"2001:db8::{n:x}").status for n in range(GUESSES + 1)]
    assert answers == [401] * GUESSES + [429]
    assert ask(guard, "/?token=wrong", client="2001:db8:0:1::1").status == 401


def test_a_cookie_cannot_be_made_from_a_guess_of_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard(page, token=TOKEN)
    cookie = entered(guard)
    monkeypatch.setattr(guards, "_KEY", b"of another process")
    assert ask(guard, headers={"cookie": cookie}).status == 401
