"""What is calculated from the ledger: reports, receipts, forecasts, comparisons, price checks.

Owns: frozen values. Not here: SQL (`gembill.ledger`), rules (`gembill.rules`), drawing (`gembill_reports.views`).
"""
