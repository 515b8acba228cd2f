"""Capture: what is between a caller and the API, and records what passes.

Owns: the proxy (server, admission, relay), the observation of one exchange, and its recording. Not here: the meaning of
a token count, money and the ledger; the durable queue is `spool`, the client towards the API `upstream`. Invariant:
bytes are altered nowhere, only the end of an answer is delayed, and a call is refused only before money is spent.
"""
