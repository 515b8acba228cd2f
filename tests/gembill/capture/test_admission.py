"""What may enter: paths, malformed heads, and the headers that do not go on."""

import json
import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.capture.admission import MAX_HEAD, admit, check_head, error_body, forwarded
from gembill.errors import Refusal
from gembill.wire.routes import Role, route

VERTEX = "/v1beta1/projects/p-1/locations/us-central1"
MODEL_METHODS = (
    "generateContent", "streamGenerateContent", "countTokens", "computeTokens", "batchGenerateContent", "embedContent", "batchEmbedContents",
    "asyncBatchEmbedContent", "predict", "predictLongRunning",
)  # fmt: skip
ALLOWED = [
    *(f"/{version}/{kind}/m-1.5_x:{method}" for version in ("v1", "v1beta", "v1alpha") for kind in ("models", "tunedModels") for method in MODEL_METHODS),
    *(f"{start}/publishers/google/models/gemini-2.0-flash@001:{method}" for start in (VERTEX, "/v1", "/v1beta1") for method in MODEL_METHODS),
    f"{VERTEX}/endpoints/4711:generateContent", "/v1beta1/endpoints/4711:streamGenerateContent", f"{VERTEX}/batchPredictionJobs", f"{VERTEX}/cachedContents/c1",
    f"{VERTEX}/interactions", "/v1beta/dynamic/d1:generateContent",
    "/v1beta/models", "/v1beta/models/gemini-2.5-flash", "/v1beta/cachedContents", "/v1beta/cachedContents/c1", "/v1beta/files", "/v1beta/files/f1",
    "/upload/v1beta/files", "/v1beta/files/f1:download", "/v1beta/files:register", "/v1beta/batches", "/v1beta/batches/b1", "/v1beta/batches/b1:cancel",
    "/v1beta/operations/o1", "/v1beta/models/m1/operations/o1", "/v1alpha/auth_tokens", "/v1beta/fileSearchStores", "/v1beta/fileSearchStores/s1/documents/d1",
    "/v1beta/fileSearchStores/s1:importFile", "/upload/v1beta/fileSearchStores/s1:uploadToFileSearchStore", "/v1beta/interactions", "/v1beta/interactions/v1_x:cancel",
    "/v1beta/agents/a", "/v1beta/environments", "/v1beta/triggers", "/v1beta/voices", "/v1beta/webhooks/w1", "/v1beta/credentials", "/v1beta/decisions",
    *(f"/v1beta/openai/{rest}" for rest in ("chat/completions", "models", "models/gemini-2.5-flash", "embeddings", "images/generations", "files", "batches/b1")),
]  # fmt: skip
CALL = "/v1beta/models/{}:generateContent"
TRICKS = [
    *(CALL.format(name) for name in (
        "..", "../..", ".", "a/../b", "a/./b", "..a", "a..", "%2e%2e", "%2E", "a%2fb", "a%2Fb", "a%00", "a\x00", "a\\b", "..\\..", "a;b", "a;jsessionid=1", "a b", "a\tb", "a\rb", "a\nb",
        "a\r\nHost: evil", "a%0d%0aX: y", "é", "ａ", "\u202ea", "a\u2028b", "", "a//b", "a?b", "a#b", "a*b", "a'b", 'a"b', "<a>", "{a}", "a|b", "a^b", "a`b", "a,b", "a=b", "a&b", "a+b", "a!b", "a$b", "(a)",
        "x" * 257, "x" * 5_000, "-." , ".a", "a:b",
    )),
    "", "/", "//", "/v1beta", "/v1beta/", "/v1beta//models", "//v1beta/models", "/v1beta/models/", "/v1beta/models/m:", "/v1beta/models/m:generate-content", "/v1beta/models/m:generateContent/",
    "/v1beta/models/m:" + "g" * 65, "/v1beta/secrets", "/v1beta/Models/m", "/v1gamma/models", "/v123/models", "/v1beta123/models", "/v\u0661/models", "/models/m:generateContent", "/../v1beta/models", "/v1beta/../models", "/v1beta/models/../../x",
    "http://evil/v1beta/models", "/http://evil/v1beta/models", "@evil/v1beta/models", "/prefix/v1beta/models", "/$discovery/rest", "/upload", "/upload/", "/upload/v1beta", "/_gembill", "/_gembill/other",
    "/v1beta/models\n", "\n/v1beta/models", "/v1beta/models/m:generateContent\n", "/v1beta/models/m:generateContent\x00", "/v1beta/models/m%20", "/ws",
]  # fmt: skip


