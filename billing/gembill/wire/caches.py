"""The dialect of cached contents: what is kept for later calls, which is billed by token and hour (wire.md 5.9, 6.3).

Owns: of a cached content `name`, `model`, `usageMetadata.totalTokenCount`, `createTime` and `expireTime`. Not here:
what later calls use of it, which their own usage tells. Invariant: storage is known only with tokens and both times.
"""

from datetime import UTC, datetime, timedelta

from msgspec import Raw

from gembill.event import Part, RequestFacts, Stored, UnreadReason
from gembill.model import Execution
from gembill.wire import any_form, token_counts
from gembill.wire.json_text import fields, integer, lenient_fields, mapping, value, word
from gembill.wire.observation import Observation
from gembill.wire.token_counts import Usage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, None]:
    """What a request says: its model. It generates nothing."""
    members = lenient_fields(body)
    unread = members is None and body is not None
    return RequestFacts(model=model or _model((members or {}).get("model")), unread=unread), None


def observe(document: bytes, observation: Observation) -> None:
    """Add a cached content as the API shows it."""
    members = fields(document, deep=True)
    if members is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    observation.add_word("response_id", value(members.get("name")))
    observation.add_word("model_version", _model(members.get("model")))
    tokens = integer(mapping(value(members.get("usageMetadata"))).get("totalTokenCount"))
    start, end = _instant_us(members.get("createTime")), _instant_us(members.get("expireTime"))
    if start is not None and end is not None and tokens is not None and 0 <= tokens <= token_counts.LARGEST:
        observation.add_stored(Stored(tokens=tokens, from_us=start, until_us=end))
    observation.add_error(value(members.get("error")))
    observation.end_document()


def usage(text: str) -> Usage:
    """The counts of a usage object; InvalidUsage if one of them is not a count."""
    return any_form.usage(text)


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:  # noqa: ARG001
    """None: nothing runs."""
    return ()


def _model(raw: Raw | None) -> str | None:
    """Vertex puts project, location and publisher in front of the name."""
    name = word(value(raw))
    return name.rpartition("models/")[2] if name else None


def _instant_us(raw: Raw | None) -> int | None:
    """Microseconds of a time as Google writes it; None where it cannot be read."""
    said = value(raw)
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1)
