"""An origin: scheme, host and port, and nothing else."""

import pytest

from gembill.errors import ConfigurationError
from gembill.upstream import Origin


@pytest.mark.parametrize(
    ("url", "host", "text"),
    [
        ("https://generativelanguage.googleapis.com", b"generativelanguage.googleapis.com", None),
        ("HTTP://127.0.0.1:8788/", b"127.0.0.1:8788", "http://127.0.0.1:8788"),
        ("https://Example.com:443", b"example.com", "https://example.com"),
        ("http://[::1]:80", b"[::1]", "http://[::1]"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, host: bytes, text: str | None) -> None:
    origin = Origin.parse(url)
    assert (origin.host_header, str(origin)) == (host, text or url)
    assert Origin.parse(str(origin)) == origin


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://api.example/v1SECRET", "it has a path"),
        ("https://api.example?key=SECRET", "a query"),
        ("https://user:SECRET@api.example", "names a user"),
        ("api.example", "no scheme"),
        ("ftp://api.example", "scheme, host or port"),
        ("https://", "scheme, host or port"),
        ("https://api.example:99999", "port must be within"),
        ("https://api.example:0", "port must be within"),
        ("https://api..example", "empty label"),
        ("https://" + "a" * 64 + ".example", "over 63"),
        ("https://api.example\r\n", "scheme, host or port"),
        ("https://api.example\\@evil.example", "names a user"),
        ("https://ex\u00e4mple", "scheme, host or port"),
    ],
)
def test_an_origin_with_anything_more_is_refused_without_quoting_it(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        Origin.parse(url)
    assert "SECRET" not in str(caught.value)