@pytest.mark.parametrize("path", ALLOWED)
def test_every_path_of_the_api_passes_unaltered(path):
    admitted = admit("POST", path.encode(), b"alt=sse&key=%2F")
    assert (admitted.path, admitted.target, admitted.query) == (
        path,
        path.encode() + b"?alt=sse&key=%2F",
        b"alt=sse&key=%2F",
    )
    assert admit("POST", path.encode()).target == path.encode()


@pytest.mark.parametrize("path", TRICKS, ids=lambda path: repr(path[:40]))
def test_a_path_that_is_none_of_the_api_is_never_forwarded(path):
    expected = (404, "GEMBILL_PATH_NOT_FORWARDED")
    with pytest.raises(Refusal) as caught:
        admit("POST", path.encode())
    assert (caught.value.status, caught.value.reason) == expected


CURES = {
    "/models/gemini-2.5-flash:generateContent": "must end with /v1beta,",
    "/models": "must end with /v1beta,",
    "/interactions": "must end with /v1beta,",
    "/upload/files": "must end with /v1beta,",
    "/openai/chat/completions": "must end with /v1beta/openai",
    "/chat/completions": "must end with /v1beta/openai",
    "/embeddings": "must end with /v1beta/openai",
    "/images/generations": "must end with /v1beta/openai",
    "/responses": "must end with /v1beta/openai",
    "/v1/chat/completions": "must end with /v1beta/openai",
    "/v1beta/embeddings": "must end with /v1beta/openai",
    "/projects/p/locations/global/publishers/google/models/m:generateContent": "must end with /v1 or /v1beta1",
    "/v1beta/v1beta/models/m:generateContent": "must end before /v1",
    "/v1beta/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent": "must end before /v1",
    "/": "check the base URL",
    "/metrics": "check the base URL",
    "/v1beta//models/m:generateContent": "two slashes in a row",
    "/v1beta/openai//chat/completions": "two slashes in a row",
    "/v1beta/models/m:generateContent/": "it ends with a slash, which",
    "/v1beta/openai/chat/completions/": "it ends with a slash, which",
    "/v1beta/": "check the base URL",
    "/v1beta/secrets": "check the base URL",
}  # those of clients as they are (README, clients), one way of being wrong each


@pytest.mark.parametrize(("path", "cure"), CURES.items())
def test_a_wrong_base_url_is_answered_with_what_is_missing(path, cure):
    with pytest.raises(Refusal, match="does not forward") as caught:
        admit("POST", path.encode())
    assert cure in str(caught.value)


@given(
    st.binary(max_size=60),
    st.sampled_from(["/v1beta/models/", "/v1beta/", "/", ""]),
    st.sampled_from([":generateContent", ""]),
)
def test_what_passes_has_no_byte_that_two_servers_read_differently(middle, start, end):
    raw = start.encode() + middle + end.encode()
    try:
        admitted = admit("POST", raw)
    except Refusal:
        return
    assert admitted.target == raw
    assert not set(unquote_to_bytes(raw)) & set(b"%\\;?#\0\r\n\t ")
    assert b"%2f" not in raw.lower()
    assert b"//" not in raw
    assert not {b".", b".."} & set(unquote_to_bytes(raw).split(b"/"))


_name = st.text("abXY019._~@-", min_size=1, max_size=12)
_parents = st.sampled_from(
    ["models", "tunedModels", "dynamic", "endpoints", "publishers/google/models", "publishers/x/models", "projects/p/locations/l/endpoints", "projects/p/locations/l/publishers/google/models"]
)  # fmt: skip


