"""Reports of a gembill ledger: rows, tables and receipts.

Owns: what people and scripts read. Owns no SQL and no rule of metering or rating.
"""
