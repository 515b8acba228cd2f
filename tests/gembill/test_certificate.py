"""TLS of the proxy itself: given files, a certificate of its own making, and what clients think of it."""

import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from gembill import certificate
from gembill.certificate import how_to_trust, server_context
from gembill.config import Settings
from gembill.errors import ConfigurationError
from tests.e2e.player import Player


def pem(folder: Path) -> Path:
    return folder / "tls.pem"


def made(folder: Path, host: str = "127.0.0.1") -> bytes:
    assert server_context(Settings(data_dir=folder, tls="self", host=host)) is not None
    return pem(folder).read_bytes()


def test_without_a_word_the_proxy_speaks_plain_http(tmp_path):
    assert server_context(Settings(data_dir=tmp_path)) is None
    assert not any(tmp_path.iterdir())


def test_a_certificate_is_made_once_and_its_key_is_nobodys_else(tmp_path):
    first = made(tmp_path / "new")
    assert made(tmp_path / "new") == first
    assert stat.S_IMODE(pem(tmp_path / "new").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["tls.pem"]


@pytest.mark.parametrize("spoilt", ["another host", "soon over", "not a certificate"])
def test_a_certificate_that_will_not_do_is_made_again(spoilt, tmp_path, monkeypatch):
    first, host = made(tmp_path), "127.0.0.1"
    if spoilt == "another host":
        host = "192.0.2.7"
    elif spoilt == "soon over":
        monkeypatch.setattr(certificate, "_RENEW", timedelta(days=366))
    else:
        pem(tmp_path).write_bytes(b"something else")
    assert made(tmp_path, host) != first


def test_a_calls_path_over_tls_is_that_of_any_call(recording, tmp_path):
    answer = Player()
    with answer.serving() as player, (proxy := recording(player.url, tls="self")).running():
        assert proxy.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(pem(tmp_path)))
        assert urlopen(f"{proxy.url}/_gembill/health", context=trusting, timeout=60).status == 200
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            urlopen(f"{proxy.url}/_gembill/health", context=ssl.create_default_context(), timeout=60)


def test_a_strict_client_takes_the_certificate(tmp_path):
    """As Python 3.13 checks by default."""
    made(tmp_path)
    context = ssl.create_default_context(cafile=str(pem(tmp_path)))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    serving = server_context(Settings(data_dir=tmp_path, tls="self"))
    assert serving is not None
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version() == "TLSv1.3"
    assert datetime.now(UTC).year >= 2026


def test_files_that_cannot_be_used_are_one_sentence(tmp_path):
    for settings, words in [
        (Settings(data_dir=tmp_path, tls_cert=tmp_path / "none.pem"), "none.pem cannot be used for TLS: No such file"),
        (Settings(data_dir=tmp_path, tls_key=tmp_path / "key.pem"), "tls_key is given and tls_cert is not"),
        (
            Settings(data_dir=tmp_path, tls="self", tls_cert=tmp_path / "a.pem"),
            "tls is self, which makes a certificate",
        ),
    ]:
        with pytest.raises(ConfigurationError, match=words):
            server_context(settings)


def test_the_command_says_in_a_line_how_to_trust_it(tmp_path):
    settings = Settings(data_dir=tmp_path, tls="self")
    assert how_to_trust(Settings(data_dir=tmp_path)) is None
    assert f"SSL_CERT_FILE={pem(tmp_path)}" in (how_to_trust(settings) or "")
    spaced = Settings(data_dir=tmp_path / "a b", tls="self")
    assert f"SSL_CERT_FILE='{tmp_path}/a b/" in (how_to_trust(spaced) or "")
    lazy = "import sys; import gembill.certificate; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", lazy], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