@given(
    st.sampled_from(["v1", "v1beta", "v1alpha", "v1beta1", "v2beta3", "v10"]),
    _parents,
    _name,
    st.sampled_from(["generateContent", "streamGenerateContent"]),
)
def test_no_path_of_a_model_that_passes_escapes_the_record(version, parent, name, method):
    path = f"/{version}/{parent}/{name}:{method}"
    try:
        admit("POST", path.encode())
    except Refusal:
        assert name[0] == "." or name[-1] == "."
        return
    assert route("POST", path) is not None


def test_every_recorded_path_passes():
    folder = os.environ.get("GEMBILL_CORPUS")
    if not folder:
        pytest.skip("GEMBILL_CORPUS names no folder of recorded traffic: THE RECORDED PATHS ARE NOT CHECKED")
    seen = 0
    for file in sorted(Path(folder).glob("*.json")):
        case = json.loads(file.read_text())
        if case["path"] is None:
            continue
        path, _, query = case["path"].replace("<GOOGLE_CLOUD_LOCATION>", "masked").partition("?")
        admitted = admit("POST", path.encode(), query.encode())
        if case["surface"] in ("generateContent", "streamGenerateContent"):
            assert route("POST", admitted.path).role is Role.CALL, file.name
        if case["surface"] == "countTokens":
            assert route("POST", admitted.path) is None, file.name
        seen += 1
    assert seen > 100


LIVE = "ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/ws/../v1", []), ("/ws/google.ai.generativelanguage.v1beta.Other.Method", [(b"upgrade", b"websocket")]), ("/v1beta/interactions/live", []), ("//v1/interactions/live?key=k", []),
        ("/v1beta1/projects/p/locations/l/interactions/live", []), ("/v1beta/models/m:generateContent", [(b"upgrade", b"WebSocket")]),
        ("/v1beta/models/m:generateContent", [(b"upgrade", b"h2c, websocket")]),
    ],
)  # fmt: skip
def test_a_websocket_that_is_not_of_the_live_api_is_refused_by_name(target, headers):
    with pytest.raises(Refusal) as caught:
        check_head("1.1", target.encode(), [(b"host", b"h"), *headers])
    assert (caught.value.status, caught.value.reason) == (501, "GEMBILL_LIVE_NOT_RECORDED")


@pytest.mark.parametrize("target", [f"/{LIVE}?key=k", f"//{LIVE}", f"/{LIVE}Constrained"])
def test_a_session_of_the_live_api_begins_as_a_websocket_without_a_body(target):
    offer = [(b"host", b"h"), (b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    head, length = check_head("1.1", target.encode(), offer)
    assert (head.websocket, length) == (True, 0)
    for wrong in ([(b"host", b"h")], [*offer, (b"content-length", b"3")], [*offer, (b"transfer-encoding", b"chunked")]):
        with pytest.raises(Refusal) as caught:
            check_head("1.1", target.encode(), wrong)
        assert caught.value.status == 400


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ([(b"content-length", b"12")], 12),
        ([(b"content-length", b"0")], 0),
        ([(b"transfer-encoding", b"chunked")], None),
        ([], 0),
    ],
)
def test_the_length_of_a_body_is_known_or_it_is_chunked(headers, length):
    assert check_head("1.1", b"/x", [HOST, *headers])[1] == length


HOST = (b"host", b"127.0.0.1:8787")


