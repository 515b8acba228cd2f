"""Keyed hashes that stand for what must not be stored.

Owns: the secret they are keyed with and its 0600 file. Not here: where a hash is used. Invariant: without the secret
nobody can tell from a fingerprint which key or conversation it stands for, nor test a guess.
"""

import os
import secrets
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from gembill.errors import ConfigurationError
from gembill.private_file import create_private

SECRET_FILE = "fingerprint.secret"  # noqa: S105 - the name of a file
_SHORTEST_SECRET = 16
_KEYS = 256  # whose names are remembered
_BLOCK = 64  # bytes that SHA-256 takes at a time


class Fingerprint:
    """Names keys and conversations by keyed hash; `names` maps a key's fingerprint, or an account, to a name people
    gave it."""

    def __init__(self, secret: bytes, names: Mapping[str, str] | None = None) -> None:
        key = (sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
        self._inner, self._outer = (sha256(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
        self._names = names or {}
        self._key = lru_cache(maxsize=_KEYS)(self._named)

    def key(self, credential: bytes | None) -> str | None:
        """The name or fingerprint of an API key or token; None where none was presented."""
        return self._key(credential) if credential else None

    def named(self, account: str) -> str:
        """The name of a caller who is known by project and quota user: as given by people, else these themselves."""
        return self._names.get(account, account)

    def conversation(self, key: str | None, name: str) -> str:
        """The id of a chat that its caller names: the same for the same key and name."""
        return "l_" + self._hash(b"conversation\0" + (key or "").encode() + b"\0" + name.encode())[:20]

    def _named(self, credential: bytes) -> str:
        fingerprint = "k_" + self._hash(b"key\0" + credential)[:12]
        return self._names.get(fingerprint, fingerprint)

    def _hash(self, text: bytes) -> str:
        """HMAC-SHA256 (RFC 2104) in hex; what depends on the secret alone was done once."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.hexdigest()


def load_secret(given: str | None, folder: Path) -> bytes:
    """The secret: as given (at least 16 characters), else from its file in `folder`, which is made if missing."""
    if given is not None:
        if len(given) < _SHORTEST_SECRET:
            raise ConfigurationError(f"fingerprint_secret has {len(given)} characters; it needs {_SHORTEST_SECRET}")
        return given.encode()
    path = folder / SECRET_FILE
    try:
        if not path.exists():
            create_private(path, secrets.token_hex(32).encode())
        return _read(path)
    except OSError as error:
        raise ConfigurationError(f"the secret {path} can be neither read nor made: {error.strerror}") from None


def _read(path: Path) -> bytes:
    secret = path.read_bytes().strip()  # an editor leaves a line end
    if len(secret) < _SHORTEST_SECRET:
        raise ConfigurationError(f"{path} holds {len(secret)} bytes and is not a secret; remove it to get a new one")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigurationError(f"{path} can be read by others; run chmod 600 on it")
    return secret
