"""Faults: their names, their choice, and what they leave of an answer."""

import pytest

from gembill.errors import ConfigurationError
from gembill_simulator.faults import STATUSES, Delivery, InjectedFault, parse, pick, refusal, spoil

_FRAMES = [b'data: {"a":1}\r\n\r\n', b'data: {"b":2}\r\n\r\n', b'data: {"c":3}\r\n\r\n']


def test_a_fault_is_read_with_and_without_a_rate() -> None:
    assert parse("503:0.25") == InjectedFault("503", 0.25)
    assert parse("cut") == InjectedFault("cut", 1.0)


@pytest.mark.parametrize("text", ["418", "503:2", "503:x", "503:", "503:nan", "503:-1", ""])
def test_an_unknown_fault_or_rate_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse(text)


def test_rates_share_the_range_out_in_their_order() -> None:
    faults = [InjectedFault("429", 0.25), InjectedFault("cut", 0.25)]
    assert [pick(faults, lot) for lot in (0.0, 0.24, 0.25, 0.49, 0.5, 0.99)] == ["429", "429", "cut", "cut", "ok", "ok"]


@pytest.mark.parametrize("name", sorted(STATUSES))
def test_a_status_fault_is_an_error_in_googles_shape(name: str) -> None:
    refused = refusal(name, "")
    assert refused is not None
    status, document = refused
    assert str(status) == name.partition("_")[0]
    assert document["error"]["code"] == status
    assert document["error"]["status"].isupper()


def test_the_echoed_key_is_in_the_error_and_other_faults_refuse_nothing() -> None:
    refused = refusal("echo_key", "sesame")
    assert refused is not None
    assert "sesame" in refused[1]["error"]["message"]
    assert refusal("cut", "sesame") is None
    assert refusal("ok", "sesame") is None


def test_a_cut_keeps_the_first_half_and_breaks() -> None:
    assert spoil("cut", _FRAMES, trouble=b"!", streamed=True) == Delivery(tuple(_FRAMES[:2]), whole=False, breaks=True)
    assert spoil("cut", [b"123456"], trouble=b"!", streamed=False).frames == (b"123",)


def test_garbage_breaks_one_chunk_of_a_stream_or_the_whole_text() -> None:
    streamed = spoil("garbage", _FRAMES, trouble=b"!", streamed=True)
    assert streamed.frames[1] != _FRAMES[1]
    assert streamed.frames[1].startswith(b"data: {")
    assert streamed.frames[1].endswith(b"\r\n\r\n")
    assert streamed.whole
    assert not spoil("garbage", [b'{"a":1}'], trouble=b"!", streamed=False).whole


def test_an_error_chunk_ends_the_stream_and_no_fault_leaves_it_alone() -> None:
    assert spoil("error_chunk", _FRAMES, trouble=b"!", streamed=True) == Delivery((*_FRAMES[:2], b"!"), whole=False)
    assert spoil("ok", _FRAMES, trouble=b"!", streamed=True) == Delivery(tuple(_FRAMES))