@pytest.mark.parametrize(
    ("version", "target", "headers", "status"),
    [
        ("1.1", b"http://evil.example/v1beta/models", [HOST], 400),
        ("1.1", b"//evil.example/v1beta/models", [HOST], 400),
        ("1.1", b"v1beta/models", [HOST], 400),
        ("1.1", b"*", [HOST], 400),
        ("1.1", b"", [HOST], 400),
        ("1.1", b"/x", [], 400),
        ("1.1", b"/x", [HOST, HOST], 400),
        ("1.0", b"/x", [HOST, HOST], 400),
        ("1.1", b"/x", [(b"host", b"")], 400),
        *(("1.1", b"/x", [(b"host", host)], 400) for host in (b"a b", b"user@evil", b"a/b", b"a?b", b"a#b", b"a:b", b"a:123456", b"[::1", b"-a", b"a\xff", b"a,b", b"a\\b", b"http://a", b"x" * 300)),
        ("1.1", b"/x", [HOST, (b"content-length", b"1"), (b"transfer-encoding", b"chunked")], 400),
        ("1.1", b"/x", [HOST, (b"content-length", b"1"), (b"content-length", b"1")], 400),
        ("1.1", b"/x", [HOST, (b"content-length", b"1"), (b"content-length", b"2")], 400),
        *(("1.1", b"/x", [HOST, (b"content-length", length)], 400) for length in (b"", b"-1", b"+1", b"1, 1", b"0x10", b"1_0", b"1 ", b"1.0", b"9" * 16, b"\xb2")),
        *(("1.1", b"/x", [HOST, (b"transfer-encoding", coding)], 400) for coding in (b"", b"gzip", b"identity", b"chunked, gzip", b"gzip, chunked", b"chunked;q=1", b"xchunked", b"chunked\x0b")),
        ("1.1", b"/x", [HOST, (b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")], 400),
        ("1.0", b"/x", [HOST, (b"transfer-encoding", b"chunked")], 400),
        *(("1.1", b"/x", [HOST, (name, b"1")], 400) for name in (b"content_length", b"transfer_encoding", b"content-length ", b"transfer-encoding ")),
        ("1.1", b"/x", [HOST, (b"x-big", b"x" * MAX_HEAD)], 431),
        ("1.1", b"/" + b"x" * MAX_HEAD, [HOST], 431),
        ("1.1", b"/x", [HOST, *((b"x-%d" % n, b"v") for n in range(20_000))], 431),
    ],
)  # fmt: skip
def test_a_head_that_two_servers_could_read_differently_is_refused(version, target, headers, status):
    with pytest.raises(Refusal) as caught:
        check_head(version, target, headers)
    assert caught.value.status == status
    assert caught.value.reason == ("GEMBILL_HEAD_TOO_LARGE" if status == 431 else "GEMBILL_MALFORMED_REQUEST")


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ("1.1", [HOST]), ("1.0", []), ("1.0", [HOST]), ("1.1", [(b"host", b"[::1]:8787")]), ("1.1", [(b"host", b"gembill.internal")]), ("1.1", [(b"host", b"localhost:80")]),
        ("1.1", [HOST, (b"content-length", b"0")]), ("1.1", [HOST, (b"content-length", b"104857600")]), ("1.1", [HOST, (b"transfer-encoding", b" Chunked ")]),
        ("1.1", [HOST, (b"x_custom", b"1")]), ("1.1", [HOST, (b"x-goog-api-key", b"k" * 4000)]),
    ],
)  # fmt: skip
def test_ordinary_heads_pass(version, headers):
    check_head(version, b"/v1beta/models/m:generateContent?alt=sse", headers)


DROPPED = [
    b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"host", b"expect", b"x-gembill-label-team",
    b"x-gembill-label-", b"Connection", b"HOST", b"X-Gembill-Label-Team",
]  # fmt: skip
KEPT = [
    b"content-length", b"content-type", b"content-encoding", b"accept-encoding", b"authorization", b"x-goog-api-key", b"x-goog-api-client", b"user-agent", b"x-server-timeout",
    b"date", b"server-timing", b"x-gemini-service-tier", b"set-cookie", b"x-forwarded-for", b"cookie", b"x-gembill", b"proxy-authorization", b"hostname",
]  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*DROPPED, *KEPT]).filter(lambda name: name.lower() != b"connection"), st.binary(max_size=8)
        ),
        max_size=20,
    )
)
def test_headers_go_on_in_their_order_but_for_those_of_the_hop_and_ours(headers):
    assert forwarded(iter(headers)) == [(name, value) for name, value in headers if name in KEPT]


@pytest.mark.parametrize(
    "name",
    [b"Cookie", b"Proxy-Authorization", b"X-Forwarded-For", b"x-forwarded-host", b"X-Forwarded-Proto", b"Forwarded"],
)
def test_what_a_caller_says_to_proxies_stays_here(name):
    head, _ = check_head("1.1", b"/v1beta/models", [HOST, (b"x-first", b"1"), (name, b"v"), (b"x-next", b"2")])
    assert head.onward.lines(0) == b"x-first: 1\r\nx-next: 2\r\n"


