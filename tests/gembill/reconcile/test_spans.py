"""Days are compared one by one unless a line covers several, and not before they are settled."""

from gembill.reconcile.spans import Spans


def test_lines_of_several_days_join_them_and_days_without_lines_are_their_own():
    spans = Spans.of([(10, 10), (12, 14), (14, 15)], 100)
    assert spans.starts == {10: 10, 11: 11, 12: 15}
    assert [spans.of_day(day) for day in (9, 10, 11, 13, 15, 16)] == [None, 10, 11, 12, 12, None]
    assert (spans.range, spans.following) == ((10, 15), {10: 11, 11: 12})


def test_a_day_is_open_until_48_hours_after_its_end():
    spans = Spans.of([(10, 10), (11, 11)], 13)
    assert (spans.starts, spans.open_days) == ({10: 10}, (11,))
    assert Spans.of([], 13).range is None
