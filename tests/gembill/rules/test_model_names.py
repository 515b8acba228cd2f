"""Names of models: what is in front of them, and how much of them is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gembill.event import Event, RequestFacts, ResponseFacts
from gembill.rules.metering import meter
from gembill.rules.model_names import bare, cut, is_cut
from tests.gembill.calls import event

EMOJI = "\U0001f600"
PLACE = "projects/p/locations/global/publishers/google/models/"


def asked(name: str | None, seen: str | None = None, **more: str) -> Event:
    one = event(1)
    return replace(one, asked=RequestFacts(model=name), seen=replace(one.seen, model_version=seen, **more))


@pytest.mark.parametrize(
    "call",
    [asked("m", EMOJI * 256), asked(EMOJI * 256), asked(None, agent=EMOJI * 256), asked("m", PLACE + EMOJI * 256)],
)
def test_a_name_of_256_emoji_is_cut_and_makes_no_dead_letter(call: Event) -> None:
    record = meter(call, 5)
    assert (record.model, record.anomalies) == (EMOJI * 192, ("model_cut",))


@pytest.mark.parametrize(("length", "anomalies"), [(768, ()), (769, ("model_cut",))])
def test_a_name_behind_its_place_is_cut_for_its_own_length(length: int, anomalies: tuple[str, ...]) -> None:
    record = meter(asked(PLACE + "m" * length), 5)
    assert (record.model, record.requested_model, record.anomalies) == ("m" * 768, "m" * 768, anomalies)


def test_no_name_is_none() -> None:
    assert (bare(None), bare(""), bare("models/"), bare("models/m")) == (None, None, None, "m")
    assert meter(replace(asked("m"), seen=ResponseFacts()), 5).anomalies == ()


@given(st.text("aä€😀", max_size=900))
def test_what_is_kept_is_a_beginning_of_at_most_768_bytes(name: str) -> None:
    kept = cut(name) or ""
    assert name.startswith(kept)
    assert len(kept.encode("utf-8", "surrogatepass")) <= 768
    assert bare(name) is not None or not name
    assert is_cut(name) is (kept != name)
