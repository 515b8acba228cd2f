"""Who makes a call: credentials wherever they are presented, labels within their limits, and no leak of either."""

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.capture.attribution import (
    MAX_LABELS,
    MAX_NAME,
    MAX_VALUE,
    Caller,
    about_caller,
    caller_of,
    may_name_caller,
    strike,
)

KEY = b"canary-AIzaSyD-0123456789_abcdefghijklmn"


def labelled(*pairs: tuple[bytes, bytes], query: bytes = b"", key: bytes | None = None) -> Caller:
    headers = [(b"x-goog-api-key", key)] if key else []
    return caller_of([*headers, *((b"x-gembill-label-" + name, value) for name, value in pairs)], query)


@pytest.mark.parametrize(
    ("headers", "query", "credentials"),
    [
        ([(b"x-goog-api-key", KEY)], b"", (KEY,)),
        ([(b"x-goog-api-key", b"  " + KEY + b" ")], b"", (KEY,)),
        ([(b"authorization", b"Bearer " + KEY)], b"", (KEY,)),
        ([(b"authorization", b"bearer   " + KEY)], b"", (KEY,)),
        ([(b"authorization", b"Token auth_tokens/abc")], b"", (b"auth_tokens/abc",)),
        ([(b"authorization", KEY)], b"", (KEY,)),
        ([], b"key=" + KEY, (KEY,)),
        ([], b"alt=sse&key=" + KEY + b"&x=1", (KEY,)),
        ([], b"%24key=" + KEY, (KEY,)),
        ([], b"k%65y=" + KEY, (KEY,)),
        ([], b"access_token=" + KEY, (KEY,)),
        ([], b"oauth_token=" + KEY, (KEY,)),
        ([], b"key=ya29.a%2Fb%3D%3D", (b"ya29.a/b==", b"ya29.a%2Fb%3D%3D")),
        ([], b"key=a+secret", (b"a secret", b"a+secret")),
        ([(b"authorization", b"Bearer second"), (b"x-goog-api-key", KEY)], b"key=third-key", (KEY, b"third-key", b"second")),
        ([(b"x-goog-api-key", KEY), (b"authorization", b"Bearer " + KEY)], b"key=" + KEY, (KEY,)),
        ([(b"x-goog-api-key", b""), (b"authorization", b" ")], b"key=&key&alt=sse", ()),
        ([(b"x-goog-user-project", b"p"), (b"cookie", b"key=x")], b"monkey=banana&api=key", ()),
    ],
)  # fmt: skip
def test_credentials_are_found_wherever_they_are_presented(headers, query, credentials):
    caller = caller_of(headers, query)
    assert caller.credentials == credentials
    assert caller.identity == (credentials[0] if credentials else None)


TOKEN = b"ya29.canary-token-0123456789"
BEARER = (b"authorization", b"Bearer " + TOKEN)


@pytest.mark.parametrize(
    ("headers", "query", "project", "account"),
    [
        ([BEARER], b"", "my-project", "my-project"),
        ([], b"access_token=" + TOKEN, "my-project", "my-project"),
        ([BEARER, (b"x-goog-user-project", b"payer")], b"", "my-project", "my-project/payer"),
        ([BEARER, (b"x-goog-user-project", b"my-project")], b"", "my-project", "my-project"),
        ([BEARER, (b"x-goog-user-project", b"payer")], b"", None, "payer"),
        ([BEARER], b"alt=sse&quotaUser=user%2042", "p", "p/user 42"),
        ([BEARER, (b"x-goog-quota-user", b"u")], b"quotaUser=v", "p", "p/u"),
        ([BEARER, (b"x-goog-user-project", b"payer")], b"quotaUser=u", "p", "p/payer/u"),
        ([BEARER], b"quotaUser=" + TOKEN, "p", "p/[redacted]"),
        ([BEARER], b"quotaUser=" + b"u" * 65, "p", "p/" + "u" * 64),
        ([BEARER], b"", None, None),
        ([], b"quotaUser=u", "p", None),
        ([(b"x-goog-user-project", b"payer")], b"", "p", None),
        ([BEARER, (b"x-goog-api-key", KEY)], b"", "p", None),
        ([BEARER], b"key=" + KEY, "p", None),
        ([(b"authorization", b"Bearer AIzaSyD-0123456789")], b"", "p", None),
        ([(b"authorization", b"Bearer AQ.Ab8RN6J-0123456789")], b"", "p", None),
    ],
)
def test_who_presents_a_token_alone_is_known_by_project_and_quota_user(headers, query, project, account):
    assert caller_of(headers, query).account(project) == account


