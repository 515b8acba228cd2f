"""Dialects of the API: one file each, naming the fields it reads.

Owns: the meaning of JSON on the wire. `routes` says which request is a call, `request` what it asks for, `observation`
what all answers have in common, `token_counts` which numbers are accepted; then a file per dialect. Not here: byte
streams (`capture.documents`), records and prices. Invariant: pure; unknown fields, parts and words are tolerated, a
wrong number never becomes a right one.
"""
