"""What can keep a posting out of the ledger, by what to do about it.

Owns: the translation of a driver's errors. Not here: retries. Invariant: when one of these is raised, nothing was
written.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gembill import sqlite
from gembill.errors import LedgerError


class LedgerUnavailable(LedgerError):
    """The database cannot be reached or cannot write now; trying again can help."""


class InvalidPosting(LedgerError):
    """A posting holds values that cannot be kept; trying again cannot help, burying it can."""


_AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout, sqlite.driver.OperationalError)
_UNFIT = (DataError, IntegrityError, OverflowError, UnicodeError)
_UNIQUE_VIOLATION = "23505"  # SQLSTATE


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Errors of the driver as errors of ours; `doing` says what could not be done.

    Only errors about values are an InvalidPosting, because those are buried; a missing right or a damaged file is not.
    """
    try:
        yield
    except _AWAY as error:
        raise LedgerUnavailable(f"the ledger cannot {doing} now: {_reason(error)}") from error
    except _UNFIT as error:
        raise InvalidPosting(f"the ledger cannot {doing}: {_reason(error)}") from error
    except (SQLAlchemyError, sqlite.driver.Error) as error:
        if isinstance(error, StatementError) and not isinstance(error, DBAPIError):  # a value the driver was not given
            raise InvalidPosting(f"the ledger cannot {doing}: {_reason(error)}") from error
        raise LedgerError(f"the ledger cannot {doing}: {_reason(error)}") from error


def is_overtaken(error: IntegrityError) -> bool:
    """Whether the place of a row was taken by another writer, so that reading and writing again can help."""
    return getattr(error.orig, "sqlstate", None) == _UNIQUE_VIOLATION or "UNIQUE" in str(error.orig)


def _reason(error: Exception) -> str:
    """The driver's words on one line; never the values, which it may quote."""
    orig = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    lines = str(orig).strip().splitlines()
    return lines[0] if lines else type(orig).__name__
