"""The dialect of films: `:predictLongRunning`, and the operation that its answer names (wire.md 5.9).

Owns: of a request `parameters` with `sampleCount` (or `numberOfVideos`), `durationSeconds`, `resolution` and
`generateAudio`; of an operation `name`, `done`, `error` and `response` with `generatedSamples`, `videos` or
`generatedVideos` and `raiMediaFilteredCount`. Not here: the API's defaults and prices. Invariant: films are counted
only of an operation that is done; one that lists none, and does not say that they were filtered, stays uncounted.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from gembill.event import FilmRequest, Part, RequestFacts, UnreadReason
from gembill.model import Execution
from gembill.wire import any_form
from gembill.wire.json_text import fields, lenient_fields, mapping, value, whole, word
from gembill.wire.observation import Observation
from gembill.wire.token_counts import Usage

DONE = "done"
"""The finish reason of an operation that is done, however it ended."""

_LISTS = ("generatedSamples", "videos", "generatedVideos")
_LONGEST = 100_000  # seconds, and films of one request: more is a mistake


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, None]:
    """What a request for films asks for. There are no tools and no chat."""
    members = lenient_fields(body)
    if members is None:
        return RequestFacts(model=model, unread=body is not None), None
    asked = mapping(value(members.get("parameters")))
    sound = _either(asked, "generateAudio", "generate_audio")
    film = FilmRequest(
        samples=_whole(_either(asked, "sampleCount", "sample_count", "numberOfVideos", "number_of_videos")),
        seconds=_whole(_either(asked, "durationSeconds", "duration_seconds")),
        resolution=word(asked.get("resolution"), 16),
        sound=sound if isinstance(sound, bool) else None,
    )
    return RequestFacts(model=model, declared=False, turns=1, film=film), None


def observe(document: bytes, observation: Observation) -> None:
    """Add an operation: its name, and once it is done its films or its error."""
    members = fields(document, deep=True)
    if members is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    observation.add_word("response_id", value(members.get("name")))
    if value(members.get("done")) is True:
        observation.add_word("finish_reason", DONE)
        films = _films(members.get("response"))
        if films is not None:
            observation.count_made(films)
    observation.add_error(value(members.get("error")))
    observation.end_document()


def usage(text: str) -> Usage:
    """The counts of a usage object, should an answer have one; InvalidUsage if one of them is not a count."""
    return any_form.usage(text)


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:  # noqa: ARG001
    """None: nothing runs."""
    return ()


def _films(response: msgspec.Raw | None) -> int | None:
    """How many films a result has; None where it does not say."""
    for level in _levels(mapping(value(response))):
        listed = next((level[name] for name in _LISTS if isinstance(level.get(name), list)), None)
        if listed is not None:
            return sum(bool(mapping(one)) for one in listed)
        if level.get("raiMediaFilteredCount"):
            return 0
    return None


def _levels(response: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield mapping(response.get("generateVideoResponse"))
    yield response


def _either(asked: Mapping[str, Any], *names: str) -> object:
    return next((asked[name] for name in names if name in asked), None)


def _whole(said: object) -> int | None:
    """A count of films or seconds; None for 0 too, which no request can mean."""
    return whole(said, _LONGEST) or None
