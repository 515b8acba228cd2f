"""Natural keys: the same thing has the same identity everywhere."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gembill.rules.identity import natural


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_the_same_key_gives_the_same_identity_in_a_reserved_source(parts):
    source_id, record_id = natural("interaction", *parts)
    assert (source_id, record_id) == natural("interaction", *parts)
    assert -64 <= source_id <= -1
    assert str(UUID(record_id)) == record_id
    assert natural("batch", *parts) != (source_id, record_id)


def test_an_identity_never_changes():
    assert natural("interaction", "gemini", "v1_abc") == (-6, "d4ca2105-a9cf-5f5a-a1f5-48145083fbc5")


def test_keys_spread_over_the_sources():
    assert len({natural("import", str(n))[0] for n in range(2_000)}) == 64
