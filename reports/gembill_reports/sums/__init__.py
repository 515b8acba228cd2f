"""Calls of a period summed up: rows, their table, the period before, and what is to come.

Owns: what `gembill report` shows. Owns no SQL, no drawing and no page.
"""
