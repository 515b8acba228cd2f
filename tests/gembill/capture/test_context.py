"""What is remembered of caches and batches, and its bound."""

import pytest

from gembill.capture import context as module
from gembill.capture.context import ContextCache, Submitted
from gembill.model import Api


def submitted(declared: bytes = b"") -> Submitted:
    return Submitted(occurred_us=1, key=None, labels={}, labels_cut=False, model=None, declared=declared)


def test_names_belong_to_their_family_and_a_later_note_replaces_one():
    memory = ContextCache()
    memory.note_cached(Api.GEMINI, "c", declared=True)
    assert (memory.cached(Api.GEMINI, "c"), memory.cached(Api.VERTEX, "c"), memory.cached(Api.GEMINI, "d")) == (
        True,
        None,
        None,
    )
    memory.note_cached(Api.GEMINI, "c", declared=False)
    assert memory.cached(Api.GEMINI, "c") is False


def test_the_oldest_names_are_forgotten(monkeypatch):
    monkeypatch.setattr(module, "MAX_NAMES", 3)
    memory = ContextCache()
    for n in range(5):
        memory.note_cached(Api.GEMINI, f"c{n}", declared=True)
        memory.note_batch(Api.GEMINI, f"b{n}", submitted())
    assert [memory.cached(Api.GEMINI, f"c{n}") for n in range(5)] == [None, None, True, True, True]
    assert [memory.batch(Api.GEMINI, f"b{n}") is not None for n in range(5)] == [False, False, True, True, True]


def test_large_batches_push_out_older_ones(monkeypatch):
    monkeypatch.setattr(module, "MAX_ENTRIES", 10)
    memory = ContextCache()
    for n in range(3):
        memory.note_batch(Api.GEMINI, f"b{n}", submitted(bytes(4)))
    assert [memory.batch(Api.GEMINI, f"b{n}") is not None for n in range(3)] == [False, True, True]
    memory.note_batch(Api.GEMINI, "b2", submitted(bytes(6)))
    assert memory.batch(Api.GEMINI, "b1") is not None
    memory.note_batch(Api.GEMINI, "huge", submitted(bytes(11)))
    assert memory.batch(Api.GEMINI, "huge") is None


def test_a_batch_is_unread_until_its_results_pass_or_it_is_forgotten(monkeypatch):
    monkeypatch.setattr(module, "MAX_NAMES", 3)
    memory = ContextCache()
    memory.note_unread(Api.GEMINI, "nobody's")
    for n in range(5):
        memory.note_batch(Api.GEMINI, f"b{n}", submitted())
        memory.note_unread(Api.GEMINI, f"b{n}")
    memory.note_read(Api.VERTEX, "b3")
    assert memory.unread_batches == ("b2", "b3", "b4")
    memory.note_read(Api.GEMINI, "b3")
    memory.note_read(Api.GEMINI, "b0")
    assert memory.unread_batches == ("b2", "b4")


@pytest.mark.parametrize(
    ("key", "declared"),
    [("0", False), ("1", True), ("2", None), ("-1", None), ("x", None), ("\u0661", None), ("9" * 40, None)],
)
def test_a_place_in_a_batch_says_what_its_request_declared(key, declared):
    assert submitted(b"\0\1").declares(key) is declared
