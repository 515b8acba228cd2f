"""Calls and charges as files for other programs.

Owns: the forms of `gembill export`. Not here: sums.
"""
