"""The demo: a made-up month, and calls that the official SDK makes to the simulator.

Owns: what the demo's data is. Not here: the command (`gembill.cli.demo`). Invariant: the made-up month is the same on
every machine, and says on every page that it is made up.
"""
