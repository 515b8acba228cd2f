"""All scenarios, in the registry once this is imported."""

from tests.faults import clocks_and_clones, disks, flips, kills, proofs, soak, traffic

LOADED = (clocks_and_clones, disks, flips, kills, proofs, soak, traffic)
