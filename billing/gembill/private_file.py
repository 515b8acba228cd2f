"""A file for its owner alone.

Owns: making and replacing it. Not here: what is in it. Invariant: it is there whole or not at all, also after a power
cut, and of two processes that make it together one wins and both read the same.
"""

import os
import secrets
from pathlib import Path


def create_private(path: Path, content: bytes) -> bool:
    """Make a file, and its folder if need be, that nobody else can read; False where it was there already.

    Raises OSError. It is made under another name and then linked.
    """
    draft = _draft(path, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    _sync_folder(path.parent)
    return True


def replace_private(path: Path, content: bytes) -> None:
    """Put a file that nobody else can read in the place of the one that is there, if one is. Raises OSError."""
    draft = _draft(path, content)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    _sync_folder(path.parent)


def _draft(path: Path, content: bytes) -> Path:
    """The content under another name in the same folder, written down."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f".{secrets.token_hex(8)}")  # process ids repeat among containers
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    """Else a power cut takes the name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
