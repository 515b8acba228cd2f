"""The spool: the local durable queue of one process, between the calls and the ledger.

Owns: its directory, its files, its one writing thread, and reading them in another process. Not here: the meaning of
what it holds, and posting. Invariant: what was acknowledged is on disk, and is given to the ledger in order.

`spool` is the way in for who writes, `reader` for who posts, `kept` for who fills a ledger again. Behind them:
`directory` (lock), `segments` (all of them in their order), `segment` (one file), `frames` (its bytes), `writer` (the
thread), `write_request` (what waits for it), `patience` (for how long), `upgrade` and `wal_frames` (segments of gembill
0.2).
"""

from gembill.spool.directory import SpoolDirectory, leave
from gembill.spool.kept import KeptSpool, kept_spools
from gembill.spool.reader import SpoolReader
from gembill.spool.salvage import Salvage, salvage
from gembill.spool.spool import Backlog, Damage, Interrupted, SegmentEntry, Spool, SpoolOptions
from gembill.spool.survey import SpoolSurvey, read_unposted, survey_spools

__all__ = [
    "Backlog",
    "Damage",
    "Interrupted",
    "KeptSpool",
    "Salvage",
    "SegmentEntry",
    "Spool",
    "SpoolDirectory",
    "SpoolOptions",
    "SpoolReader",
    "SpoolSurvey",
    "kept_spools",
    "leave",
    "read_unposted",
    "salvage",
    "survey_spools",
]
