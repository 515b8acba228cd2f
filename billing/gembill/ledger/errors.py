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


_UNIQUE_VIOLATION = "23505"  # SQLSTATE


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

    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.InternalError | exc.TimeoutError):
        return LedgerUnavailable
    if isinstance(error, exc.DataError | exc.IntegrityError):
        return InvalidPosting
    if isinstance(error, exc.StatementError) and not isinstance(error, exc.DBAPIError):
        return InvalidPosting  # a value that the driver was not given
    return LedgerError if isinstance(error, exc.SQLAlchemyError) else None


def is_overtaken(error: IntegrityError) -> bool:
    """Whether the place of a row was taken by another writer, so that reading and writing again can help."""
    return getattr(error.orig, "sqlstate", None) == _UNIQUE_VIOLATION or "UNIQUE" in str(error.orig)


def _reason(error: Exception) -> str:
    """The driver's words on one line; never the values, which it may quote."""
    orig = getattr(error, "orig", None) or error  # what SQLAlchemy wraps
    lines = str(orig).strip().splitlines()
    return lines[0] if lines else type(orig).__name__