def test_the_account_outlives_the_token():
    first, second = (
        caller_of([(b"authorization", b"Bearer ya29." + end)], b"") for end in (b"one-token", b"other-token")
    )
    assert first.identity != second.identity
    assert first.account("p") == second.account("p") == "p"


def test_labels_are_kept_as_given():
    caller = labelled((b"team", b"search"), (b"cost-centre", "Köln €".encode()), (b"empty", b""))
    assert caller.labels == {"team": "search", "cost-centre": "Köln €", "empty": ""}
    assert not caller.labels_cut


@pytest.mark.parametrize(
    ("value", "kept", "cut"),
    [
        (b"x" * MAX_VALUE, "x" * MAX_VALUE, False),
        (b"x" * (MAX_VALUE + 1), "x" * MAX_VALUE, True),
        ("é".encode() * MAX_VALUE, "é" * MAX_VALUE, False),
        (b"caf\xe9", "café", False),
        (b"\xff\xfe", "ÿþ", False),
        (b"a\x00b", "ab", False),
        ("\u202ertl \u200b\U0001f600".encode(), "\u202ertl \u200b\U0001f600", False),
    ],
)
def test_a_value_is_text_of_at_most_256_characters(value, kept, cut):
    caller = labelled((b"a", value))
    assert caller.labels == {"a": kept}
    assert caller.labels_cut is cut


def test_names_are_cut_at_64_characters_and_unnamed_labels_dropped():
    assert labelled((b"n" * MAX_NAME, b"v")) == Caller((), {"n" * 64: "v"}, False)
    assert labelled((b"n" * (MAX_NAME + 1), b"v")) == Caller((), {"n" * 64: "v"}, True)
    assert labelled((b"", b"v")) == Caller((), {}, True)
    assert labelled((b"\x00", b"v")) == Caller((), {}, True)


def test_of_ten_thousand_labels_64_are_kept_and_the_cut_is_said():
    caller = labelled(*((b"l%d" % n, b"v") for n in range(10_000)))
    assert (len(caller.labels), caller.labels_cut) == (MAX_LABELS, True)
    full = labelled(*((b"l%d" % n, b"v") for n in range(MAX_LABELS)), (b"l3", b"again"))
    assert (len(full.labels), full.labels["l3"], full.labels_cut) == (MAX_LABELS, "again", False)


@given(st.lists(st.tuples(st.binary(max_size=90), st.binary(max_size=300)), max_size=80))
def test_any_labels_stay_within_their_limits_and_encode(pairs):
    caller = labelled(*pairs, key=KEY)
    assert len(caller.labels) <= MAX_LABELS
    for name, value in caller.labels.items():
        assert 0 < len(name) <= MAX_NAME
        assert len(value) <= MAX_VALUE
        assert "\0" not in name + value
    assert msgspec.json.decode(msgspec.json.encode(caller.labels), type=dict[str, str]) == caller.labels


@pytest.mark.parametrize("before", [b"", b"my key is ", b"x" * 230, b"x" * 250])
@pytest.mark.parametrize("broken", [KEY, KEY[:5] + b"\x00" + KEY[5:]])
def test_a_credential_in_a_label_is_struck_out_even_where_the_limit_cuts_it(before, broken):
    caller = labelled((b"note", before + broken), (broken, b"value"), key=KEY)
    shown = json.dumps(caller.labels)
    assert not any(KEY[start : start + 12].decode() in shown for start in range(len(KEY) - 12))
    assert "[redacted]" in caller.labels


