"""What can keep a posting out of the ledger, by what to do about it.

Owns: the translation of a driver's errors. Not here: retries. Invariant: when one of these is raised, nothing was
written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gembill import sqlite
from gembill.errors import LedgerError

if TYPE_CHECKING:
    from sqlalchemy.exc import IntegrityError


class LedgerUnavailable(LedgerError):
    """The database cannot be reached or cannot write now; trying again can help."""


class InvalidPosting(LedgerError):
    """A posting holds values that cannot be kept; trying again cannot help, burying it can."""


class SpoolRefused(LedgerError):
    """A spool's places hold other events here: it was cloned or restored, or is damaged. Other spools are well."""


_UNIQUE_VIOLATION = "23505"  # SQLSTATE

# What the class of a SQLSTATE says, whichever exception it came as [PostgreSQL documentation, Error Codes]: psycopg
# files limits of an index row under the same exception as a lost connection. Classes that are not here, such as 42 (a
# missing table or right), go by their exception: they are about neither, and no event is buried for them.
_STATES: dict[str, type[LedgerError]] = {
    "08": LedgerUnavailable,  # connection
    "22": InvalidPosting,  # data
    "23": InvalidPosting,  # integrity
    "40": LedgerUnavailable,  # rolled back: serialization, deadlock
    "53": LedgerUnavailable,  # disk, memory, connections
    "54": InvalidPosting,  # a limit of the program, as the size of an index row
    "57": LedgerUnavailable,  # an operator intervened: shut down, cancelled
}
_SQLITE_MORE = {
    "readonly": "SQLite keeps a log beside the file, for readers too: the folder has to be one that you may write to, "
    "or copy the ledger to such a one",
    "is locked": "another program holds its file; `gembill doctor` names the command that finds it",
    "is full": "make room on the disk of the ledger",
}
"""What helps, by words of SQLite's own."""
# SQLite says some of these as an OperationalError, which else means a lock or the disk.
_SQLITE_ABOUT_VALUES = ("integer overflow", "string or blob too big", "datatype mismatch")


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Errors of the driver as errors of ours; `doing` says what could not be done.

    Only errors about values are an InvalidPosting, because those are buried; a missing right or a damaged file is not.
    """
    try:
        yield
    except Exception as error:
        kind = _kind(error)
        if kind is None:
            raise
        now = " now" if kind is LedgerUnavailable else ""
        raise kind(f"the ledger cannot {doing}{now}: {_reason(error)}") from error


def _kind(error: Exception) -> type[LedgerError] | None:
    """What an error of a driver, or of SQLAlchemy around it, means here; None for one that is neither's."""
    if isinstance(error, OverflowError | UnicodeError):
        return InvalidPosting
    if isinstance(error, sqlite.driver.Error):  # of a file that is read without SQLAlchemy
        return LedgerUnavailable if isinstance(error, sqlite.driver.OperationalError) else LedgerError
    return _kind_of_sqlalchemy(error) if "sqlalchemy" in sys.modules else None  # importing it takes 0.2 s


def _kind_of_sqlalchemy(error: Exception) -> type[LedgerError] | None:
    from sqlalchemy import exc

    if isinstance(error, exc.DBAPIError) and (kind := _kind_by_words(error.orig)) is not None:
        return kind
    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.InternalError | exc.TimeoutError):
        return LedgerUnavailable
    if isinstance(error, exc.DataError | exc.IntegrityError):
        return InvalidPosting
    if isinstance(error, exc.StatementError) and not isinstance(error, exc.DBAPIError):
        return InvalidPosting  # a value that the driver was not given
    return LedgerError if isinstance(error, exc.SQLAlchemyError) else None


def _kind_by_words(orig: BaseException | None) -> type[LedgerError] | None:
    """What the driver's own words decide, whichever exception carries them; None where they decide nothing."""
    if isinstance(orig, sqlite.driver.Error):
        return InvalidPosting if str(orig).startswith(_SQLITE_ABOUT_VALUES) else None
    return _STATES.get((getattr(orig, "sqlstate", None) or "")[:2])


def is_overtaken(error: IntegrityError) -> bool:
    """Whether the place of a row was taken by another writer, so that reading and writing again can help."""
    return getattr(error.orig, "sqlstate", None) == _UNIQUE_VIOLATION or "UNIQUE" in str(error.orig)


def _reason(error: Exception) -> str:
    """The driver's words on one line; never the values, which it may quote."""
    orig = getattr(error, "orig", None) or error  # what SQLAlchemy wraps
    lines = str(orig).strip().splitlines()
    reason = lines[0] if lines else type(orig).__name__
    if not isinstance(orig, sqlite.driver.Error):
        return reason
    return next((f"{reason}; {more}" for words, more in _SQLITE_MORE.items() if words in reason), reason)
