"""The exceptions of gembill, in one tree.

Owns: what can go wrong, by name, and the exit code of each class. Not here: the text of a particular error, which
is where it is raised. Invariant: every error a user can meet is a `GembillError` whose text is one clear sentence.

    GembillError                 exit 1
    ├── ConfigurationError       exit 2: a flag, variable or file that cannot be obeyed
    ├── PriceError               a price list contradicts itself
    ├── LedgerError              the store of records cannot be used as it is
    │   └── SchemaError          its schema is older or newer than this program
    ├── SpoolError               the local queue cannot be used
    │   └── SpoolUnwritable      it cannot take a record now (disk full, locked)
    ├── UpstreamError            the API could not be reached or broke off
    │   ├── UpstreamUnreachable  no connection, or it ended before an answer (502)
    │   ├── UpstreamTimeout      no answer in time (504)
    │   └── UpstreamCut          the answer broke off after it had begun
    ├── Undelivered              an alert did not arrive
    └── Refusal                  a request is not let in
"""


class GembillError(Exception):
    """Base of every error of ours; its text may be shown to a user as it is."""

    exit_code = 1


class ConfigurationError(GembillError):
    """A flag, an environment variable or a configuration file cannot be obeyed."""

    exit_code = 2


class PriceError(GembillError):
    """A price list is malformed or contradicts itself."""


class LedgerError(GembillError):
    """The ledger cannot be read or written as it is."""


class SchemaError(LedgerError):
    """The ledger's schema is not the one this program works with."""


class SpoolError(GembillError):
    """The spool cannot be opened or read."""


class SpoolUnwritable(SpoolError):
    """The spool cannot take a record now; nothing was written."""


class UpstreamError(GembillError):
    """The exchange with the upstream failed."""


class UpstreamUnreachable(UpstreamError):
    """No connection could be made, or it ended before the answer began."""


class UpstreamTimeout(UpstreamError):
    """The upstream did not answer in time."""


class UpstreamCut(UpstreamError):
    """The answer broke off after it had begun."""


class Undelivered(GembillError):
    """An alert did not arrive; the text names no secret."""


class Refusal(GembillError):
    """A request is not forwarded.

    `status` is the HTTP status of our answer, `reason` our machine-readable name for it (`GEMBILL_...`).
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
