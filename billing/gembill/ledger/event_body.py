"""The form in which the ledger keeps the body of an event: compressed against what most bodies have alike.

Owns: the dictionary, and the two ways. Not here: what an event says (`gembill.event`). Invariant: what goes in comes
out byte for byte; a body that an earlier version kept as it was is given as it is; a dictionary that was ever used is
never changed, a better one gets another mark.
"""

import zlib

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


def deflated(body: bytes) -> bytes:
    """The form that is kept."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, _ALIKE)
    return _MARK + packer.compress(body) + packer.flush()


def inflated(kept: bytes) -> bytes:
    """The body of its kept form; `zlib.error` where that is damaged."""
    if not kept.startswith(_MARK):
        return kept
    opener = zlib.decompressobj(_WINDOW, _ALIKE)
    return opener.decompress(kept[len(_MARK) :]) + opener.flush()
