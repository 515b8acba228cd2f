"""The Interactions API of the simulator (wire.md 2).

Owns: creating, reading, streaming, resuming, cancelling and deleting interactions, for models and agents, in the schema
of the google-genai SDK 3.x and, on demand, in the one before it. Not here: the answer. Invariant: an interaction's
usage is the same in every place and as often as it is read; zeros are sent.
"""

from gembill_simulator.interactions.api import InteractionsApi

__all__ = ["InteractionsApi"]
