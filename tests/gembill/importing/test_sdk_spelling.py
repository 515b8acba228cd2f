"""What SDKs wrote: the API's names and form again, the same values, and nothing else touched."""

import json

import pytest

from gembill.importing.sdk_spelling import as_asked, as_sent, headers_in

DUMPED = {
    "candidates": [
        {
            "content": {
                "parts": [
                    {"executable_code": {"code": "x_y = {'a_b': 1}", "language": "PYTHON"}},
                    {"code_execution_result": {"outcome": "OUTCOME_OK", "output": "a_b"}, "thought_signature": None},
                    {"function_call": {"name": "do_it", "args": {"some_name": {"other_name": 1}}}},
                ]
            },
            "finish_reason": "STOP",
            "grounding_metadata": {"web_search_queries": ["a_b"]},
        }
    ],
    "model_version": "gemini-2.5-flash",
    "usage_metadata": {
        "prompt_token_count": 3,
        "tool_use_prompt_tokens_details": [{"modality": "TEXT", "token_count": 2}],
        "cache_tokens_details": None,
    },
    "parsed": {"of_mine": 1},
}
SENT = {
    "candidates": [
        {
            "content": {
                "parts": [
                    {"executableCode": {"code": "x_y = {'a_b': 1}", "language": "PYTHON"}},
                    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "a_b"}, "thoughtSignature": None},
                    {"functionCall": {"name": "do_it", "args": {"some_name": {"other_name": 1}}}},
                ]
            },
            "finishReason": "STOP",
            "groundingMetadata": {"webSearchQueries": ["a_b"]},
        }
    ],
    "modelVersion": "gemini-2.5-flash",
    "usageMetadata": {
        "promptTokenCount": 3,
        "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 2}],
        "cacheTokensDetails": None,
    },
    "parsed": {"of_mine": 1},
}


def test_names_are_those_of_the_api_and_values_and_names_of_callers_stay():
    assert json.loads(as_sent(json.dumps(DUMPED).encode())) == SENT


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[DONE]",
        b'{"usageMetadata":  {"promptTokenCount": 3}, "a_b": 1e999}',
        b'{"id": "v1_a", "usage": {"total_input_tokens": 3}, "service_tier": "flex"}',
        b'{"model": "m", "usage": {"prompt_tokens": 3}, "system_fingerprint": "x"}',
        b'["usage_metadata"]',
        b'{"usage_metadata": ',
    ],
)
def test_what_no_sdk_wrote_stays_byte_for_byte(answer):
    assert as_sent(answer) == answer


def test_an_answer_nested_too_deeply_to_be_renamed_stays():
    answer = b'{"usage_metadata": {}, "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert as_sent(answer) == answer


def test_what_an_sdk_asks_below_config_is_asked_beside_the_contents():
    dumped = b'{"model": "m", "contents": [1.50], "config": {"tools": [{"code_execution": {}}], "contents": 2}}'
    assert json.loads(as_asked(dumped)) == {"model": "m", "contents": [1.5], "tools": [{"code_execution": {}}]}
    assert b"1.50" in as_asked(dumped)
    assert json.loads(as_asked(b'{"contents": "x", "config": null}')) == {"contents": "x"}


@pytest.mark.parametrize(
    "request_", [b"", b"x", b"[]", b'{"contents":  []}', b'{"config": {"tools": []}}', b'{"setup": {"config": 1}}']
)
def test_a_request_that_no_sdk_wrote_stays_byte_for_byte(request_):
    assert as_asked(request_) == request_


@pytest.mark.parametrize("name", ["sdk_http_response", "sdkHttpResponse"])
def test_headers_that_an_sdk_kept_are_found(name):
    assert headers_in(b'{"%s": {"headers": {"a": "b"}, "body": null}}' % name.encode()) == {"a": "b"}


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"{}", b'{"sdkHttpResponse": 3}', b'{"sdkHttpResponse": {"headers": []}}']
)
def test_without_headers_there_are_none(answer):
    assert headers_in(answer) == {}