def test_a_url_encoded_credential_is_struck_out_in_both_spellings():
    caller = labelled((b"a", b"ya29.a/b=="), (b"b", b"ya29.a%2Fb%3D%3D"), query=b"key=ya29.a%2Fb%3D%3D")
    assert caller.labels == {"a": "[redacted]", "b": "[redacted]"}


def test_a_short_credential_does_not_hit_ordinary_words():
    assert labelled((b"team", b"search"), key=b"sea").labels == {"team": "search"}
    assert strike("search", [b"sea", b""]) == "search"


def test_a_caller_is_printed_without_its_credentials():
    caller = labelled((b"note", KEY), query=b"key=" + KEY, key=KEY)
    assert KEY.decode() not in f"{caller!r} {caller} {[caller]}"
    assert "1 credentials" in repr(caller)


@pytest.mark.parametrize(
    "secret", ["plain-key", 'quo"ted-key', "back\\slash-key", "clé-secrète", 'clé"\\-tab\t-key', "line\nend-key"]
)
def test_a_credential_is_found_in_json_however_it_is_escaped(secret):
    who = caller_of([(b"x-goog-api-key", secret.encode())], b"")
    inner = [secret, json.dumps({"echo": secret}), json.dumps({"echo": secret}, ensure_ascii=False)]
    for text in inner:
        assert who.shows_in(msgspec.json.encode({"usage": text}))
        assert not who.shows_in(msgspec.json.encode({"usage": strike(text, who.credentials)}))
    assert not who.shows_in(b'{"usage": "nothing of it"}')
    assert not Caller((), {}, False).shows_in(b"anything")


def test_the_headers_of_a_caller_are_read_once_whatever_else_a_request_has():
    first = caller_of([(b"host", b"a"), (b"x-goog-api-key", KEY), (b"x-gembill-label-a", b"1")], b"alt=sse")
    again = caller_of([(b"x-goog-api-key", KEY), (b"content-length", b"7"), (b"x-gembill-label-a", b"1")], b"")
    assert again is first
    assert caller_of([(b"x-goog-api-key", KEY), (b"x-gembill-label-a", b"2")], b"").labels == {"a": "2"}
    assert caller_of([(b"x-goog-api-key", KEY)], b"key=other").credentials == (KEY, b"other")


@pytest.mark.parametrize(
    "query", [b"key=a", b"%24key=a", b"access_token=a", b"oauth_token=a", b"quotaUser=a", b"%6bey=a"]
)
def test_a_query_that_names_someone_is_looked_at(query):
    assert may_name_caller(b"alt=sse&" + query)
    assert not may_name_caller(b"alt=sse")
    assert not may_name_caller(b"")


def test_a_caller_with_very_many_labels_is_not_remembered():
    labels = [(b"x-gembill-label-l%d" % n, b"v" * 200) for n in range(40)]
    first, again = (caller_of([*labels, (b"x-goog-api-key", KEY)], b"") for _ in range(2))
    assert first == again
    assert first is not again


def test_the_headers_about_a_caller_say_as_much_as_all_of_them():
    headers = [(b"host", b"a"), (b"x-goog-api-key", KEY), (b"x-gembill-label-a", b"1"), (b"x-goog-api-client", b"c")]
    own = about_caller([*headers, (b"authorization", b"Bearer t"), (b"x-goog-user-project", b"p")])
    assert [name for name, _ in own] == [
        b"x-goog-api-key", b"x-gembill-label-a", b"authorization", b"x-goog-user-project",
    ]  # fmt: skip
    assert caller_of(about_caller(headers), b"key=x") is caller_of(headers, b"key=x")


def test_a_caller_with_other_labels_still_knows_its_secrets():
    who = replace(caller_of([(b"x-goog-api-key", KEY)], b""), labels={"run": "7"})
    assert who.shows_in(b'{"echo":"' + KEY + b'"}')
