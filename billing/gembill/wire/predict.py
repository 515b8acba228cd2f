"""The dialect of `:predict` and of OpenAI's images: what is billed by the picture (wire.md 5.9).

Owns: of an answer `predictions[]` with `bytesBase64Encoded` or `gcsUri`, `mimeType` and `raiFilteredReason`, or
`data[]` with `b64_json` or `url`; of a request its `model`. Not here: the price of a picture, and embeddings
(`embeddings`). Invariant: a picture counts where it is in the answer; one that was filtered out does not, and what is
not a picture leaves the answer uncounted.
"""

from collections.abc import Mapping
from typing import Any

from gembill.event import Part, RequestFacts, UnreadReason
from gembill.model import Execution
from gembill.wire import any_form, embeddings
from gembill.wire.json_text import fields, lenient_fields, mappings, size, value, word
from gembill.wire.observation import Observation
from gembill.wire.token_counts import Usage

_PICTURE = ("bytesBase64Encoded", "gcsUri", "b64_json", "url")
_DEFAULT_MIME = "image/png"
_FILTERED = "raiFilteredReason"


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, None]:
    """What a request asks for: its model. There are no tools and no chat."""
    members = lenient_fields(body)
    if members is None:
        return RequestFacts(model=model, unread=body is not None), None
    return RequestFacts(model=model or word(value(members.get("model"))), declared=False, turns=1), None


def observe(document: bytes, observation: Observation) -> None:
    """Add the answer: its pictures, else its usage."""
    members = fields(document, deep=True)
    if members is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    listed = value(members.get("predictions", members.get("data")))
    results = mappings(listed)
    pictures = [one for one in results if _is_picture(one)]
    for number, picture in enumerate(pictures):
        observation.add_part(_part(picture, number))
    known = len(pictures) + sum(_FILTERED in one for one in results if not _is_picture(one))
    if isinstance(listed, list) and known == len(listed):
        observation.count_made(len(pictures))
    observation.update_usage(members.get("usageMetadata", members.get("usage")))
    if not observation.has_usage:
        observation.update_usage(embeddings.predicted_usage(results))
    observation.add_error(value(members.get("error")))
    observation.end_document()


def usage(text: str) -> Usage:
    """The counts of a usage object, where an answer has one; InvalidUsage if one of them is not a count."""
    return any_form.usage(text)


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:  # noqa: ARG001
    """None: nothing runs."""
    return ()


def _is_picture(result: Mapping[str, Any]) -> bool:
    mime = result.get("mimeType", _DEFAULT_MIME)
    return isinstance(mime, str) and mime.startswith("image/") and any(result.get(name) for name in _PICTURE)


def _part(picture: Mapping[str, Any], candidate: int) -> Part:
    data = picture.get("bytesBase64Encoded", picture.get("b64_json"))
    return Part(
        kind="blob",
        candidate=candidate,
        mime=word(picture.get("mimeType", _DEFAULT_MIME), 128),
        chars=size(data) * 3 // 4,
    )
