"""An event read: the token split, the executions, what is odd.

Owns: which status a call has, how reported counts become the split and the disjoint readings, and the names of
anomalies. Not here: fields of the wire (the dialects) and prices. Invariant: numbers are kept as reported;
`input + intermediate + output = total`, or the record says `total_mismatch`.
"""

from collections.abc import Iterator, Mapping

from gembill.event import Ending, Event, ResponseFacts
from gembill.model import (
    Anomaly,
    ApiError,
    Execution,
    Flag,
    Meter,
    Modality,
    Operation,
    Reading,
    Record,
    Status,
    Tokens,
)
from gembill.rules import groundings, identity, modalities, model_names
from gembill.rules.media import Pieces, pieces
from gembill.rules.modalities import of_kinds, of_prompt
from gembill.rules.rounds import Round, tells_rounds
from gembill.rules.rounds import rounds as tool_rounds
from gembill.wire import tiers
from gembill.wire.dialect import TELLS_USAGE, dialect
from gembill.wire.interactions import RUNNING
from gembill.wire.observation import OUTLINE_ONLY
from gembill.wire.token_counts import InvalidUsage, Usage

_COUNTED = (Status.COMPLETE, Status.PARTIAL)
_NO_DETAILS: Mapping[Modality, int] = {}
_SPLIT = (Meter.INPUT, Meter.CACHED_INPUT, Meter.INTERMEDIATE, Meter.OUTPUT, Meter.THINKING)


def meter(event: Event, source_id: int) -> Record:
    """The record of an event: under the source it was recorded by, or under its natural key if it has one."""
    asked, seen = event.asked, event.seen
    reported, odd = _count(event)
    runs = _executions(event)
    uncounted = reported is not None and _lacks_image_tokens(event, reported)
    status = _status(event, reported, drawn=uncounted and not runs)  # code draws its plots for no tokens
    model = _model(event)
    billed = pieces(event, model) if status is Status.UNKNOWN else None
    if billed is not None:
        status = billed.status
    usage = reported if status in _COUNTED else None
    tokens = _split(usage)
    readings = billed.readings if billed else _readings(usage, tokens, seen, model)
    source_id, record_id = identity.natural(*event.natural) if event.natural else (source_id, event.id)
    reported_tier = _reported_tier(event, reported)
    return Record(
        source_id=source_id,
        id=record_id,
        occurred_us=event.occurred_us,
        ended_us=event.ended_us,
        api=event.api,
        operation=event.operation,
        project=event.project,
        location=event.location,
        streamed=event.streamed or asked.stream,
        model=model,
        requested_model=model_names.bare(asked.model),
        agent=asked.agent or seen.agent,
        service_tier=reported_tier or tiers.tier(asked.service_tier) or "standard",
        key=event.key,
        status=status,
        http_status=event.http_status,
        error=_error(event, status),
        finish_reason=seen.finish_reason,
        response_id=seen.response_id,
        conversation=_conversation(event),
        turns=asked.turns,
        tokens=tokens,
        declared=asked.declared,
        executions=runs,
        readings=readings if status is not Status.ERROR else (),
        labels=event.labels,
        flags=_flags(event, status, usage, billed),
        anomalies=(*odd, *_anomalies(event, status), *_odd_counts(event, usage, tokens, model, uncounted=uncounted)),
        tier_reported=reported_tier is not None,
    )


def by_meter(tokens: Tokens) -> dict[Meter, int]:
    """The split of a record, or of many together, as disjoint counts of tokens; counts of 0 are left out."""
    return {meter: count for meter, count in zip(_SPLIT, _disjoint(tokens), strict=True) if count > 0}


def _disjoint(tokens: Tokens) -> tuple[int, int, int, int, int]:
    """The split as counts of the meters of `_SPLIT`.

    Cached tokens are part of the input and thinking is part of the output, so what is left of these is counted apart.
    """
    cached, thinking = min(tokens.cached or 0, tokens.input or 0), tokens.thinking or 0
    fresh, written = (tokens.input or 0) - cached, (tokens.output or 0) - thinking
    return fresh, cached, tokens.intermediate or 0, written, thinking


def rounds(event: Event) -> tuple[Round, ...]:
    """What each round of an event's tool loop read again; () where no code ran or nothing was counted."""
    usage, _ = _count(event)
    return () if usage is None else _rounds(event, usage)


