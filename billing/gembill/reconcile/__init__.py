"""Google's own words for what it charges: the SKUs of its catalogue and of a bill.

Owns: how an SKU's text is read. Not here: prices (`gembill.rules.prices`) and the ledger. Invariant: every word of an
SKU is accounted for, or the SKU is unknown and says which words are left over.
"""
