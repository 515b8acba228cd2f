"""A model is told apart by place only where both sides can say the place."""

import pytest

from gembill.reconcile.places import Place, Places


def parted(billed: list[str | None], ours: list[str | None]) -> bool:
    """Whether these projects, and as locations these names, part a model; both have to agree."""
    by_project = Places.of(
        [Place("m", name, None) for name in billed], [Place("m", name, None) for name in ours]
    ).by_project
    by_location = Places.of(
        [Place("m", None, name) for name in billed], [Place("m", None, name) for name in ours]
    ).by_location
    assert by_project == by_location
    return by_project == {"m"}


@pytest.mark.parametrize(("billed", "ours"), [(["a", "b"], ["a", "b"]), (["a", "b"], ["a"]), (["a"], ["b", "a"])])
def test_two_places_of_which_both_sides_name_one_part_a_model(billed: list[str], ours: list[str]) -> None:
    assert parted([*billed], [*ours])


@pytest.mark.parametrize(
    ("billed", "ours"),
    [
        (["a"], ["a"]),  # one place: rows without need
        (["1234", "5678"], ["a", "b"]),  # numbers of projects beside their ids
        (["a", "b", None], ["a", "b"]),
        (["a", "b"], ["a", "b", None]),
        (["a", "b", ""], ["a", "b"]),
        ([None], ["a", "b"]),  # a report
        (["a", "b"], [None]),  # keys of the Gemini API
        (["a", "b"], []),
        ([], ["a", "b"]),
    ],
)
def test_what_a_side_cannot_say_parts_nothing(billed: list[str | None], ours: list[str | None]) -> None:
    assert not parted(billed, ours)


def test_models_are_parted_each_on_its_own_and_places_have_names_only_there() -> None:
    sides = [Place("m", "a", "us"), Place("m", "b", "us"), Place("n", "a", None), Place("n", "b", "us")]
    places = Places.of(sides, sides)
    assert (places.by_project, places.by_location) == ({"m", "n"}, frozenset())
    assert places.named(Place("m", "a", "us")) == ("a", "")
    assert places.named(Place("o", "a", "us")) == ("", "")
    assert places
    assert not Places()
