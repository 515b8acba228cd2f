"""Which turn a request repeats: told by digests, whatever else the chat is about."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from gembill.wire import generate_content
from gembill.wire.observation import Observation
from gembill.wire.request import request_facts
from gembill.wire.turns import Said, Turn, turns

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text}]}


def model(*texts: str) -> dict[str, Any]:
    return {"role": "model", "parts": [{"text": text} for text in texts]}


def of(*contents: dict[str, Any]):
    return request_facts(json.dumps({"contents": contents}).encode(), "m")[1]


def answered(*documents: list[dict[str, Any]]) -> bytes | None:
    """The digest of an answer that came in these documents, each with its parts."""
    turn = said(*documents).turn(b"")
    return None if turn is None else turn.answer


def said(*documents: list[dict[str, Any]]) -> Said:
    observation = Observation()
    for parts in documents:
        document = {"candidates": [{"content": {"role": "model", "parts": parts}}]}
        generate_content.observe(json.dumps(document, ensure_ascii=False).encode(), observation)
    return observation.said


def test_a_request_goes_on_from_the_prompt_and_answer_that_it_repeats() -> None:
    first, later = of(user("one")), of(user("one"), model("a"), user("two"))
    assert first.before is None
    assert later.before == Turn(first.prompt, answered([{"text": "a"}]))
    third = of(user("one"), model("a"), user("two"), model("b"), user("three"))
    assert third.before == Turn(later.prompt, answered([{"text": "b"}]))


@given(st.lists(TEXT, min_size=1, max_size=4), st.lists(TEXT, min_size=1, max_size=4), st.integers(0, 3))
def test_an_answer_is_known_again_however_it_was_cut(streamed: list[str], sent_back: list[str], contents: int) -> None:
    same = "".join(streamed)
    came = answered(*([{"text": piece}, {"text": "hm", "thought": True}] for piece in streamed))
    pieces = [model(same[:at], "", same[at:]) for at in [min(contents, len(same))]]
    split = [model(piece) for piece in streamed]  # the SDK for Python keeps a content for each chunk
    for history in (pieces, split, [model(same)]):
        assert of(user("one"), *history, user("two")).before == Turn(of(user("one")).prompt, came)
    other = of(user("one"), model(*sent_back), user("two")).before
    assert (other == Turn(of(user("one")).prompt, came)) == ("".join(sent_back) == same)


@given(st.lists(TEXT, min_size=1, max_size=3), st.lists(TEXT, min_size=1, max_size=3))
def test_other_prompts_have_other_digests(one: list[str], other: list[str]) -> None:
    assert (of(*map(user, one)).prompt == of(*map(user, other)).prompt) == (one == other)


def test_code_and_thinking_are_no_part_of_an_answer_because_clients_drop_them() -> None:
    run = [{"executableCode": {"code": "1"}}, {"codeExecutionResult": {"output": "1"}}]
    assert answered([*run, {"text": "a"}]) == answered([{"text": "a"}])
    assert answered(run) is None
    history = {"role": "model", "parts": [*run, {"text": "a"}]}
    assert of(user("one"), history, user("two")).before.answer == answered([{"text": "a"}])


def test_calls_of_functions_are_part_of_it_with_their_arguments() -> None:
    def call(name: str, **arguments: object) -> dict[str, Any]:
        return {"functionCall": {"name": name, "args": arguments}}

    came = answered([call("f", a=1, b=2)])
    back = {"role": "model", "parts": [{"functionCall": {"args": {"b": 2, "a": 1}, "name": "f", "id": "x"}}]}
    assert of(user("one"), back, user("result")).before.answer == came
    assert len({came, answered([call("f", a=2, b=2)]), answered([call("g", a=1, b=2)]), answered([{"text": "f"}])}) == 4


def test_arguments_that_cannot_be_written_cost_nothing() -> None:
    deep: object = []
    for _ in range(100_000):
        deep = [deep]
    for odd in (deep, "half of \ud83d", 2**80, object()):
        spoken = Said()
        spoken.add_call("f", odd)
        assert spoken.turn(b"") is not None


def test_an_answer_that_is_to_be_gone_on_with_is_not_the_one_before() -> None:
    assert of(user("one"), model("a")).before is None
    expected = Turn(of(user("one")).prompt, answered([{"text": "a"}]))
    assert of(user("one"), model("a"), user("two"), model("b")).before == expected


def test_what_begins_with_an_answer_goes_on_from_nothing() -> None:
    assert of(model("a"), user("one")).before is None
    assert of(user("one"), {"role": "model", "parts": []}, user("two")).before is None
    assert of() is None


@given(
    st.lists(
        st.sampled_from([b"1", b"{}", b'{"role": "model"}', b'{"role": "user"}', b'{"role": ["model"]}', b"[", b""])
    )
)
def test_no_content_makes_it_raise(contents: list[bytes]) -> None:
    from gembill.wire.request import _read

    turns([Raw(one) for one in contents], _read)


def test_only_the_first_candidate_is_what_a_client_sends_back() -> None:
    observation = Observation()
    parts = [{"content": {"parts": [{"text": text}]}, "index": n} for n, text in enumerate("ab")]
    generate_content.observe(json.dumps({"candidates": parts}).encode(), observation)
    assert observation.said.turn(b"") == said([{"text": "a"}]).turn(b"")


def test_signatures_are_marks_of_an_answer_wherever_they_are_and_a_few_are_enough() -> None:
    signed = [{"text": "a", "thoughtSignature": f"s{n}"} for n in range(9)]
    came = said(*([part] for part in signed)).turn(of(user("one")).prompt)
    assert len(came.marks) == 4
    assert of(user("one"), {"role": "model", "parts": signed}, user("two")).before == came
    assert set(said([signed[1]]).turn(b"").marks) < set(came.marks)
    one, other = ({"text": "a", "thoughtSignature": text} for text in ("a+b/c=", "a-b_c"))
    assert said([one]).turn(b"") == said([other]).turn(b""), "the SDK for Python changes the alphabet"
    assert said([{"text": "a", "thoughtSignature": 5}]).turn(b"").marks == ()
