"""Calls of declared functions."""

from gembill_simulator.calls import Function, arguments, choose

WEATHER = Function("get_current_weather", {"type": "object", "properties": {"city": {"type": "string"}}})
LAMP = Function("setLamp", {"type": "OBJECT", "properties": {"level": {"type": "INTEGER"}, "on": {"type": "BOOLEAN"}}})


def test_the_function_that_shares_a_word_with_the_question_is_called() -> None:
    assert choose([LAMP, WEATHER], "What is the weather in Boston?", forced=False) is WEATHER
    assert choose([LAMP, WEATHER], "Switch the lamp off", forced=False) is LAMP


def test_another_question_calls_none_unless_a_call_is_forced() -> None:
    assert choose([LAMP, WEATHER], "Tell me a story", forced=False) is None
    assert choose([LAMP, WEATHER], "Tell me a story", forced=True) is LAMP
    assert choose([], "Tell me a story", forced=True) is None


def test_arguments_come_from_the_question_in_the_types_declared() -> None:
    assert arguments(WEATHER, "What is the weather in New Boston?") == {"city": "Boston"}
    assert arguments(LAMP, "Set the lamp to 40") == {"level": 40, "on": True}
    assert arguments(Function("f", {}), "x") == {}
    assert arguments(Function("f", {"properties": {"a": None}}), "x") == {"a": "example"}
