"""Identities that follow from what a record is about, so that whoever meets it again meets the same row.

Owns: how a natural key (contract.md, Identity) becomes a source and an id. Not here: what has a natural key.
Invariant: the same kind and parts give the same identity on every machine, forever.
"""

from uuid import UUID, uuid5

SOURCES = 64
_NAMESPACE = UUID("5d2cf1f4-6c1b-4d0e-9a53-8f3f0c6f2b11")


def natural(kind: str, *parts: str) -> tuple[int, str]:
    """The `(source_id, id)` of a natural key: a source of -1 to -64 and a UUID, both from the key's hash."""
    key = str(uuid5(_NAMESPACE, "\0".join((kind, *parts))))
    return reserved_source(key), key


def reserved_source(record_id: str) -> int:
    """The reserved source of a record that has this id wherever it is met. ValueError if it is not a UUID."""
    return -1 - UUID(record_id).int % SOURCES