def _rounds(event: Event, usage: Usage) -> tuple[Round, ...]:
    if event.asked.declared is False:
        return ()
    read = dialect(event.operation).usage
    try:
        snapshots = [(one.after, read(one.usage)) for one in event.seen.snapshots]
    except InvalidUsage:
        snapshots = []
    return tool_rounds(event.seen.outline, snapshots, usage)


def _count(event: Event) -> tuple[Usage | None, tuple[Anomaly, ...]]:
    """The usage an answer reported, and what is odd about it."""
    if event.seen.usage is None:
        return None, ()
    try:
        return dialect(event.operation).usage(event.seen.usage), ()
    except InvalidUsage:
        return None, (Anomaly.INVALID_USAGE,)


def _status(event: Event, usage: Usage | None, *, drawn: bool) -> Status:
    """The states of contract.md, "Calls and records"; `drawn`: there is a picture that should have cost tokens."""
    if event.ending is Ending.UNSENT or (event.http_status or 0) >= 400:
        return Status.ERROR
    if usage is None or usage.is_empty:
        return Status.UNKNOWN if event.seen.fault is None else Status.ERROR
    read = event.seen.unread is None or event.seen.unread in OUTLINE_ONLY
    whole = event.ending is Ending.FINISHED and event.seen.fault is None and read
    whole = whole and not (event.operation == Operation.INTERACTIONS and event.seen.finish_reason in RUNNING)
    whole = whole and usage.prompt is not None and not usage.hidden and not drawn
    return Status.COMPLETE if whole else Status.PARTIAL


def _executions(event: Event) -> tuple[Execution, ...]:
    """The runs of generated code. Where code execution was not allowed, another tool poses as code (wire.md 1.4 e)."""
    return () if event.asked.declared is False else dialect(event.operation).executions(event.seen.outline)


def _lacks_image_tokens(event: Event, usage: Usage) -> bool:
    """Whether an answer holds a picture and its usage counts none: then it would be priced as text."""
    if usage.candidates_details.get(Modality.IMAGE) or not (event.operation in TELLS_USAGE or usage.candidates):
        return False
    for part in event.seen.outline:
        if part.kind in ("blob", "file") and not part.thought and (part.mime or "").lower().startswith("image/"):
            return True
    return False


def _is_answered(event: Event) -> bool:
    """Whether a whole answer says something, be it by a call of a function: then it has tokens."""
    if event.operation not in TELLS_USAGE or event.ending is not Ending.FINISHED or event.seen.fault is not None:
        return False
    return any(
        (part.kind == "text" and part.chars and not part.thought) or part.kind == "function_call"
        for part in event.seen.outline
    )


def _split(usage: Usage | None) -> Tokens:
    """The split: with a prompt count an absent count is 0, because the API never sends a zero (wire.md 9, law 8)."""
    if usage is None:
        return Tokens()
    if usage.prompt is None:
        output = [n for n in (usage.candidates, usage.thoughts) if n is not None]
        return Tokens(
            intermediate=usage.tool_use,
            output=sum(output) if output else None,
            total=usage.total,
            cached=usage.cached,
            thinking=usage.thoughts,
        )
    return Tokens(
        input=usage.prompt,
        intermediate=usage.tool_use or 0,
        output=(usage.candidates or 0) + (usage.thoughts or 0),
        total=usage.total,
        cached=usage.cached or 0,
        thinking=usage.thoughts or 0,
    )


def _readings(
    usage: Usage | None, tokens: Tokens, seen: ResponseFacts, model: str | None
) -> tuple[Reading, ...] | None:
    """Disjoint counts to be priced; None where it is not known what is owed."""
    if usage is None or usage.prompt is None:
        return None
    _, cached, intermediate, output, thinking = _disjoint(tokens)
    readings = of_prompt(usage, cached) if cached else of_kinds(Meter.INPUT, usage.prompt, usage.prompt_details)
    readings += of_kinds(Meter.INTERMEDIATE, intermediate, usage.tool_use_details)
    readings += of_kinds(Meter.OUTPUT, output, usage.candidates_details)
    readings += of_kinds(Meter.THINKING, thinking, _NO_DETAILS)
    readings += of_kinds(Meter.GROUNDING, groundings.searches(seen, usage, model), _NO_DETAILS)
    readings += of_kinds(Meter.MAPS, groundings.lookups(seen, usage, model), _NO_DETAILS)
    return tuple(readings)


