"""What can keep a posting out of the ledger, told apart by what to do about it.

Owns: the translation of a driver's errors. Owns no retry. Invariant: when one of these is raised, nothing was written.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from billing.errors import LedgerError


class LedgerUnavailable(LedgerError):
    """The database cannot be reached or cannot write now; trying again can help."""


class UnfitPosting(LedgerError):
    """A posting holds values that cannot be kept; trying again cannot help, burying it can."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Errors of the driver as errors of ours; `doing` says what could not be done."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError, PoolTimeout) as error:
        raise LedgerUnavailable(f"the ledger cannot {doing} now: {_reason(error)}") from error
    except (StatementError, OverflowError, UnicodeError) as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise LedgerUnavailable(f"the connection was lost: {_reason(error)}") from error
        raise UnfitPosting(f"the ledger cannot {doing}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The driver's words on one line; never the values, which it may quote."""
    orig = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    lines = str(orig).strip().splitlines()
    return lines[0] if lines else type(orig).__name__
