"""Addresses: loopback by address, a port or one clear sentence, and nothing shown that may be a password."""

import re
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gembill
from gembill.address import addresses, from_here, listen, loopback, masked, of_file, url_of
from gembill.errors import ConfigurationError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "::ffff:127.0.0.1"])
def test_what_only_this_machine_can_reach_is_loopback(host):
    assert loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "example.com", "localhost.example.com", "", "::ffff:10.0.0.1"]
)
def test_anything_else_counts_as_reachable(host):
    assert not loopback(host)


@pytest.mark.parametrize(
    ("host", "known"),
    [("127.0.0.1", {"127.0.0.1"}), ("0.0.0.0", {"0.0.0.0"}), ("::1", {"::1"}), ("no host.invalid", set())],
)
def test_the_addresses_of_a_host(host, known):
    assert addresses(host) == known


@pytest.mark.parametrize(
    ("host", "url", "own"),
    [
        ("127.0.0.1", "http://127.0.0.1:80", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://0.0.0.0:80", "http://127.0.0.1:80"),
        ("::", "http://[::]:80", "http://[::1]:80"),
        ("::1", "http://[::1]:80", "http://[::1]:80"),
        ("gembill.lan", "http://gembill.lan:80", "http://gembill.lan:80"),
    ],
)
def test_an_address_that_means_all_is_called_by_loopback(host, url, own):
    assert url_of("http", host, 80) == url
    assert from_here(url) == own


def test_a_port_is_taken_once_and_then_refused_in_one_sentence():
    with listen("127.0.0.1", 0, backlog=1) as taken:
        port = taken.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), 60).close()
        with pytest.raises(ConfigurationError, match=f"127.0.0.1 port {port}: .*--port"):
            listen("127.0.0.1", port, backlog=1)


HARMLESS = [
    "sqlite:////home/me@work/led:ger.db",
    "sqlite:///ledger.db",
    "postgresql://h/d",
    "postgresql+psycopg://me@h:5432/d",
    "postgresql://h1:1,h2:2/d?sslmode=require&application_name=gembill",
    "postgresql://[::1]:5432/d?host=/run/postgresql",
    "https://generativelanguage.googleapis.com",
]


@pytest.mark.parametrize("address", HARMLESS)
def test_an_address_without_a_password_is_shown_whole(address):
    assert masked(address) == address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:secret@h:5432/d", "postgresql://me:***@h:5432/d"),
        ("postgresql://me:sec@ret@h/d", "postgresql://me:***@h/d"),
        ("postgresql://h/d?user=me&password=secret", "postgresql://h/d?user=me&***"),
        ("postgresql://me@h/d?sslmode=require&sslpassword=secret&user=x", "postgresql://me@h/d?sslmode=require&***"),
        ("postgresql://h/d?password=sec@ret", "postgresql://***"),
        ("postgresql://me:secret", "postgresql://***"),
        ("host=h password=secret", "***"),
    ],
)
def test_a_password_is_struck_wherever_it_is(address, shown):
    assert masked(address) == shown


FORMS = [
    "{scheme}://me:{password}@h/d",
    "{scheme}://me:{password}@[::1]:5432/d?sslmode=require",
    "{scheme}://:{password}@h1,h2/d",
    "{scheme}://me:{password}@/d?host=/run/postgresql",
    "{scheme}://h/d?user=me&password={password}",
    "{scheme}://h:5432/d?password={password}&user=me",
    "{scheme}://me@h/d?sslmode=require&sslpassword={password}&host=x",
    "{scheme}://me:other@h/d?passwd={password}",
    "{scheme}://?%70assword={password}",
    "host=h user=me password={password}",
    "{scheme}:me:{password}@h/d",
]
around = st.text("@:/?#&=%;,. '[]aé", max_size=4)


@given(
    st.sampled_from(FORMS),
    st.sampled_from(["postgresql", "postgresql+psycopg", "postgres", "mysql", "https"]),
    around,
    around,
)
def test_no_form_of_an_address_shows_any_of_its_password(form, scheme, before, after):
    assert "canary" not in masked(form.format(scheme=scheme, password=f"{before}canary{after}"))


@given(st.text())
def test_any_text_has_a_form_that_can_be_shown_and_that_stays_as_it_is(text):
    assert masked(masked(text)) == masked(text)


def test_an_address_becomes_text_for_people_here_alone():
    sources = list(Path(gembill.__file__).parent.rglob("*.py"))
    assert len(sources) > 10
    shown = re.compile(r"^.*(?:render_as_string|hide_password|\{[\w.]*(?:ledger|database)_url[!:}]).*$", re.MULTILINE)
    lines = [line.strip() for source in sources for line in shown.findall(source.read_text(encoding="utf-8"))]
    assert [line for line in lines if "masked(" not in line] == []
    assert lines


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(lambda name: name != ":memory:")
)
def test_a_file_of_any_name_has_an_address_that_leads_to_it(name):
    from gembill.ledger import ledger_file

    assert ledger_file(of_file(Path(name))) == Path(name)
    assert ledger_file(of_file(Path("/data", name))) == Path("/data", name)
