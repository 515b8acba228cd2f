"""Bodies made from requests, without a socket."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill_simulator import request
from gembill_simulator.answer import NO_OVERRIDES, Overrides
from gembill_simulator.fields import decode
from gembill_simulator.frames import Packer, Reply
from gembill_simulator.frames import reply as reply_to
from gembill_simulator.routes import SimulatorRoute, find
from gembill_simulator.wire import Stamp

_BODY = b'{"contents":[{"parts":[{"text":"Plot 50 squares"}]}],"tools":[{"code_execution":{}}]}'
_STREAM = find("POST", "/v1/models/gemini-2.5-flash:streamGenerateContent")
_UNARY = find("POST", "/v1/models/gemini-2.5-flash:generateContent")


def reply(route: SimulatorRoute, body: bytes, *, overrides: Overrides = NO_OVERRIDES, fault: str = "ok") -> Reply:
    return reply_to(route, request.read(decode(body)), Stamp("r"), seed=b"", overrides=overrides, fault=fault)


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=8))
def test_every_packed_frame_can_be_read_when_it_arrives(frames: list[bytes]) -> None:
    packer, reader = Packer(gzip=True), zlib.decompressobj(wbits=31)
    for frame in frames[:-1]:
        assert reader.decompress(packer.pack(frame)) == frame
    assert reader.decompress(packer.finish(frames[-1])) == frames[-1]
    assert reader.eof


def test_an_array_joins_to_json_and_its_usage_is_that_of_its_last_element() -> None:
    made = reply(_STREAM, _BODY)
    assert json.loads(b"".join(made.frames))[-1]["usageMetadata"] == made.usage
    assert made.tier == "standard"


def test_a_long_text_leaves_in_several_frames() -> None:
    many = Overrides(runs=("plot",) * 40)
    made = reply(_UNARY, _BODY, overrides=many)
    assert len(made.frames) > 1
    assert json.loads(b"".join(made.frames))["usageMetadata"] == made.usage


@pytest.mark.parametrize("fault", ["cut", "error_chunk"])
def test_a_spoilt_answer_carries_no_final_usage(fault: str) -> None:
    assert reply(_STREAM, _BODY, fault=fault).usage is None