def test_what_the_connection_header_names_stays_on_this_hop():
    headers = [
        (b"connection", b"close, X-Hop ,content-length"),
        (b"x-hop", b"1"),
        (b"content-length", b"3"),
        (b"x-next", b"2"),
        (b"Connection", b"x-next"),
    ]
    assert forwarded(headers) == [(b"content-length", b"3")]


@pytest.mark.parametrize(
    ("status", "word"),
    [(400, "INVALID_ARGUMENT"), (404, "NOT_FOUND"), (408, "DEADLINE_EXCEEDED"), (431, "INVALID_ARGUMENT"), (501, "UNIMPLEMENTED"), (502, "UNAVAILABLE"), (503, "UNAVAILABLE"), (504, "DEADLINE_EXCEEDED"), (418, "UNKNOWN")],
)  # fmt: skip
def test_our_errors_have_the_shape_of_googles(status, word):
    assert json.loads(error_body(Refusal(status, "GEMBILL_X", 'why "so"'))) == {
        "error": {
            "code": status,
            "message": 'gembill: why "so"',
            "status": word,
            "details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "GEMBILL_X", "domain": "gembill"}
            ],
        }
    }


API = b"/v1beta/models/m:generateContent"


def test_what_was_admitted_before_is_not_looked_at_again_unless_it_is_long():
    assert admit("POST", API, b"key=a") is admit("POST", API, b"key=a")
    assert admit("POST", API, b"key=a") != admit("POST", API, b"key=b")
    assert admit("GET", API).route is None
    assert admit("POST", API).route is not None
    long = b"key=" + b"a" * 600
    assert admit("POST", API, long) is not admit("POST", API, long)


def test_who_calls_is_known_by_the_head_unless_the_query_may_name_another():
    head, _ = check_head("1.1", API, [HOST, (b"X-Goog-Api-Key", b"mine"), (b"X-Gembill-Label-Team", b"a")])
    assert head.caller_with(b"alt=sse") is head.caller_with(b"") is head.caller
    assert (head.caller.credentials, head.caller.labels) == ((b"mine",), {"team": "a"})
    other = head.caller_with(b"alt=sse&key=other")
    assert (other.credentials, other.labels) == ((b"mine", b"other"), {"team": "a"})


def test_a_head_says_how_its_body_is_packed():
    assert check_head("1.1", API, [HOST, (b"Content-Encoding", b"gzip")])[0].coding == ((b"content-encoding", b"gzip"),)
    assert check_head("1.1", API, [HOST])[0].coding == ()


def test_heads_that_differ_in_their_length_alone_are_checked_once():
    def head(length: bytes, *, size: int = 100):
        return check_head("1.1", b"/x", [(b"x-one", b"1"), HOST, (b"content-length", length), (b"x-two", b"2")], size)

    first, second = head(b"12"), head(b"3456")
    assert first[0] is second[0]
    assert (first[1], second[1]) == (12, 3456)
    assert second[0].onward.lines(3456) == b"x-one: 1\r\ncontent-length: 3456\r\nx-two: 2\r\n"
    assert head(b"12", size=9_000)[0] is not first[0], "large heads are not kept"
    for length in (b"0", b"00", b"007", b"10", b"0001000"):
        checked, number = head(length)
        assert (number, checked.onward.lines(number)) == (
            int(length),
            b"x-one: 1\r\ncontent-length: %b\r\nx-two: 2\r\n" % length,
        )
    for length in (b"", b"-1", b"1 ", b"0x1"):
        with pytest.raises(Refusal):
            head(length)


@pytest.mark.parametrize(
    ("version", "fields", "expects"),
    [
        ("1.1", [(b"expect", b"100-Continue")], True),
        ("1.0", [(b"expect", b"100-continue")], False),
        ("1.1", [(b"expect", b"200-ok")], False),
        ("1.1", [], False),
    ],
)
def test_a_client_of_http_1_1_can_expect_a_100(version, fields, expects):
    assert check_head(version, b"/x", [HOST, *fields])[0].expects is expects
