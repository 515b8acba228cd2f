"""The tokens that the dashboard takes, and who holds them.

Owns: the owner's token, the tokens that were given names, and the file in which the latter are. Not here: requests
(`guard`). Invariant: of a named token only a hash is kept, in a file for its owner alone that is replaced as a whole;
comparing takes the same time whichever token fits; a token that was revoked opens nothing from the next request on.

Named tokens are 32 random bytes, so that a plain hash of one cannot be turned round by guessing.
"""

import hmac
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from gembill.errors import ConfigurationError
from gembill.private_file import replace_private

FILE = "dashboard-tokens.json"
MOST = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_BYTES = 32


@dataclass(frozen=True, slots=True)
class NamedToken:
    """A token that reads: its name, the SHA-256 of it, and the day it was made."""

    name: str
    digest: str
    added: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks. `name` is empty for the owner. `writes`: may keep views."""

    name: str = ""
    writes: bool = True


@dataclass(frozen=True, slots=True)
class _Known:
    holder: Holder
    digest: str


class TokenFile:
    """The named tokens of a data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state: object = None
        self._tokens: tuple[NamedToken, ...] = ()

    def tokens(self) -> tuple[NamedToken, ...]:
        """All of them, in the order in which they were made; ConfigurationError where the file cannot be read."""
        try:
            there = self.path.stat()
            state = (there.st_mtime_ns, there.st_size, there.st_ino)
            if state != self._state:
                read = json.loads(self.path.read_bytes())["tokens"]
                self._tokens = tuple(NamedToken(one["name"], one["digest"], one["added"]) for one in read)
                self._state = state
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"{self.path} cannot be read as tokens of the dashboard: {error}") from error
        return self._tokens

    def add(self, name: str, day: str) -> str:
        """A new token of that name, which is told here once. ConfigurationError where the name is taken or unfit."""
        there = self.tokens()
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"'{name}' is not a name for a token; use letters, digits, dots, - and _, up to 40"
            )
        if any(one.name == name for one in there):
            raise ConfigurationError(f"there is a token named '{name}'; revoke it first, or choose another name")
        if len(there) >= MOST:
            raise ConfigurationError(f"there are {MOST} tokens already; revoke one first")
        token = secrets.token_urlsafe(_BYTES)
        self._write([*there, NamedToken(name, digest_of(token), day)])
        return token

    def revoke(self, name: str) -> None:
        """Forget the token of that name; ConfigurationError where there is none."""
        there = self.tokens()
        left = [one for one in there if one.name != name]
        if len(left) == len(there):
            known = f"there are {', '.join(one.name for one in there)}" if there else "there is none"
            raise ConfigurationError(f"no token is named '{name}'; {known}")
        self._write(left)

    def _write(self, tokens: Sequence[NamedToken]) -> None:
        text = json.dumps({"schema_version": 1, "tokens": [asdict(one) for one in tokens]}, indent=1) + "\n"
        try:
            replace_private(self.path, text.encode())
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written: {error.strerror}") from error


class Tokens:
    """All tokens of a dashboard: the owner's, None if there is none, and those of a file.

    Where there is a token, or ever was one since the start, everybody needs one.
    """

    def __init__(self, owner: str | None = None, file: TokenFile | None = None) -> None:
        self._owner = None if owner is None else _Known(Holder(), digest_of(owner))
        self._file = file
        self._asked = False

    @property
    def asked(self) -> bool:
        """Whether a token is needed."""
        self._asked = self._asked or self._owner is not None or bool(self._known())
        return self._asked

    def holder(self, token: str) -> Holder | None:
        """Whose token it is; None if it is nobody's."""
        digest = digest_of(token)
        fitting = [one.holder for one in self._known() if hmac.compare_digest(one.digest, digest)]
        return fitting[0] if fitting else None

    def session(self, holder: Holder, key: bytes) -> str | None:
        """What the cookie of a holder says: a proof of the token under `key`, which does not tell it."""
        return next((_session(one, key) for one in self._known() if one.holder == holder), None)

    def holder_of_session(self, sessions: Sequence[str], key: bytes) -> Holder | None:
        """Whose cookie is among these; None if nobody's is."""
        known = [(one.holder, _session(one, key).encode()) for one in self._known()]
        pairs = [(holder, own, value.encode()) for holder, own in known for value in sessions]
        fitting = [holder for holder, own, value in pairs if hmac.compare_digest(own, value)]
        return fitting[0] if fitting else None

    def _known(self) -> list[_Known]:
        """The owner first. A file that cannot be read holds no token, and everybody still needs one."""
        known = [self._owner] if self._owner else []
        if self._file is not None:
            try:
                known += [_Known(Holder(one.name, writes=False), one.digest) for one in self._file.tokens()]
            except ConfigurationError:
                self._asked = True
        return known


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return sha256(b"gembill dashboard " + token.encode()).hexdigest()


def _session(known: _Known, key: bytes) -> str:
    return hmac.new(key, f"{known.holder.name} {known.digest}".encode(), sha256).hexdigest()
