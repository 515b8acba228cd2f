"""Dialects of the API: one file each, naming the fields it reads.

Owns: the meaning of JSON on the wire: `path` which request is a call, `request` what it asks for, `sighting` what all
answers have in common, `count` how a number is believed, and a file per dialect. Owns no byte stream, no record and no
price. Invariant: pure; unknown fields, parts and words are tolerated, a wrong number never becomes a right one.
"""
