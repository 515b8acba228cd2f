"""The spool: the local durable queue of one process, between the calls and the ledger.

Owns: its directory, its files and its one writing thread. Owns no meaning of what it holds and no posting. Invariant:
what was acknowledged is on disk, and is given to the ledger in order.

`spool` is the door. Behind it: `home` (directory, lock, cursor), `shelf` (the row of segments), `segment` (one SQLite
file), `writer` (the thread), `ticket` (what waits for it), `walfile` (how far a write-ahead log got).
"""

from gembill.spool.spool import Backlog, Damage, Interrupted, SegmentEntry, Spool, SpoolOptions

__all__ = ["Backlog", "Damage", "Interrupted", "SegmentEntry", "Spool", "SpoolOptions"]
