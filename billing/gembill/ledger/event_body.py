"""The form in which the ledger keeps the bodies of events: compressed against what most have alike, many together.

Owns: the dictionary, the form of one body and that of a block of them, and both ways. Not here: what an event says
(`gembill.event`), and which rows hold what (`event_bodies`). Invariant: what goes in comes out byte for byte; a body
that an earlier version kept as it was is given as it is; a dictionary that was ever used is never changed, a better one
gets another mark.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

BLOCK_MARK = b"\x02"  # the body is one of a block: digest of the block, place in it
DIGEST = 8  # bytes
_MARK = b"\x01"  # begins no JSON, so what begins otherwise was kept as it is
_LEVEL = 3
_WINDOW = -12  # 4 kB, without a header: a larger window costs more to prepare than most bodies to compress
_MEMORY = 5
_ALIKE = (
    b'"ending":"unanswered""ending":"cut""fault":{"code":429,"status":"RESOURCE_EXHAUSTED","kind":""}"unread":"'
    b'"searches":1,"grounded":true,"maps_searches":1"block_reason":"SAFETY""made":1"retried":1"labels_cut":true'
    b'{"kind":"blob","mime":"image/png","chars":{"kind":"function_call"}"thought":true,"candidate":1"cached_content":"'
    b'"operation":"interactions","status":"completed","previous_interaction_id":"","agent":"","stream":true},'
    b'"natural":["interaction","gemini","v1_{\\"input_tokens_by_modality\\":[{\\"modality\\":\\"text\\",\\"tokens\\":'
    b'\\"total_cached_tokens\\":0,\\"total_input_tokens\\":,\\"total_output_tokens\\":,\\"total_thought_tokens\\":,'
    b'\\"total_tokens\\":,\\"total_tool_use_tokens\\":0}","finish_reason":"completed"'
    b'"project":"","location":"us-central1","api":"vertex","streamed":true,\\"trafficType\\":\\"ON_DEMAND\\"}'
    b'"snapshots":[{"after":2,"usage":"{\\"cachedContentTokenCount\\":,\\"cacheTokensDetails\\":[{\\"modality\\":\\"TEXT\\",'
    b'\\"candidatesTokensDetails\\":[{\\"modality\\":\\"IMAGE\\",\\"tokenCount\\":'
    b'{"id":"01a0","occurred_us":179,"api":"gemini","operation":"generate_content","key":"k_","labels":{"team":""},'
    b'"asked":{"model":"gemini-2.5-flash","declared":true,"service_tier":"","conversation":"c_","turns":1},"ended_us":179,'
    b'"ending":"finished","http_status":200,"seen":{"usage":"{'
    b'\\"promptTokenCount\\":,\\"candidatesTokenCount\\":,\\"totalTokenCount\\":,'
    b'\\"promptTokensDetails\\":[{\\"modality\\":\\"TEXT\\",\\"tokenCount\\":}],'
    b'\\"toolUsePromptTokenCount\\":,\\"toolUsePromptTokensDetails\\":[{\\"modality\\":\\"TEXT\\",\\"tokenCount\\":}],'
    b'\\"thoughtsTokenCount\\":,\\"serviceTier\\":\\"standard\\"}","outline":['
    b'{"kind":"code","id":"","language":"PYTHON","chars":,"digest":"},{"kind":"result","id":"'
    b'","outcome":"OUTCOME_OK","chars":,"digits":},{"kind":"text","chars":1}],"documents":1,"model_version":'
    b'"gemini-3-flash-preview","response_id":"","finish_reason":"STOP","service_tier":"standard",'
    b'"usage_tier":"standard"}}'
)


_BLOCK = 33_000
"""Bytes of bodies in a block. What these come to fills whole pages of SQLite; more of them would save little more."""
_BLOCK_WINDOW = -15
_PLACE = 2  # bytes
_WHOLE = b"\0"  # in a block: a body that does not begin with its id
_bodies_of = msgspec.msgpack.Decoder(list[bytes])


class Packed(NamedTuple):
    """What is kept of some events: a form for each in their order, and the blocks that these point to, by digest."""

    forms: list[bytes]
    blocks: dict[bytes, bytes]


def deflated(body: bytes) -> bytes:
    """The form in which a body is kept alone."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, _ALIKE)
    return _MARK + packer.compress(body) + packer.flush()


def inflated(kept: bytes) -> bytes:
    """The body of the form in which it is kept alone; `zlib.error` where that is damaged."""
    if not kept.startswith(_MARK):
        return kept
    opener = zlib.decompressobj(_WINDOW, _ALIKE)
    return opener.decompress(kept[len(_MARK) :]) + opener.flush()


def packed(events: Iterable[tuple[str, bytes]]) -> Packed:
    """The kept forms of events, given as id and body: a third of the time and two thirds of the room of each alone."""
    forms: list[bytes] = []
    blocks: dict[bytes, bytes] = {}
    for group in _groups(events):
        if len(group) == 1:
            forms.append(deflated(group[0][1]))
            continue
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _BLOCK_WINDOW, zdict=_ALIKE)
        bodies = msgspec.msgpack.encode([_without_id(*event) for event in group])
        block = packer.compress(bodies) + packer.flush()
        digest = hashlib.blake2b(block, digest_size=DIGEST).digest()
        blocks[digest] = block
        forms += [BLOCK_MARK + digest + place.to_bytes(_PLACE, "big") for place in range(len(group))]
    return Packed(forms, blocks)


def block_of(form: bytes) -> bytes | None:
    """The digest of the block that a kept form points to; None where it holds its body itself."""
    return form[len(BLOCK_MARK) : len(BLOCK_MARK) + DIGEST] if form.startswith(BLOCK_MARK) else None


def opened(block: bytes) -> Sequence[bytes]:
    """What is in a block, for `body_in`; `zlib.error` where it is damaged."""
    opener = zlib.decompressobj(_BLOCK_WINDOW, _ALIKE)
    try:
        return _bodies_of.decode(opener.decompress(block) + opener.flush())
    except msgspec.DecodeError as error:
        raise zlib.error(f"a block of bodies is damaged: {error}") from None


def body_in(block: Sequence[bytes], form: bytes, event_id: str) -> bytes:
    """The body of the event with this id and kept form."""
    body = block[int.from_bytes(form[-_PLACE:], "big")]
    return body[len(_WHOLE) :] if body.startswith(_WHOLE) else _head(event_id) + body


def _groups(events: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    group: list[tuple[str, bytes]] = []
    size = 0
    for event in events:
        group.append(event)
        size += len(event[1])
        if size >= _BLOCK:
            yield group
            group, size = [], 0
    if group:
        yield group


def _head(event_id: str) -> bytes:
    return b'{"id":"%s",' % event_id.encode()


def _without_id(event_id: str, body: bytes) -> bytes:
    """A body without its head, which the key of its row says as well."""
    head = _head(event_id)
    rest = body[len(head) :]
    return rest if body.startswith(head) and not rest.startswith(_WHOLE) else _WHOLE + body
