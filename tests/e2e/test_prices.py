"""The recorded calls R1 to R7 of the price facts cost their reference exactly, through the proxy."""

import json
from decimal import Decimal

import pytest

from tests.e2e.player import Player, Reply

FLASH_25 = {"input": Decimal("0.30"), "output": Decimal("2.50")}
FLASH_3 = {"input": Decimal("0.50"), "output": Decimal("3.00")}
CALLS = [  # name, model, prices per million, prompt, candidates, thoughts, tool use, reference
    ("R1", "gemini-2.5-flash", FLASH_25, 32, 341, 103, 720, "0.0013356"),
    ("R2", "gemini-2.5-flash", FLASH_25, 32, 441, 240, 764, "0.0019413"),
    ("R3", "gemini-2.5-flash", FLASH_25, 75, 414, 117, 573, "0.0015219"),
    ("R4", "gemini-3-flash-preview", FLASH_3, 257, 170, 773, 1732, "0.0038235"),
    ("R5", "gemini-3-flash-preview", FLASH_3, 893, 106, 1312, 3056, "0.0062285"),
    ("R6", "gemini-3-flash-preview", FLASH_3, 147, 108, 168, 360, "0.0010815"),
    ("R7", "gemini-3-flash-preview", FLASH_3, 343, 82, 159, 877, "0.0013330"),
]
MILLION = 1_000_000


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_a_recorded_call_costs_its_reference_to_the_last_digit(call, recording):
    _, model, price, prompt, candidates, thoughts, tool_use, reference = call
    usage = {
        "promptTokenCount": prompt, "candidatesTokenCount": candidates, "thoughtsTokenCount": thoughts,
        "toolUsePromptTokenCount": tool_use, "totalTokenCount": prompt + candidates + thoughts + tool_use,
    }  # fmt: skip
    answer = json.dumps({"modelVersion": model, "candidates": [], "usageMetadata": usage}).encode()
    with Player([Reply([answer])]).serving() as player, (proxy := recording(player.url)).running():
        assert proxy.post(f"/v1beta/models/{model}:generateContent") == (200, answer)
    (stored,) = proxy.records()
    expected = ((prompt + tool_use) * price["input"] + (candidates + thoughts) * price["output"]) / MILLION
    assert expected == Decimal(reference)
    assert stored.cost_pico == expected * 10**12
    assert stored.cost_parts.intermediate == tool_use * price["input"] / MILLION * 10**12
