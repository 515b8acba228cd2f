"""Names: new each time and with each start, and of no influence on an answer."""

import pytest

from gembill_simulator.names import IdFactory, id_text


def test_the_same_request_has_the_same_origin_and_another_draw() -> None:
    names = IdFactory(7)
    origin = names.origin("m", b"body")
    assert origin == names.origin("m", b"body") == IdFactory(7).origin("m", b"body")
    assert names.draw(origin) != names.draw(origin)
    assert IdFactory(7).draw(origin) == IdFactory(7).draw(origin)


def test_without_a_seed_no_start_repeats_the_names_of_another() -> None:
    starts = [IdFactory(None) for _ in range(3)]
    origin = starts[0].origin("m", b"body")
    draws = [names.draw(origin) for names in starts]
    assert len({draw[:16] for draw in draws}) == 3
    assert {draw[16:] for draw in draws} == {IdFactory(0).draw(origin)[16:]}, "the choice of a fault is that of seed 0"
    assert {names.origin("m", b"body") for names in starts} == {IdFactory(0).origin("m", b"body")}, "so is the answer"


def test_seed_place_and_body_decide_the_origin() -> None:
    assert len({IdFactory(seed).origin(place, body) for seed in (1, 2) for place in "ab" for body in (b"x", b"y")}) == 8


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "stream": true}', b'{"stream": true, "a": 1}', b'{"a": 1,"stream":false}', b'{"a": 1}']
)
def test_whether_an_answer_is_streamed_does_not_change_it(body: bytes) -> None:
    assert IdFactory(0).origin("m", body) == IdFactory(0).origin("m", b'{"a": 1}')


def test_two_names_of_one_origin_give_the_same_answer_where_they_are_mentioned() -> None:
    names = IdFactory(0)
    origin, other = names.origin("m", b"one"), names.origin("m", b"two")
    first, second = (names.give("v1_", names.draw(origin), origin) for _ in range(2))
    third = names.give("v1_", names.draw(other), other)
    assert len({first, second, third}) == 3
    mentioning = [names.origin("m", b'{"previous_interaction_id": "%b"}' % name.encode()) for name in (first, second)]
    assert mentioning[0] == mentioning[1] != names.origin("m", b'{"previous_interaction_id": "%b"}' % third.encode())


def test_an_unknown_name_is_a_text_like_others() -> None:
    names = IdFactory(0)
    names.give("files/", names.draw(b"o"), b"o")
    assert names.origin("m", b"files/aaaa") != names.origin("m", b"files/bbbb")


def test_names_have_the_form_of_their_kind() -> None:
    names = IdFactory(0)
    draw = names.draw(b"o")
    assert names.give("v1_", draw, b"o") == "v1_" + id_text(draw)
    assert len(id_text(draw)) == 22
    assert names.give("batches/", draw, b"o").removeprefix("batches/").isalnum()


def test_what_is_remembered_is_bounded() -> None:
    names = IdFactory(0)
    for number in range(5000):
        origin = names.origin("m", b"%d" % number)
        names.give("v1_", names.draw(origin), origin)
    assert len(names._origins) == len(names._repeats) == 4096