def _flags(event: Event, status: Status, usage: Usage | None, billed: Pieces | None) -> tuple[str, ...]:
    incomplete = (Flag.INCOMPLETE,) if status is Status.PARTIAL else ()
    inferred = (Flag.THINKING_INFERRED,) if usage is not None and usage.hidden else ()
    twice = (Flag.SENT_TWICE,) if event.retried and status is not Status.ERROR else ()
    return (*incomplete, *inferred, *twice, *(billed.flags if billed else ()))


def _anomalies(event: Event, status: Status) -> Iterator[str]:
    """What is odd beside the counts."""
    if event.labels_cut:
        yield Anomaly.LABELS_CUT
    if any(map(model_names.is_cut, _names(event))):
        yield Anomaly.MODEL_CUT
    if event.seen.unread:
        yield f"answer_unread_{event.seen.unread}"  # an `Anomaly`, unless another version saw it
    if event.asked.unread and status is not Status.ERROR and event.operation in TELLS_USAGE:
        yield Anomaly.REQUEST_UNREAD
    if event.ending is Ending.LOST:
        yield Anomaly.RECORDER_STOPPED
    if _is_unmetered(event, status):
        yield Anomaly.UNMETERED_SURFACE


def _odd_counts(
    event: Event, usage: Usage | None, tokens: Tokens, model: str | None, *, uncounted: bool
) -> Iterator[Anomaly]:
    """What is odd about the counts; `uncounted`: they lack those of a picture."""
    if usage is None:
        return
    if usage.prompt is None:
        yield Anomaly.USAGE_INCOMPLETE
        return
    if tokens.total != usage.prompt + (tokens.intermediate or 0) + (tokens.output or 0):
        yield Anomaly.TOTAL_MISMATCH
    if (usage.cached or 0) > usage.prompt:
        yield Anomaly.CACHED_EXCEEDS_INPUT
    if modalities.are_odd(usage):
        yield Anomaly.DETAILS_MISMATCH
    if uncounted:
        yield Anomaly.IMAGE_TOKENS_UNKNOWN
    if not usage.candidates and _is_answered(event):
        yield Anomaly.OUTPUT_UNCOUNTED
    if groundings.are_unknown(event.seen, usage, model):
        yield Anomaly.GROUNDING_UNKNOWN
    if tells_rounds(event.seen.snapshots, usage) and not all(one.explained for one in _rounds(event, usage)):
        yield Anomaly.INTERMEDIATE_UNEXPLAINED


def _is_unmetered(event: Event, status: Status) -> bool:
    """Whether the API answered a call whose usage no dialect of ours reads (contract.md, Calls and records)."""
    if status is not Status.UNKNOWN or event.seen.usage is not None or event.operation in TELLS_USAGE:
        return False
    return event.ending is Ending.FINISHED and event.seen.unread is None and event.http_status is not None


def _conversation(event: Event) -> str | None:
    """Of interactions the one before, which posting follows to the first of the chain; the first is its own."""
    if event.operation != Operation.INTERACTIONS:
        return event.asked.conversation
    return event.asked.previous_interaction_id or event.seen.previous_interaction_id or event.seen.response_id


def _names(event: Event) -> tuple[str | None, ...]:
    return event.seen.model_version, event.asked.model, event.asked.agent, event.seen.agent


def _model(event: Event) -> str | None:
    agent = event.asked.agent or event.seen.agent
    return model_names.bare(event.seen.model_version) or model_names.bare(event.asked.model) or model_names.cut(agent)


def _reported_tier(event: Event, usage: Usage | None) -> str | None:
    """The tier that the answer says has served; where it says none, the requested one counts (contract.md)."""
    for name in (event.seen.service_tier, usage.service_tier if usage else None, event.seen.usage_tier):
        if name and (word := tiers.tier(name)):
            return word
    return None


def _error(event: Event, status: Status) -> ApiError | None:
    if event.seen.fault is not None:
        return event.seen.fault
    if status is Status.ERROR and event.http_status is not None:
        return ApiError(code=event.http_status)
    return None
