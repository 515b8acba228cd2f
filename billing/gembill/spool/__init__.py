"""The spool: the local durable queue of one process, between the calls and the ledger.

Owns: its directory, its files and its one writing thread. Not here: the meaning of what it holds, and posting.
Invariant: what was acknowledged is on disk, and is given to the ledger in order.

`spool` is the way in. Behind it: `directory` (lock and cursor), `segments` (all of them in their order), `segment` (one
SQLite file), `writer` (the thread), `write_request` (what waits for it), `wal_frames` (how far a write-ahead log got).
"""

from gembill.spool.spool import Backlog, Damage, Interrupted, SegmentEntry, Spool, SpoolOptions

__all__ = ["Backlog", "Damage", "Interrupted", "SegmentEntry", "Spool", "SpoolOptions"]
