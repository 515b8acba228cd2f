"""Prices: the list, a check of it, what calls would cost otherwise, and what new prices changed.

Owns: what `gembill prices`, `compare`, `rerate` and `repost` show. Owns no price and no rule of rating.
"""
