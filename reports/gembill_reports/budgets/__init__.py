"""Budgets: where they stand, what they were spent on, and the forms that CI systems read.

Owns: what `gembill budget` and `gembill run` show. Owns no rule of budgets.
"""
