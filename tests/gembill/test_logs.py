"""The log in JSON and in files, and a line for every request: each a line, and none with a key in it."""

import contextlib
import http.client
import json
import logging
import re
import stat
import sys
from datetime import datetime

import pytest

from gembill.capture.redaction import Redaction, StderrHandler
from gembill.config import Settings
from gembill.errors import ConfigurationError
from gembill.logs import AccessLog, JsonRedaction, OwnFile, access_log, set_up
from gembill.posting_thread import PostingThread
from gembill.service import ProxyService
from tests.e2e.child import Child
from tests.e2e.player import Player, Reply

KEY = "AIzaSyCANARY0123456789-abcdefghij_kl"
ANSWER = b'{"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}'


def logged(redaction: Redaction, message: str, *args: object, error: Exception | None = None) -> str:
    info = (type(error), error, None) if error else None
    return redaction.format(logging.makeLogRecord(
        {"name": "gembill.x", "levelname": "WARNING", "msg": message, "args": args, "exc_info": info}
    ))  # fmt: skip


def test_a_line_in_json_has_stable_names_and_its_time_in_utc():
    members = json.loads(logged(JsonRedaction(), "it is %s", "so"))
    assert list(members) == ["time", "level", "logger", "message"]
    assert (members["level"], members["logger"], members["message"]) == ("warning", "gembill.x", "it is so")
    assert datetime.fromisoformat(members["time"]).utcoffset().total_seconds() == 0


def test_a_traceback_is_in_the_same_line():
    text = logged(JsonRedaction(), "two\nlines", error=ValueError("no\nway"))
    assert "\n" not in text
    assert json.loads(text)["message"] == "two\nlines"
    assert json.loads(text)["exception"].endswith("ValueError: no\nway")


@pytest.mark.parametrize("secret", [KEY, 'with"quotes\\and\nmore', "schlüssel-ä"])
def test_no_key_leaves_in_json_however_it_is_escaped(secret):
    redaction = JsonRedaction()
    redaction.remember([secret.encode()])
    text = logged(redaction, "url %s", f"https://h/?key={secret}", error=ValueError(secret))
    members = json.loads(text)
    assert secret not in text
    assert all(secret not in value for value in members.values())
    assert "[redacted]" in members["message"]
    assert "[redacted]" in members["exception"]


@pytest.fixture
def root_restored():
    root = logging.getLogger()
    kept, hooks = (root.handlers[:], root.level), (sys.excepthook, sys.unraisablehook)
    yield
    for handler in root.handlers:
        if handler not in kept[0]:
            handler.close()
    root.handlers[:], root.level = kept
    sys.excepthook, sys.unraisablehook = hooks


def test_a_log_file_is_the_owners_alone_and_is_made_again_when_it_was_moved(tmp_path, root_restored):
    file = tmp_path / "proxy.log"
    set_up(Settings(data_dir=tmp_path, log_file=file, log_format="json"), logging.INFO)
    logging.getLogger("gembill.x").info("first")
    file.rename(tmp_path / "proxy.log.1")
    logging.getLogger("gembill.x").info("second")
    assert json.loads((tmp_path / "proxy.log.1").read_text())["message"] == "first"
    assert json.loads(file.read_text())["message"] == "second"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_log_that_cannot_be_opened_is_a_sentence(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be opened: No such file"):
        access_log(Settings(data_dir=tmp_path, access_log=tmp_path / "none" / "access.log"), Redaction())
    assert access_log(Settings(data_dir=tmp_path), Redaction()) is None


def test_a_line_that_cannot_be_written_is_said_without_its_arguments(tmp_path, capsys):
    handler = OwnFile(tmp_path / "a.log")
    handler.setFormatter(logging.Formatter())
    handler.handle(logging.getLogger("x").makeRecord("x", logging.INFO, "here.py", 7, "%d " + KEY, ("no",), None))
    handler.close()
    error = capsys.readouterr().err
    assert "here.py:7 could not be written" in error
    assert KEY not in error


PATH = "/v1beta/models/gemini-2.5-flash:generateContent"


@contextlib.contextmanager
def accessed(recording, reply: Reply, *, as_json: bool):
    """A proxy with an access log in front of an upstream that gives this reply."""
    with Player(answer=lambda _: reply).serving() as player:
        proxy = recording(player.url)
        handler = OwnFile(proxy.settings.data_dir / "access.log")
        log = AccessLog(handler, Redaction(), as_json=as_json)
        with ProxyService(proxy.settings, PostingThread(proxy.settings), access_log=log).running() as proxy.url:
            yield proxy
        handler.close()


def test_each_request_is_a_line_without_query_and_key(recording):
    with accessed(recording, Reply([ANSWER]), as_json=True) as proxy:
        assert proxy.post(f"{PATH}?key={KEY}&alt=json")[0] == 200
        assert proxy.get("/_gembill/health")[0] == 200
        assert proxy.get("/nothing/here%25")[0] == 404
    lines = [json.loads(line) for line in (proxy.settings.data_dir / "access.log").read_text().splitlines()]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", PATH, 200),
        ("GET", "/_gembill/health", 200),
        ("GET", "/nothing/here%25", 404),
    ]
    assert all(list(line) == ["time", "method", "path", "status", "bytes", "seconds", "whole"] for line in lines)
    assert all(line["bytes"] > 0 and line["seconds"] >= 0 and line["whole"] for line in lines)


def test_the_access_log_in_words_says_when_an_answer_was_cut(recording):
    cut = Reply([ANSWER], framing="chunked", cut=True)
    with accessed(recording, cut, as_json=False) as proxy, pytest.raises((OSError, http.client.HTTPException)):
        proxy.post(f"{PATH}?key={KEY}")
    (line,) = (proxy.settings.data_dir / "access.log").read_text().splitlines()
    assert re.fullmatch(rf"\S+Z POST {re.escape(PATH)} 200 {len(ANSWER)} \d+\.\d{{6}} cut", line)


def test_a_key_in_the_path_is_struck(tmp_path, capsys):
    log = AccessLog(StderrHandler(sys.stderr), Redaction(), as_json=False)

    class Asked:
        target, method, status, sent, ended = f"/v1beta/{KEY}?x=1".encode(), "GET", 404, 5, True

    log.write(Asked, 0.0, 0.25)
    assert capsys.readouterr().err == "1970-01-01T00:00:00.000000Z GET /v1beta/[redacted] 404 5 0.250000\n"


def test_the_program_obeys_the_options_in_both_of_its_processes(tmp_path):
    url = "postgresql://nobody@127.0.0.1:1/none"  # posting cannot, and says so
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        child = Child(tmp_path, player.url, url)
        child._environment |= {"GEMBILL_LOG_FILE": str(tmp_path / "log"), "GEMBILL_LOG_FORMAT": "json"}
        child._command += ["--access-log", str(tmp_path / "access")]
        with child.running():
            assert child.post(f"{PATH}?key={KEY}", "a") == 200
    log = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert "gembill.posting" in {line["logger"] for line in log}
    access = [json.loads(line) for line in (tmp_path / "access").read_text().splitlines()]
    assert ("POST", PATH, 200) in [(line["method"], line["path"], line["status"]) for line in access]
