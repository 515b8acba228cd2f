"""`gembill proxy` and `gembill demo` in a network whose only way out is a forward proxy that wants credentials."""

import subprocess
import sys

import pytest

from gembill.errors import ConfigurationError
from tests.e2e.child import Child
from tests.e2e.player import Player, Reply
from tests.forward_proxy import forward_proxy
from tests.gembill.upstream.test_client import certificate
from tests.recording import PATH
from tests.surroundings import clean

__all__ = ["certificate"]  # a fixture

ANSWER = (
    b'{"candidates": [], "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}, "modelVersion": "gemini-3"}'
)
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def api():
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        yield player


def test_calls_go_through_the_proxy_that_the_variable_names(recording, monkeypatch, api):
    with forward_proxy("user", "p@ss") as company:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:p%40ss@{company.place}")
        proxy = recording(api.url)
        with proxy.running():
            assert [proxy.post()[0] for _ in range(3)] == [200] * 3
    assert company.seen == [f"CONNECT {api.url.removeprefix('http://')}"]
    assert b"Basic" not in company.relayed
    assert [stored.record.status for stored in proxy.records()] == ["complete"] * 3


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "*", "10.0.0.0/8,127.0.0.0/8"])
def test_no_proxy_is_obeyed(recording, monkeypatch, api, no_proxy):
    with forward_proxy() as company:
        monkeypatch.setenv("ALL_PROXY", f"http://{company.place}")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        proxy = recording(api.url)
        with proxy.running():
            assert proxy.post()[0] == 200
    assert company.seen == []


def test_each_family_of_endpoints_has_its_own_way_out(recording, monkeypatch, api):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as vertex, forward_proxy() as company:
        monkeypatch.setenv("HTTP_PROXY", f"http://{company.place}")
        monkeypatch.setenv("NO_PROXY", api.url.removeprefix("http://"))
        proxy = recording(api.url, vertex_upstream=vertex.url)
        with proxy.running():
            assert (
                proxy.post()[0] == proxy.post("/v1/projects/p/locations/global/publishers/google/" + PATH[8:])[0] == 200
            )
    assert company.seen == [f"CONNECT {vertex.url.removeprefix('http://')}"]


def test_a_refused_call_is_502_never_sent_and_costs_nothing(recording, api):
    with forward_proxy("user", "other") as company:
        proxy = recording(api.url, upstream_proxy=f"http://user:SECRET@{company.place}")
        with proxy.running():
            status, body = proxy.post()
    assert (status, api.requests) == (502, [])
    assert b"does not accept the user and password of its address (HTTP 407)" in body
    assert b"SECRET" not in body
    (stored,) = proxy.records()
    assert (stored.record.status, stored.cost_pico) == ("error", 0)


def test_authorities_of_our_own_are_trusted_for_a_proxy_with_tls(recording, api, certificate):
    with forward_proxy(tls=certificate) as company:
        proxy = recording(api.url, upstream_proxy=f"https://{company.place}", upstream_ca=certificate)
        with proxy.running():
            assert proxy.post()[0] == 200
    assert len(company.seen) == 1


def test_the_variable_of_openssl_names_authorities_too(recording, monkeypatch, api, certificate):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with forward_proxy(tls=certificate) as company:
        proxy = recording(api.url, upstream_proxy=f"https://{company.place}")
        with proxy.running():
            assert proxy.post()[0] == 200


def test_a_socks_proxy_stops_the_start_with_a_sentence(recording, monkeypatch, api):
    monkeypatch.setenv("ALL_PROXY", "socks5://u:SECRET@127.0.0.1:1080")
    with pytest.raises(ConfigurationError, match="ALL_PROXY names a SOCKS proxy, which is not supported; "):
        recording(api.url).running().__enter__()


def test_the_password_of_the_proxy_is_in_no_log(tmp_path, monkeypatch, api):
    with forward_proxy("user", "else") as company:
        monkeypatch.setenv("http_proxy", f"http://user:VERYSECRET@{company.place}")
        child = Child(tmp_path, api.url, f"sqlite:///{tmp_path / 'ledger.db'}")
        with child.running():
            assert child.post(PATH, "a") == 502
            health = child.health()
    assert len(company.seen) == 1
    assert f" -> {api.url} through http://user:***@{company.place}, ledger ".encode() in child.log.read_bytes()
    assert b"VERYSECRET" not in child.log.read_bytes() + health


def test_the_demo_needs_no_network_there(tmp_path):
    dead = "http://127.0.0.1:9"
    environment = clean(
        HOME=str(tmp_path), GEMBILL_DATA_DIR=str(tmp_path), HTTP_PROXY=dead, http_proxy=dead, ALL_PROXY=dead
    )
    command = [sys.executable, "-m", "gembill", "demo", "--records", "20"]
    run = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert (run.returncode, "DEMO DATA" in run.stdout) == (0, True), run.stderr
