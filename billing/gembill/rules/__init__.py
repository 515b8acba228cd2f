"""The rules of billing: what a call used, what that costs, and what a budget says to it.

Not here: files, clocks, network, databases; what a rule needs arrives as a value. Owns: rules and nothing else.
Invariant: the same values give the same answer, today and at a replay.
"""
