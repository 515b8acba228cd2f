"""Which proxy is between, as the variables say it, and the rule of NO_PROXY."""

import base64
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gembill.errors import ConfigurationError
from gembill.upstream.egress import ForwardProxy, bypassed, way_out

API = ("https", "generativelanguage.googleapis.com", 443)
PROXY = "http://proxy.example:3128"

label = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
name = st.lists(label, min_size=1, max_size=4).map(".".join)
port = st.integers(1, 65535)


def way(environ: dict[str, str], setting: str | None = None, origin: tuple[str, str, int] = API) -> str | None:
    proxy = way_out(*origin, environ, setting)
    return proxy and proxy.shown


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other.example:1"}, PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, PROXY),
        ({"HTTP_PROXY": PROXY, "http_proxy": PROXY}, None),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"all_proxy": "http://other.example:1", "HTTPS_PROXY": PROXY}, PROXY),
        ({"HTTPS_PROXY": "proxy.example:3128"}, PROXY),
        ({"HTTPS_PROXY": " " + PROXY + "/ "}, PROXY),
        ({"HTTPS_PROXY": "http://proxy.example"}, "http://proxy.example:80"),
        ({"HTTPS_PROXY": "HTTPS://proxy.example"}, "https://proxy.example:443"),
        ({"HTTPS_PROXY": "http://[::1]:3128"}, "http://[::1]:3128"),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "googleapis.com"}, None),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "other.example", "NO_PROXY": "*"}, PROXY),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "*"}, None),
    ],
)
def test_the_variables_are_read_as_curl_reads_them(environ: dict[str, str], shown: str | None) -> None:
    assert way(environ) == shown


def test_a_plain_upstream_has_the_variable_of_its_scheme() -> None:
    origin = ("http", "simulator.example", 8788)
    assert way({"HTTP_PROXY": PROXY, "HTTPS_PROXY": "http://other.example:1"}, origin=origin) == PROXY
    assert way({"HTTPS_PROXY": PROXY}, origin=origin) is None


def test_the_setting_counts_alone() -> None:
    environ = {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}
    assert way(environ, "http://mine.example:8080") == "http://mine.example:8080"
    assert way({"HTTPS_PROXY": PROXY}, "none") is None


def test_credentials_are_percent_decoded_and_shown_nowhere() -> None:
    proxy = ForwardProxy.parse("http://us%40er:p%3A%2Fs%C3%A9cret@proxy.example:3128/", called="x")
    assert proxy.authorization == b"Basic " + base64.b64encode("us@er:p:/sécret".encode())
    assert (proxy.host, proxy.port, proxy.tls) == ("proxy.example", 3128, False)
    assert "cret" not in repr(proxy)
    assert proxy.shown == "http://us%40er:***@proxy.example:3128"


@pytest.mark.parametrize("password", ["p@ss", "a/b", "a?b#c", "a:b"])
def test_a_password_that_is_not_escaped_is_taken_as_it_is(password: str) -> None:
    proxy = ForwardProxy.parse(f"http://user:{password}@proxy.example:3128", called="x")
    assert proxy.authorization == b"Basic " + base64.b64encode(b"user:" + password.encode())
    assert (proxy.host, password in proxy.shown) == ("proxy.example", False)


@pytest.mark.parametrize(
    "address",
    [
        "http://",
        "http://u:SECRET@",
        "ftp://u:SECRET@p:1",
        "http://u:SECRET@p:0",
        "http://u:SECRET@p:99999",
        "SECRET:x",
    ],
)
def test_an_address_that_is_none_is_refused_without_quoting_it(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"HTTPS_PROXY is not the address of a proxy; write it like") as caught:
        way({"HTTPS_PROXY": address})
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS4"])
def test_a_socks_proxy_is_refused_in_one_sentence_unless_it_is_not_needed(scheme: str) -> None:
    environ = {"ALL_PROXY": f"{scheme}://u:SECRET@127.0.0.1:1080"}
    with pytest.raises(ConfigurationError, match=r"ALL_PROXY names a SOCKS proxy, which is not supported; ") as caught:
        way(environ)
    assert "SECRET" not in str(caught.value)
    assert way(environ | {"HTTPS_PROXY": PROXY}) == PROXY
    assert way(environ | {"NO_PROXY": ".googleapis.com"}) is None


@pytest.mark.parametrize(
    ("host", "entry", "expected"),
    [
        ("api.example", "*", True),
        ("api.example", "", False),
        ("api.example", "API.Example.", True),
        ("api.example.", "api.example", True),
        ("api.example", ".api.example", True),
        ("api.example", "*.example", True),
        ("api.example", "pi.example", False),
        ("api.example", "api.example.com", False),
        ("api.example", "api.example:443", True),
        ("api.example", "api.example:80", False),
        ("api.example", "a b\tapi.example,c", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.0/8", True),
        ("127.0.0.1", "127.0.0.1:443", True),
        ("127.0.0.1", "127.0.0.1:80", False),
        ("127.0.0.1", "0.0.1", False),
        ("127.0.0.1", "localhost", False),
        ("127.0.0.1", ".1", False),
        ("[::1]", "::1", True),
        ("[::1]", "[::1]:443", True),
        ("[::1]", "[::1]:80", False),
        ("[fd00::1]", "fd00::/8", True),
        ("[fd00::1]", "10.0.0.0/8", False),
        ("api.example", "10.0.0.0/8", False),
    ],
)
def test_an_entry_of_no_proxy_covers_what_curl_and_requests_say(host: str, entry: str, expected: bool) -> None:
    assert bypassed(host, 443, entry) is expected


@given(name, name, port)
def test_a_name_covers_itself_and_what_is_under_it_and_nothing_else(host: str, entry: str, number: int) -> None:
    under = host.split(".")[-len(entry.split(".")) :] == entry.split(".")
    for spelling in (entry, "." + entry, "*." + entry, entry.upper(), f"{entry}:{number}"):
        assert bypassed(host, number, spelling) is under
    assert bypassed(f"more.{entry}", number, entry)
    assert not bypassed(f"more{entry}", number, entry)


@given(st.ip_addresses(), st.ip_addresses(), st.integers(0, 128), port)
@example(ip_address("10.1.2.3"), ip_address("10.0.0.0"), 8, 443)
def test_a_range_covers_the_addresses_in_it(address, base, bits: int, number: int) -> None:  # type: ignore[no-untyped-def]
    assume(bits <= base.max_prefixlen)
    inside = address in ip_network(f"{base}/{bits}", strict=False)
    assert bypassed(str(address), number, f"{base}/{bits}") is inside
    assert bypassed(f"[{address}]", number, str(address))


@given(st.lists(st.one_of(name, st.text(max_size=8)), max_size=5), name, port)
def test_a_list_covers_what_any_of_its_entries_covers(entries: list[str], host: str, number: int) -> None:
    whole = bypassed(host, number, ",".join(entries))
    assert whole is any(bypassed(host, number, entry) for entry in entries)
