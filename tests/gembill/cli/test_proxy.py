"""`gembill proxy`: flags, what it prints at start, and that it stays on loopback unless told twice."""

import os
import platform
import signal
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from gembill.cli import gembill
from gembill.cli.proxy import _announcement as announcement
from gembill.cli.proxy import _from_elsewhere as from_elsewhere
from gembill.cli.proxy import _on_names as on_names
from gembill.cli.proxy import _on_token as on_token
from gembill.cli.proxy import _taken as taken
from gembill.config import Settings
from gembill.errors import ConfigurationError
from gembill.handover import Offer
from tests.e2e.child import Child
from tests.e2e.player import Player, Reply

ANSWER = b'{"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}'


def run(*arguments: str, folder) -> subprocess.CompletedProcess:
    environment = {**os.environ, "HOME": str(folder), "GEMBILL_DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "gembill", "proxy", *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "--allow-remote"),
        (["--upstream", "ftp://h"], "upstream"),
        (["--upstream", "http://h/v1beta"], "upstream"),
        (["--port", "99999"], "--port"),
        (["--on-record-failure", "maybe"], "--on-record-failure"),
    ],
)
def test_what_cannot_be_obeyed_is_said_in_one_sentence_and_exits_2(arguments, says, tmp_path):
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_before_the_first_call_reports_are_empty(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        child = Child(tmp_path, player.url, url)
        with child.running():
            for command in (["report", "monthly"], ["records"], ["audit"], ["export", "--format", "csv"]):
                result = CliRunner().invoke(gembill, [*command, "--database-url", url], catch_exceptions=False)
                assert result.exit_code == 0


def test_it_says_where_it_listens_and_stops_at_sigterm_with_everything_posted(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        child = Child(tmp_path, player.url, url)
        with child.running():
            assert child.post("/v1beta/models/gemini-2.5-flash:generateContent", "a") == 200
            child.process.send_signal(signal.SIGTERM)
            assert child.process.wait(30) == 0
    from gembill.ledger import Selection, open_ledger, read_records

    ledger = open_ledger(url)
    assert len(list(read_records(ledger, Selection()))) == 1
    ledger.close()
    assert f"-> {player.url}" in child.log.read_text()


def test_the_line_at_the_start_shows_no_password():
    settings = Settings(database_url="postgresql://h/d?user=me&password=secret", upstream="http://u:secret@up:1")
    assert announcement("http://here:1", settings) == (
        "gembill: http://here:1 -> http://u:***@up:1, ledger postgresql://h/d?user=me&***"
    )


def test_it_says_what_callers_from_other_machines_send_and_a_new_token_once():
    assert on_token(Settings(), None) is None
    assert "X-Gembill-Token: gmb_new (made now" in str(on_token(Settings(host="0.0.0.0"), "gmb_new"))
    assert "as it was set" in str(on_token(Settings(host="0.0.0.0"), None))


def test_programs_on_other_machines_are_given_an_address_that_leads_here():
    assert from_elsewhere("http://127.0.0.1:8787") is None
    assert "https://NAME:8787" in str(from_elsewhere("https://0.0.0.0:8787"))
    assert "http://NAME:8787" in str(from_elsewhere("http://[::]:8787"))


def test_it_says_so_where_any_host_name_is_answered():
    assert "GEMBILL_HOSTS" in (on_names(Settings(host="0.0.0.0")) or "")
    assert on_names(Settings(host="0.0.0.0", hosts=("gembill.lan",))) is None
    assert on_names(Settings()) is None


def test_a_wrong_budget_file_is_named_at_the_start(tmp_path):
    (tmp_path / "gembill.toml").write_text('[[budget]]\nname = "b"\nlimit_usd = "1"\nperiod = "fortnight"\n')
    done = run("--port", "0", folder=tmp_path)
    assert (done.returncode, "gembill.toml:4: $.budget[0].period is 'fortnight'" in done.stderr) == (2, True)


def test_a_place_is_taken_on_the_same_address_alone(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        offer = Offer(tmp_path, listener, lambda: None)
        offer.open()
        with pytest.raises(ConfigurationError, match=f"the proxy on port {port} listens on 127.0.0.1"):
            taken(Settings(data_dir=tmp_path, host="0.0.0.0", port=port))
        place = taken(Settings(data_dir=tmp_path, port=port))
        assert place is not None
        place.listener.close()
        assert taken(Settings(data_dir=tmp_path / "other", port=port)) is None
        offer.close()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator has other thresholds")
def test_buffers_of_long_bodies_are_not_given_back_to_the_kernel_and_asked_for_again():
    code = """
import resource
from gembill.cli.proxy import _keep_freed_memory

_keep_freed_memory()
pieces = [b"x" * (256 << 10) for _ in range(8)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    pieces.clear()
    pieces += [b"x" * (256 << 10) for _ in range(8)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=usual)
    assert int(done.stdout) < 512, "pages, of the 10,240 that were written"
