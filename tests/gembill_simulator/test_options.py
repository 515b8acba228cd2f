"""Options and control headers."""

import pytest

from gembill.errors import ConfigurationError, Refusal
from gembill_simulator.answer import Overrides
from gembill_simulator.faults import InjectedFault
from gembill_simulator.options import Control, Options, control


@pytest.mark.parametrize(
    "make",
    [
        lambda: Options(latency_ms=-1),
        lambda: Options(chunk_ms=1e9),
        lambda: Options(latency_ms=float("nan")),
        lambda: Options(faults=(InjectedFault("429", 0.6), InjectedFault("503", 0.6))),
        lambda: Options(script=("ok", "teapot")),
    ],
)
def test_options_that_cannot_be_obeyed_are_a_configuration_error(make: object) -> None:
    assert callable(make)
    with pytest.raises(ConfigurationError):
        make()


def test_control_headers_are_read() -> None:
    headers = {
        "x-simulator-fault": "cut",
        "x-simulator-latency-ms": "5",
        "x-simulator-chunk-ms": "6",
        "x-simulator-runs": "failed, ok",
        "x-simulator-cached": "7",
        "x-simulator-hops": "2",
        "x-simulator-filling": "8",
        "x-simulator-polls": "9",
        "x-simulator-schema": "old",
        "x-simulator-tier": "standard",
        "x-simulator-framing": "sized",
        "user-agent": "x",
    }
    overrides = Overrides(runs=("failed", "ok"), cached=7, hops=2, filling=8)
    assert control(headers) == Control("cut", 5, 6, overrides, "standard", sized=True, polls=9, old_schema=True)
    assert control({"user-agent": "x"}) == Control()
    assert control({"x-simulator-runs": "none"}).overrides.runs == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fault", "teapot"),
        ("runs", "well"),
        ("runs", ""),
        ("latency-ms", "soon"),
        ("cached", "-1"),
        ("chunk-ms", "9" * 20),
        ("hops", "101"),
        ("polls", "many"),
    ],
)
def test_a_control_header_that_cannot_be_obeyed_is_a_400_that_names_it(name: str, value: str) -> None:
    with pytest.raises(Refusal, match=f"x-simulator-{name}") as caught:
        control({f"x-simulator-{name}": value})
    assert caught.value.status == 400
