"""Paths of both families of endpoints."""

import pytest

from billing.errors import Refusal
from billing.simulator.routes import find


@pytest.mark.parametrize(
    ("prefix", "vertex"),
    [
        ("/v1/", False),
        ("/v1beta/", False),
        ("/v1beta1/projects/p-1/locations/europe-west4/publishers/google/", True),
        ("/v1/publishers/google/", True),
    ],
)
def test_both_families_are_known(prefix: str, vertex: bool) -> None:
    route = find("POST", f"{prefix}models/gemini-2.5-flash:streamGenerateContent?alt=sse&key=k")
    assert (route.vertex, route.generates, route.streams, route.events) == (vertex, True, True, True)
    assert route.model is not None
    assert route.model.name == "gemini-2.5-flash"
    assert "key" not in route.path
    assert find("GET", f"{prefix}models").model is None


def test_a_colon_may_be_escaped_and_without_alt_a_stream_is_an_array() -> None:
    route = find("POST", "/v1/models/gemini-2.5-flash%3AstreamGenerateContent")
    assert route.streams
    assert not route.events


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v1/models/gemini-99:generateContent"),
        ("POST", "/v1/models/gemini-2.5-flash:predict"),
        ("GET", "/v1/models/gemini-2.5-flash:generateContent"),
        ("POST", "/v1/models/gemini-2.5-flash"),
        ("POST", "/v1/models:generateContent"),
        ("GET", "/v2/models"),
        ("GET", "/"),
        ("DELETE", "/v1/models"),
    ],
)
def test_anything_else_is_a_404(method: str, target: str) -> None:
    with pytest.raises(Refusal) as caught:
        find(method, target)
    assert (caught.value.status, caught.value.reason) == (404, "NOT_FOUND")
