"""`gembill dashboard`: where it listens, and when it asks for a token."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from gembill.cli.dashboard import hosts_of, token_for
from gembill.errors import ConfigurationError
from gembill.ledger import open_ledger

LONG = "0123456789abcdef"


def test_another_address_needs_a_token() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.8.9.1"):
        assert token_for(host, None) is None
    for host in ("0.0.0.0", "192.168.1.5", "::", "example.org"):
        with pytest.raises(ConfigurationError, match="GEMBILL_DASHBOARD_TOKEN"):
            token_for(host, None)
        assert token_for(host, LONG) == LONG
    with pytest.raises(ConfigurationError, match="needs 16"):
        token_for("127.0.0.1", "short")


def test_names_it_answers_to() -> None:
    assert "pages.lan" in hosts_of("127.0.0.1", ("pages.lan",))
    assert "0.0.0.0" not in hosts_of("0.0.0.0", ())
    assert "[2001:db8::1]" in hosts_of("[2001:db8::1]", ())


def test_it_serves_and_ends_at_a_signal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    open_ledger(url).close()
    command = [sys.executable, "-m", "gembill", "dashboard", "--port", "0", "--database-url", url]
    environment = {**os.environ, "GEMBILL_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path) as child:
        assert child.stderr is not None
        address = child.stderr.readline().split(" on ")[1].split()[0]
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            assert b"Intermediate" in answer.read()
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) in (0, -signal.SIGTERM)
