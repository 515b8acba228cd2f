from hypothesis import given
from hypothesis import strategies as st

from gembill.ledger.correction import correction, net

LINES = st.tuples(
    st.sampled_from(["input", "output"]), st.just("text"), st.integers(0, 2), st.sampled_from(["p1", "p2"])
)
NETS = st.dictionaries(LINES, st.integers(1, 9))


@given(NETS, NETS)
def test_old_charges_and_the_correction_add_up_to_the_new_ones(old: dict, new: dict) -> None:
    assert net([*old.items(), *correction(old, new)]) == new


@given(NETS, NETS)
def test_lines_that_stay_are_left_alone_and_reversals_come_first(old: dict, new: dict) -> None:
    lines = correction(old, new)
    assert not {line for line, _ in lines} & {line for line in old if old[line] == new.get(line)}
    signs = [quantity > 0 for _, quantity in lines]
    assert signs == sorted(signs)


def test_lines_that_came_to_nothing_are_left_out() -> None:
    line = ("input", "text", 5, "p1")
    assert net([(line, 3), (line, -3)]) == {}
