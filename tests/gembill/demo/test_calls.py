"""The demo's calls, as the simulator sees them."""

import struct
import zlib
from collections import Counter

import pytest

from gembill.demo.calls import MODELS, make_calls, tiny_png
from gembill_simulator import Options, Simulator, in_thread
from gembill_simulator.server import Served
from tests.png import chunks


@pytest.fixture(scope="module")
def made() -> tuple[int, list[Served]]:
    """How many calls were made, as reported, and the simulator's own log of them."""
    with in_thread(Simulator(Options(seed=7))) as running:
        reported = make_calls(running.url)
    return reported, list(running.served)


def test_it_makes_as_many_calls_as_it_says(made: tuple[int, list[Served]]) -> None:
    reported, served = made
    assert reported == len(served) > 24
    assert all(call.usage is not None for call in served), "each was answered to its end"


def test_every_model_is_asked_the_same_both_at_once_and_streamed(made: tuple[int, list[Served]]) -> None:
    paths = Counter(call.path.partition("/models/")[2] for call in made[1])
    kinds = ("generateContent", "streamGenerateContent")
    assert set(paths) == {f"{model}:{kind}" for model in MODELS for kind in kinds}
    for kind in kinds:
        assert len({paths[f"{model}:{kind}"] for model in MODELS}) == 1


def test_code_runs_and_an_image_goes_in_on_every_model(made: tuple[int, list[Served]]) -> None:
    usages = [call.usage or {} for call in made[1]]
    assert sum("toolUsePromptTokenCount" in usage for usage in usages) > len(usages) // 2
    kinds = [{detail["modality"] for detail in usage["promptTokensDetails"]} for usage in usages]
    assert sum("IMAGE" in each for each in kinds) == len(MODELS)


@pytest.mark.parametrize("side", [1, 16, 300])
def test_the_picture_is_a_grey_square(side: int) -> None:
    (ihdr, header), (idat, data), end = chunks(tiny_png(side))
    assert (ihdr, idat, end) == (b"IHDR", b"IDAT", (b"IEND", b""))
    depth, grey, deflate, adaptive, progressive = 8, 0, 0, 0, 0
    assert struct.unpack(">IIBBBBB", header) == (side, side, depth, grey, deflate, adaptive, progressive)
    rows = zlib.decompress(data)
    assert len(rows) == side * (1 + side)
    assert set(rows[:: 1 + side]) == {0}, "no row is filtered"
    assert rows.count(0x99) == side * side
