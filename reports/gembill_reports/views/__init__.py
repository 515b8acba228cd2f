"""How values are shown: one file an analysis, as table, JSON, CSV, Markdown.

Owns: columns, words and order. Not here: any calculation (`gembill_reports.analysis`).
"""
