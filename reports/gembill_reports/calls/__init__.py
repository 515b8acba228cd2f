"""Calls one by one: the list of records, and the receipt that explains one.

Owns: what `gembill records` and `gembill receipt` show. Owns no sum over calls and no price.
"""
