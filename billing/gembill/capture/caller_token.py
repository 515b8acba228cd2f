"""The token that callers from other machines show, beside their key of Google's.

Owns: making it, what is kept of it, and the check. Not here: who needs to show one (`doors`). Invariant: the token
itself is in no file of ours, and what is said about a wrong one says nothing about the right one; a caller on this
machine is never asked.

It is 256 bits of chance if gembill makes it, so a plain SHA-256 of it tells nothing; one that people choose has at
least 16 characters, and guesses are limited by address.
"""

import hmac
import secrets
from hashlib import sha256
from math import ceil
from pathlib import Path

from gembill.address import loopback
from gembill.errors import ConfigurationError, Refusal
from gembill.guesses import Guesses, network
from gembill.private_file import create_private

TOKEN_HEADER = b"x-gembill-token"
_BEGINS = "gmb_"
_FILE = "caller-token.sha256"
_SHORTEST = 16


class CallerToken:
    """Knows the right token by its `digest` (SHA-256)."""

    def __init__(self, digest: bytes, guesses: Guesses | None = None) -> None:
        self._digest = digest
        self._guesses = guesses or Guesses()

    def check(self, shown: tuple[bytes, ...], address: str) -> None:
        """Let a request pass by the tokens of its head and the address of its peer; else Refusal (401 or 429)."""
        if loopback(address):
            return
        caller = network(address)
        if shown and (wait := self._guesses.wait(caller)) > 0:
            raise Refusal(
                429,
                "GEMBILL_TOO_MANY_WRONG_TOKENS",
                f"too many wrong tokens came from this address; the next one is looked at in {ceil(wait)} seconds",
            )
        if len(shown) == 1 and hmac.compare_digest(sha256(shown[0]).digest(), self._digest):
            return
        if shown:
            self._guesses.count(caller)
        raise Refusal(
            401,
            "GEMBILL_TOKEN_NEEDED",
            "this proxy asks callers from other machines for its own token, in the header X-Gembill-Token; "
            + ("the one that was sent is wrong" if shown else "none was sent"),
        )


def caller_token(given: str | None, folder: Path) -> tuple[CallerToken, str | None]:
    """The token as given (at least 16 characters), else the one of `folder`, which is made if there is none.

    The second value is the token where it was made just now: nobody can say it again. Raises ConfigurationError.
    """
    if given is not None:
        if len(given) < _SHORTEST:
            raise ConfigurationError(f"caller_token has {len(given)} characters; it needs {_SHORTEST}")
        return CallerToken(sha256(given.encode()).digest()), None
    path = folder / _FILE
    try:
        if path.exists():
            return CallerToken(_read(path)), None
        token = _BEGINS + secrets.token_urlsafe(32)
        made = create_private(path, sha256(token.encode()).hexdigest().encode())
    except OSError as error:
        raise ConfigurationError(f"the token's file {path} can be neither read nor made: {error.strerror}") from None
    return CallerToken(_read(path)), token if made else None


def _read(path: Path) -> bytes:
    try:
        digest = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        digest = b""
    if len(digest) != sha256().digest_size:
        raise ConfigurationError(f"{path} is not the digest of a token; remove it to get a new token")
    return digest
