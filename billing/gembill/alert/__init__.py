"""Alerts: telling people that a budget crossed a threshold, once.

Owns: what is worth an alert (`message`), the ways to send it (`webhook`, `notify`), and the looking (`watch`). Not
here: rules of budgets, and SQL (the ledger's `alerts` has who sends what). Invariant: nothing here is on the path of a
call.
"""
