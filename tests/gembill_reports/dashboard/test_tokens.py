"""Tokens by name: kept as hashes, told once, taken back at once."""

from pathlib import Path

import pytest

from gembill.errors import ConfigurationError
from gembill_reports.dashboard.tokens import MOST, Holder, TokenFile, Tokens

KEY = b"of a process"


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "folder" / "tokens.json")


def test_a_token_is_told_once_and_kept_as_a_hash_for_the_owner_alone(file: TokenFile) -> None:
    token = file.add("wall", "2026-11-28")
    assert len(token) >= 40
    assert token not in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert [(one.name, one.added) for one in file.tokens()] == [("wall", "2026-11-28")]


def test_a_reader_is_known_until_the_token_is_revoked(file: TokenFile) -> None:
    token = file.add("wall", "2026-11-28")
    tokens = Tokens("owner-has-a-long-token", TokenFile(file.path))
    assert tokens.holder(token) == Holder("wall", writes=False)
    assert tokens.holder("owner-has-a-long-token") == Holder("", writes=True)
    assert tokens.holder(token + "x") is None
    file.revoke("wall")
    assert tokens.holder(token) is None
    assert file.tokens() == ()


def test_a_session_is_a_proof_of_one_holder(file: TokenFile) -> None:
    file.add("wall", "2026-11-28")
    tokens = Tokens("owner-has-a-long-token", file)
    reader = Holder("wall", writes=False)
    session = tokens.session(reader, KEY)
    assert session
    assert tokens.holder_of_session(["x", session, "\u00e9"], KEY) == reader
    assert tokens.holder_of_session([session], b"of another process") is None
    assert tokens.session(Holder("nobody"), KEY) is None
    file.revoke("wall")
    again = file.add("wall", "2026-11-29")  # the same name, another token
    assert again
    assert tokens.holder_of_session([session], KEY) is None


def test_once_a_token_was_needed_it_stays_needed(file: TokenFile) -> None:
    tokens = Tokens(None, file)
    assert not tokens.asked
    file.add("wall", "2026-11-28")
    assert tokens.asked
    file.revoke("wall")
    assert tokens.asked


def test_a_file_that_cannot_be_read_lets_nobody_in(file: TokenFile) -> None:
    token = file.add("wall", "2026-11-28")
    file.path.write_text("{")
    tokens = Tokens(None, TokenFile(file.path))
    assert tokens.holder(token) is None
    assert tokens.asked
    with pytest.raises(ConfigurationError, match="cannot be read"):
        TokenFile(file.path).tokens()


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 41, "a/b", "\u00e4"])
def test_a_name_that_does_not_fit_is_refused(file: TokenFile, name: str) -> None:
    with pytest.raises(ConfigurationError, match="not a name"):
        file.add(name, "2026-11-28")
    assert not file.path.exists()


def test_names_are_of_one_token_and_their_number_has_a_limit(file: TokenFile) -> None:
    for number in range(MOST):
        file.add(f"n{number}", "2026-11-28")
    with pytest.raises(ConfigurationError, match="there are 100"):
        file.add("more", "2026-11-28")
    with pytest.raises(ConfigurationError, match="named 'n1'"):
        file.add("n1", "2026-11-28")
    with pytest.raises(ConfigurationError, match="no token is named 'more'"):
        file.revoke("more")
