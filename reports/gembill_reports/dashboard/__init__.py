"""The dashboard: pages over a ledger, for a browser on the same machine.

Owns: pages, their addresses and how they are kept safe (`guard`). Not here: sums, SQL and charts, which are
`gembill_reports.analysis.report`, `gembill.ledger` and `gembill_reports.charts`. Invariant: GET only; a page shows what
its address says, and the same address with `.json` or `.csv` holds the same numbers.
"""
