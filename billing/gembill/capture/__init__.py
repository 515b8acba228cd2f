"""Capture: what stands between a caller and the API, and keeps what it saw.

Owns: the proxy (front door, relay, upstream), the observation of one exchange, and the durable spool. Owns no meaning
of a token count, no money and no ledger. Invariant: bytes are altered nowhere, only the end of an answer is delayed,
and a call is refused only before money is spent.
"""
