"""The token of callers from other machines: who has to show it, what is kept of it, how often it may be guessed."""

import hashlib

import pytest

from gembill.capture.caller_token import TOKEN_HEADER, caller_token
from gembill.errors import ConfigurationError, Refusal
from gembill.guesses import GUESSES

TOKEN = "a-token-of-sixteen-and-more"
ELSEWHERE = "192.0.2.7"


def refused(check, shown: tuple[bytes, ...], address: str = ELSEWHERE) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check.check(shown, address)
    return caught.value


def test_the_token_opens_and_anything_else_does_not(tmp_path):
    check, made = caller_token(TOKEN, tmp_path)
    check.check((TOKEN.encode(),), ELSEWHERE)
    for shown in ((), (b"",), (TOKEN.encode()[:-1],), (TOKEN.encode(), TOKEN.encode())):
        refusal = refused(check, shown)
        assert (refusal.status, refusal.reason) == (401, "GEMBILL_TOKEN_NEEDED")
    assert made is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.4.5", "::1", "::ffff:127.0.0.1"])
def test_a_caller_on_this_machine_is_not_asked(address, tmp_path):
    caller_token(TOKEN, tmp_path)[0].check((), address)


def test_wrong_ones_are_limited_by_address_and_missing_ones_are_not_guesses(tmp_path):
    check, _ = caller_token(TOKEN, tmp_path)
    for _ in range(3 * GUESSES):
        refused(check, ())
    for _ in range(GUESSES):
        assert refused(check, (b"wrong",)).status == 401
    limited = refused(check, (TOKEN.encode(),))
    assert (limited.status, limited.reason) == (429, "GEMBILL_TOO_MANY_WRONG_TOKENS")
    check.check((TOKEN.encode(),), "192.0.2.8")


def test_one_is_made_once_and_only_its_digest_is_kept(tmp_path):
    folder = tmp_path / "data"
    check, made = caller_token(None, folder)
    assert made is not None
    assert len(made) > 40
    check.check((made.encode(),), ELSEWHERE)
    (file,) = folder.iterdir()
    assert file.read_text() == hashlib.sha256(made.encode()).hexdigest()
    assert file.stat().st_mode & 0o777 == 0o600
    again, shown = caller_token(None, folder)
    again.check((made.encode(),), ELSEWHERE)
    assert shown is None


@pytest.mark.parametrize("content", ["", "no digest", "ab" * 31, "\u00e4"])
def test_a_file_that_is_no_digest_is_one_sentence(content, tmp_path):
    (tmp_path / "caller-token.sha256").write_text(content)
    with pytest.raises(ConfigurationError, match="remove it to get a new token"):
        caller_token(None, tmp_path)


def test_a_folder_that_cannot_be_used_and_a_short_token_are_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="can be neither read nor made"):
        caller_token(None, tmp_path / "file")
    with pytest.raises(ConfigurationError, match="has 5 characters; it needs 16"):
        caller_token("short", tmp_path)


def test_its_header_is_lower_case_as_heads_are_read():
    assert TOKEN_HEADER.lower() == TOKEN_HEADER
