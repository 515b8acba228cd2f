"""Logs without keys: canaries in every corner of a log line, and in what nobody caught."""

import io
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gembill.capture.redaction import Redaction, install

ROOT = Path(__file__).resolve().parents[3]
GOOGLE = "AIzaSyCANARY0123456789-abcdefghij_kl"
NEWER = "AQ.CANARYab8RN6K_0123456789-xyz"
OURS = "gmb_CANARY-0123456789_abcdefghij"
OAUTH = "ya29.a0CANARY-0123456789.abcdef_g"
PLAIN = "canary-of-no-known-shape-42"  # remembered, as the recorder does with each caller's


class Log:
    """A logger behind the redaction, and what it wrote."""

    def __init__(self) -> None:
        self.redaction = Redaction()
        self.redaction.remember([PLAIN.encode()])
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(self.redaction)

    @property
    def text(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def log() -> Iterator[Log]:
    captured = Log()
    root = logging.getLogger()
    level = root.level
    root.addHandler(captured.handler)
    root.setLevel(logging.DEBUG)
    yield captured
    root.removeHandler(captured.handler)
    root.setLevel(level)


@pytest.mark.parametrize("secret", [GOOGLE, NEWER, OAUTH, OURS, PLAIN])
def test_a_key_is_struck_out_wherever_it_is_in_a_line(log, secret):
    third_party = logging.getLogger("httpcore.http11")
    third_party.debug("send_request_headers %r", [(b"x-goog-api-key", secret.encode()), (b"accept", b"*/*")])
    third_party.debug("GET https://host/v1beta/models?key=%s&alt=sse HTTP/1.1", secret)
    third_party.info("%(url)s", {"url": f"https://u:{secret}@host/"})
    logging.getLogger(f"named.{secret}").warning("as the name of a logger")
    logging.getLogger("x").error(f"as the message {secret}, twice {secret}")  # noqa: G004 - others do so
    logging.getLogger("x").error("as an object %s", {"a": [secret, (secret,)]})
    logging.getLogger("x").error("where", stack_info=True)
    assert log.text.count("\n") > 6
    assert log.text.count("[redacted]") >= 8
    assert secret not in log.text


@pytest.mark.parametrize("secret", [GOOGLE, NEWER, OAUTH, PLAIN])
def test_a_key_is_struck_out_of_chained_tracebacks(log, secret):
    def fail() -> None:
        try:
            {}[secret]
        except KeyError as error:
            error.add_note(f"a note with {secret}")
            raise ValueError(f"second {secret}") from error

    try:
        try:
            fail()
        except ValueError:
            raise RuntimeError(secret)  # noqa: B904 - chained by context, not by cause
    except RuntimeError:
        logging.getLogger("x").exception("failed with %s", secret)
    assert "direct cause" in log.text
    assert "During handling" in log.text
    assert log.text.count("[redacted]") >= 5
    assert secret not in log.text


@pytest.mark.parametrize(
    "line",
    [
        "?key={}", "&key={}&alt=sse", "https://h/v1?alt=sse&key={}", "key={}", "b'key={}'", "$key={}", "?key%3D{}", "?access_token={}", "&oauth_token={}",
        "Authorization: Bearer {}", "authorization: bearer {}", "Authorization: Basic {}", "Authorization: Token {}", "Authorization: {}", "Bearer {}", "bearer   {}",
        "X-Goog-Api-Key: {}", "x-goog-api-key={}", "{{'x-goog-api-key': '{}'}}", "(b'x-goog-api-key', b'{}')", '{{"authorization": "Bearer {}"}}',
        "[(b'authorization', b'Bearer {}'), (b'a', b'b')]", "-H 'x-goog-api-key: {}'", "error: Bearer {}, again Bearer {}", "AUTHORIZATION='Basic {}'",
    ],
)  # fmt: skip
def test_what_is_introduced_as_a_credential_is_struck_out_whatever_its_shape(log, line):
    logging.getLogger("third.party").debug("%s", line.format(*["sEcret/Of+any=shape"] * 2))
    assert "[redacted]" in log.text
    assert "sEcret" not in log.text
    assert "shape" not in log.text


def test_ordinary_lines_pass_as_they_are(log):
    said = "call 0199 of monkey=banana, keys=3, a bearer of news; author: x; 42 tokens"
    logging.getLogger("x").info(said.replace("bearer of news", "carrier of news"))
    assert log.text.endswith("x: " + said.replace("bearer of news", "carrier of news") + "\n")


def test_a_credential_of_the_caller_before_is_remembered_among_others():
    redaction = Redaction()
    one, other = (b"credential-of-one",), (b"credential-of-another",)
    for caller in (one, one, other, one, other, other):
        redaction.remember(caller)
    assert list(redaction._recent) == [*one, *other]


def test_the_last_1024_credentials_are_remembered():
    redaction = Redaction()
    redaction.remember(f"credential-number-{n:05}".encode() for n in range(1_500))
    redaction.remember([b"credential-number-00600"])
    redaction.remember([b"one-more-credential"])

    def shown(n: int) -> str:
        return redaction.format(logging.LogRecord("x", logging.INFO, "f", 1, f"credential-number-{n:05}", None, None))

    assert "credential" not in shown(1_499)
    assert "credential" not in shown(600)
    assert "credential-number-00100" in shown(100)
    assert len(redaction._recent) == 1_024


_CHILD = """
import logging, sys, threading
from gembill.capture.redaction import install
redaction = install(logging.DEBUG)
redaction.remember([b"%(plain)s"])
secrets = " ".join(%(all)r)
"""
_ENDS = {
    "main": "raise RuntimeError(secrets)",
    "chained": "try:\n    raise KeyError(secrets)\nexcept KeyError as error:\n    raise ValueError(secrets) from error",
    "thread": "def run():\n    raise RuntimeError(secrets)\nthread = threading.Thread(target=run, name=secrets)\nthread.start(); thread.join()",
    "del": "class Bad:\n    def __del__(self):\n        raise RuntimeError(secrets)\nBad()",
    "task": "import asyncio\nasync def fail():\n    raise RuntimeError(secrets)\nasync def run():\n    asyncio.get_running_loop().create_task(fail())\n    await asyncio.sleep(0.01)\nasyncio.run(run(), debug=True)",
    "late logger": "log = logging.getLogger('third.party'); log.setLevel(logging.DEBUG); log.debug(secrets)",
    "bad format": "logging.getLogger('third.party').error('%%d and %%d', secrets)",
    "bad argument": "class Bad:\n    def __str__(self):\n        raise RuntimeError(secrets)\nlogging.getLogger('x').error('%%s', Bad())",
}  # fmt: skip


@pytest.mark.parametrize("end", _ENDS)
def test_what_nobody_caught_shows_no_key(end):
    secrets = [GOOGLE, NEWER, OAUTH, PLAIN]
    script = (_CHILD + _ENDS[end]) % {"plain": PLAIN, "all": secrets}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    assert "[redacted]" in done.stderr or "could not be written" in done.stderr
    assert not [secret for secret in secrets if secret in done.stderr + done.stdout]
    assert done.returncode == (1 if end in ("main", "chained") else 0)
    assert ("RuntimeError" in done.stderr) == (end in ("main", "thread", "del", "task", "bad argument"))


def test_a_thread_that_ends_itself_is_not_an_uncaught_error():
    script = "import logging, sys, threading\nfrom gembill.capture.redaction import install\ninstall(logging.DEBUG)\nthread = threading.Thread(target=sys.exit)\nthread.start(); thread.join()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_install_leaves_one_redacting_handler_at_the_level_asked_for(monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [*root.handlers])
    monkeypatch.setattr(root, "level", root.level)
    import threading

    for owner, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    before = list(root.handlers)
    try:
        redaction = install(logging.WARNING)
        assert [handler.formatter for handler in root.handlers] == [redaction]
        assert root.level == logging.WARNING
    finally:
        root.handlers[:] = before
