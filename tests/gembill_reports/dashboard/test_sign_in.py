"""Signing in: a page for people, Bearer for programs, and nothing for pages of others."""

from pathlib import Path

import pytest

from gembill.guesses import GUESSES
from gembill_reports.dashboard.guard import HOLDER, Guard
from gembill_reports.dashboard.sign_in import sign_in_page
from gembill_reports.dashboard.tokens import TokenFile
from tests.gembill_reports.dashboard.asking import Answer, ask, post
from tests.gembill_reports.dashboard.test_guard import TOKEN, page

HTML = {"accept": "text/html,application/xhtml+xml"}


async def echo(scope: object, receive: object, send: object) -> None:
    """Says who asks."""
    holder = scope.get(HOLDER)  # type: ignore[attr-defined]
    body = repr(holder and (holder.name, holder.writes)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": body})  # type: ignore[operator]


def cookie(answer: Answer) -> str:
    return (answer.header("set-cookie") or "").partition(";")[0]


def test_whoever_reads_pages_is_asked_on_a_page_and_a_program_in_a_sentence() -> None:
    guard = Guard(page, token=TOKEN)
    asked = ask(guard, "/calls?month=2026-11&tz=UTC", headers=HTML)
    assert asked.status == 401
    assert 'name="next" value="/calls?month=2026-11&amp;tz=UTC"' in asked.text
    assert "/static/" not in asked.text
    for target, headers in (("/calls.json", HTML), ("/calls", {})):
        answer = ask(guard, target, headers=headers)
        assert answer.header("content-type") == "text/plain; charset=utf-8"
        assert answer.header("www-authenticate") == "Bearer"


def test_the_token_of_the_form_leads_to_the_page_that_was_asked_for() -> None:
    guard = Guard(echo, token=TOKEN)
    answer = post(guard, "/sign-in", {"token": f" {TOKEN} ", "next": "/calls?month=2026-11"})
    assert (answer.status, answer.header("location")) == (303, "/calls?month=2026-11")
    assert "HttpOnly; SameSite=Strict" in (answer.header("set-cookie") or "")
    assert ask(guard, headers={"cookie": cookie(answer)}).text == "('', True)"
    assert ask(guard, "/sign-in", headers={"cookie": cookie(answer)}).header("location") == "/"
    out = post(guard, "/sign-out", {}, {"cookie": cookie(answer)})
    assert "Max-Age=0" in (out.header("set-cookie") or "")


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\r\nx: y", "evil"]
)
def test_signing_in_leads_to_no_other_place(target: str) -> None:
    answer = post(Guard(page, token=TOKEN), "/sign-in", {"token": TOKEN, "next": target})
    assert (answer.status, answer.header("location")) == (303, "/")


def test_a_wrong_token_is_said_and_guesses_have_a_limit() -> None:
    guard = Guard(page, token=TOKEN)
    for _ in range(GUESSES):
        answer = post(guard, "/sign-in", {"token": "wrong"}, HTML)
        assert (answer.status, cookie(answer)) == (401, "")
        assert "not a token of this dashboard" in answer.text
    late = post(guard, "/sign-in", {"token": TOKEN}, HTML)
    assert (late.status, cookie(late)) == (429, "")
    assert "Try again in" in late.text
    assert ask(guard, "/calls.json", headers={"authorization": f"Bearer {TOKEN}"}).status == 429
    assert post(guard, "/sign-in", {"token": TOKEN}, client="10.0.0.2").status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://127.0.0.1:8789.evil.example"},
        {"origin": "file://127.0.0.1:8789"},
    ],
)
def test_a_form_on_a_page_of_others_is_refused(headers: dict[str, str]) -> None:
    for guard in (Guard(page, token=TOKEN), Guard(page, writes=("/views",))):
        for target in ("/sign-in", "/sign-out", *(["/views"] if "/views" in guard._posts else [])):
            assert post(guard, target, {"token": TOKEN}, headers).status == 403


def test_a_form_without_an_origin_needs_the_word_of_the_browser() -> None:
    guard = Guard(page, writes=("/views",))
    assert ask(guard, "/views", "POST").status == 403
    assert ask(guard, "/views", "POST", {"sec-fetch-site": "same-site"}).status == 403
    assert ask(guard, "/views", "POST", {"sec-fetch-site": "same-origin"}).status == 200


def test_a_form_that_is_too_large_holds_no_token() -> None:
    assert post(Guard(page, token=TOKEN), "/sign-in", {"token": TOKEN, "x": "y" * 9000}).status == 401


def test_bearer_is_for_one_request_and_a_reader_does_not_write(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens.json")
    reader = file.add("wall", "2026-11-28")
    guard = Guard(echo, token=TOKEN, named=TokenFile(file.path), writes=("/views",))
    for token, who in ((TOKEN, "('', True)"), (reader, "('wall', False)")):
        answer = ask(guard, "/calls.json", headers={"authorization": f"bearer {token}"})
        assert (answer.text, answer.header("set-cookie")) == (who, None)
    assert ask(guard, "/calls.json", headers={"authorization": "Bearer wrong"}).status == 401
    assert ask(guard, "/calls.json", headers={"authorization": f"Basic {TOKEN}"}).status == 401
    seat = {"cookie": cookie(post(guard, "/sign-in", {"token": reader}))}
    assert ask(guard, headers=seat).text == "('wall', False)"
    assert post(guard, "/views", {}, seat).status == 403
    owner = {"cookie": cookie(post(guard, "/sign-in", {"token": TOKEN}))}
    assert post(guard, "/views", {}, owner).status == 200
    assert post(guard, "/views", {}, {"authorization": f"Bearer {TOKEN}"}).status == 401
    file.revoke("wall")
    assert ask(guard, headers=seat).status == 401


def test_the_page_escapes_what_it_shows() -> None:
    assert "<script>" not in sign_in_page('/"><script>', "<script>")
    assert 'role="alert"' not in sign_in_page("/")
