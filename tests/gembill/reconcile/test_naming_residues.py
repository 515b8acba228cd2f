"""Names are given by proof, and an odd token stays without one."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gembill.model import Modality
from gembill.reconcile.cell import BillMeter, Cell
from gembill.reconcile.naming_residues import Evidence, name_gaps

IN = Cell(1, "m", "standard", BillMeter.INPUT, Modality.TEXT, long=False)
OUT = IN._replace(meter=BillMeter.OUTPUT)


def named(gaps, **evidence):
    cells = list(gaps)
    facts = {"billed": cells, "ours": cells, **evidence}
    names = Counter()
    for name, _, amount in name_gaps(gaps, Evidence(**facts)):
        names[str(name)] += abs(amount)
    return dict(names)


def test_tokens_that_come_out_even_in_another_cell_are_a_move():
    assert named({IN: 5, IN._replace(tier="flex"): -5}) == {"tier": 10}
    assert named({IN: 5, IN._replace(long=True): -5}) == {"band": 10}
    assert named({IN: 5, IN._replace(meter=BillMeter.CACHED): -5}) == {"cached": 10}
    assert named({IN: 5, IN._replace(kind=Modality.IMAGE): -5}) == {"kind": 10}
    assert named({IN: 5, IN._replace(model="n"): -5}) == {"model_alias": 10}


def test_tokens_and_fees_of_another_place_are_a_move_before_all_others():
    here, there = IN._replace(project="a", location="x"), IN._replace(project="b", location="x")
    assert named({here: 5, there: -5}) == {"project": 10}
    assert named({here: 5, here._replace(location="y"): -5}) == {"location": 10}
    search = here._replace(meter=BillMeter.SEARCH)
    assert named({search: 5, search._replace(project="b"): -5}) == {"project": 10}
    assert named({here: 5, there: -5, here._replace(tier="flex"): -5}) == {"project": 10, "unexplained": 5}
    assert named({here: 6, there: -5}) == {"unexplained": 11}
    assert named({here: 5, there._replace(tier="flex"): -5}) == {"unexplained": 10}


def test_calls_of_somebody_else_are_of_one_project_and_an_alias_may_be_of_many():
    here, there = IN._replace(project="a"), OUT._replace(project="b")
    assert named({here: 7, there: 2}) == {"unexplained": 9}
    assert named({here: 7, here._replace(meter=BillMeter.OUTPUT): 2}) == {"unrecorded": 9}
    assert named({here: 7, here._replace(meter=BillMeter.OUTPUT): 2}, unknown=[(1, "m", "standard")]) == {
        "unknown_usage": 9
    }
    assert named({here: -3, IN._replace(project="b"): -2, IN._replace(model="n"): 5}) == {"model_alias": 10}


def test_a_move_that_does_not_come_out_even_proves_nothing():
    assert named({IN: 6, IN._replace(tier="flex"): -5}) == {"unexplained": 11}
    assert named({IN: 5, OUT: -5}) == {"unexplained": 10}


def test_calls_of_somebody_else_have_a_prompt_and_an_answer():
    assert named({IN: 7, OUT: 2}) == {"unrecorded": 9}
    assert named({IN: -7, OUT: -2}) == {"missing_on_bill": 9}
    assert named({IN: 1}) == {"unexplained": 1}
    assert named({IN: 1}, ours=[]) == {"unrecorded": 1}
    assert named({OUT: -1}, billed=[]) == {"missing_on_bill": 1}


def test_calls_of_ours_that_are_not_known_whole_come_before_a_stranger():
    key = (1, "m", "standard")
    assert named({IN: 7, OUT: 2}, unknown=[key]) == {"unknown_usage": 9}
    assert named({OUT: 2}, partial=[key]) == {"partial": 2}


def test_midnight_moves_no_more_than_was_near_it():
    after = IN._replace(span=2)
    order = {"next_span": {1: 2}}
    assert named({IN: -5, after: 5}, edges={IN: (0, 5)}, **order) == {"day_edge": 10}
    assert named({IN: 5, after: -5}, edges={after: (5, 0)}, **order) == {"day_edge": 10}
    assert named({IN: -5, after: 5}, edges={IN: (0, 4)}, **order) == {"unexplained": 10}


def test_what_no_call_counts_has_names_of_its_own():
    assert named({IN._replace(meter=BillMeter.SEARCH): 5}) == {"grounding_count": 5}
    assert named({IN._replace(meter=BillMeter.STORAGE): 5}) == {"not_metered": 5}


cells = st.builds(
    Cell,
    st.integers(1, 3),
    st.sampled_from("mn"),
    st.sampled_from(["standard", "flex"]),
    st.sampled_from(list(BillMeter)),
    st.sampled_from([Modality.TEXT, Modality.IMAGE]),
    long=st.booleans(),
    project=st.sampled_from(["", "a", "b"]),
    location=st.sampled_from(["", "x"]),
)


@given(st.dictionaries(cells, st.integers(-3, 3)))
def test_every_gap_is_named_exactly_once(gaps):
    evidence = Evidence(billed=list(gaps), ours=list(gaps), edges=dict.fromkeys(gaps, (2, 2)), next_span={1: 2, 2: 3})
    sums = Counter()
    for _, cell, amount in name_gaps(gaps, evidence):
        sums[cell] += amount
    assert {cell: amount for cell, amount in sums.items() if amount} == {c: gap for c, gap in gaps.items() if gap}
