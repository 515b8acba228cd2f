"""`gembill run`: a real child, a real proxy, the simulator behind it."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gembill.ledger import Selection, open_ledger, read_records
from gembill_simulator import Options, simulator_in_thread
from tests.e2e.player import Player, Reply
from tests.surroundings import clean

CALL = """
import json, os, sys, urllib.request
body = json.dumps({"contents": [{"parts": [{"text": "Compute the first 30 primes."}]}], "tools": [{"codeExecution": {}}]}).encode()
headers = {"content-type": "application/json", "x-goog-api-key": "nobodys-key", "x-gembill-label-job": "mine", "x-gembill-label-run": "mine"}
url = os.environ["GOOGLE_GEMINI_BASE_URL"] + "/v1beta/models/gemini-3-flash-preview:generateContent"
urllib.request.urlopen(urllib.request.Request(url, body, headers)).read()
print("called")
sys.exit(int(sys.argv[1]))
"""
SDK = """
from google import genai
from google.genai import types
tool = types.Tool(code_execution=types.ToolCodeExecution)
client = genai.Client()
client.models.generate_content(model="gemini-3-flash-preview", contents="Compute the first 30 primes.", config=types.GenerateContentConfig(tools=[tool]))
"""
SCRIPT = """
const url = `${process.env.GOOGLE_GEMINI_BASE_URL}/v1beta/models/gemini-2.5-flash:generateContent`;
const body = JSON.stringify({contents: [{parts: [{text: "Compute the first 30 primes."}]}], tools: [{codeExecution: {}}]});
const answer = await fetch(url, {method: "POST", headers: {"content-type": "application/json", "x-goog-api-key": "nobodys-key"}, body});
console.log((await answer.json()).usageMetadata.totalTokenCount);
"""


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with simulator_in_thread(Options(seed=3)) as url:
        yield url


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "gembill", "run", *words]


def environment(folder: Path) -> dict[str, str]:
    return clean(
        GEMBILL_DATA_DIR=str(folder / "data"),
        HOME=str(folder),
        PYTHONPATH=str(Path(__file__).parents[3]),
        NO_COLOR="1",
        GEMINI_API_KEY="nobodys-key",
    )


def run(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**environment(folder), **more}
    return subprocess.run(command(*words), cwd=folder, env=env, capture_output=True, text=True, timeout=90, check=False)


def labels(folder: Path) -> list[dict[str, str]]:
    ledger = open_ledger(f"sqlite:///{folder / 'data/ledger.db'}", read_only=True)
    try:
        return [stored.record.labels for stored in read_records(ledger, Selection())]
    finally:
        ledger.close()


def test_a_run_within_its_budget_exits_as_its_program(upstream, tmp_path):
    done = run(
        tmp_path,
        "--budget",
        "0.50",
        "--label",
        "job=nightly",
        "--upstream",
        upstream,
        "--",
        sys.executable,
        "-c",
        CALL,
        "0",
    )
    assert (done.returncode, done.stdout) == (0, "called\n"), done.stderr
    assert "gemini-3-flash-preview" in done.stderr
    assert "PASS: --budget:" in done.stderr
    assert "reached the proxy" not in done.stderr
    (given,) = labels(tmp_path)
    assert given["job"] == "nightly", "the run's labels count before the caller's"
    assert given["run"] in done.stderr


def test_a_run_over_its_budget_exits_with_10_unless_its_program_failed(upstream, tmp_path):
    for own, code in ((0, 10), (3, 3)):
        done = run(tmp_path, "--budget", "0.000001", "--upstream", upstream, "--", sys.executable, "-c", CALL, str(own))
        assert done.returncode == code, done.stderr
        assert "BREACH: --budget:" in done.stderr


BESIDE = """
from google import genai
from google.genai import types
import sys
client = genai.Client(http_options=types.HttpOptions(base_url=sys.argv[1]))
client.models.generate_content(model="gemini-3-flash-preview", contents="Compute the first 30 primes.")
"""


@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--strict",), 12)])
def test_a_program_that_goes_past_the_proxy_is_reported_with_the_variables(flags, code, upstream, tmp_path):
    words = (*flags, "--budget", "0.50", "--upstream", upstream, "--", sys.executable, "-c", BESIDE, upstream)
    done = run(tmp_path, *words)
    assert done.returncode == code, done.stderr
    assert "No paid Gemini call reached the proxy. GOOGLE_GEMINI_BASE_URL and GOOGLE_VERTEX_BASE_URL" in done.stderr


def test_an_address_that_is_replaced_is_named(upstream, tmp_path):
    gateway = {"GOOGLE_GEMINI_BASE_URL": "http://gateway.example"}
    done = run(tmp_path, "--upstream", upstream, "--", sys.executable, "-c", CALL, "0", **gateway)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(
        f"gembill: GOOGLE_GEMINI_BASE_URL was http://gateway.example and is replaced: calls of this run go to {upstream},"
    )


@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--strict",), 12)])
def test_a_run_whose_cost_is_not_known_is_exit_12_if_strict_also_without_a_budget(flags, code, tmp_path):
    with Player(answer=lambda _: Reply([b"{}"])).serving() as player:  # an answer that tells no usage
        done = run(tmp_path, *flags, "--upstream", player.url, "--", sys.executable, "-c", CALL, "0")
    assert done.returncode == code, done.stderr


@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--strict",), 12)])
def test_a_run_that_leaves_a_batch_unread_says_so_and_is_exit_12_if_strict(flags, code, upstream, tmp_path):
    program = CALL.replace(":generateContent", ":batchGenerateContent").replace(
        "json.dumps(",
        'json.dumps({"batch": {"inputConfig": {"requests": {"requests": [{"request": {"contents": []}}]}}}} or ',
    )
    done = run(tmp_path, *flags, "--upstream", upstream, "--", sys.executable, "-c", program, "0")
    assert done.returncode == code, done.stderr
    assert "gembill: A batch was made whose results were not read here (batches/" in done.stderr
    assert "No paid Gemini call" not in done.stderr


def test_a_program_that_fails_without_a_call_keeps_its_exit_code(tmp_path):
    done = run(tmp_path, "--strict", "--", sys.executable, "-c", "raise SystemExit(3)")
    assert done.returncode == 3, done.stderr
    assert "No paid Gemini call reached the proxy" in done.stderr


def test_a_program_with_the_official_sdk_is_counted(upstream, tmp_path):
    done = run(tmp_path, "--budget", "0.000001", "--upstream", upstream, "--", sys.executable, "-c", SDK)
    assert done.returncode == 10, done.stderr


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_a_javascript_program_is_counted(upstream, tmp_path):
    done = run(
        tmp_path, "--budget", "0.000001", "--upstream", upstream, "--", "node", "--input-type=module", "-e", SCRIPT
    )
    assert done.returncode == 10, done.stderr
    assert "gemini-2.5-flash" in done.stderr


def test_budgets_of_the_file_whose_period_is_a_run_count_too(upstream, tmp_path):
    (tmp_path / "gembill.toml").write_text(
        '[[budget]]\nname = "f"\nlimit_tokens = 10\nperiod = "run"\n[[budget]]\nname = "m"\nlimit_usd = "0"\nperiod = "month"\n'
    )
    done = run(tmp_path, "--upstream", upstream, "--", sys.executable, "-c", CALL, "0")
    assert done.returncode == 10
    assert "BREACH: f:" in done.stderr
    assert " m:" not in done.stderr


@pytest.mark.parametrize(("words", "code"), [(("nosuchprogram",), 127), (("/",), 126)])
def test_a_program_that_cannot_be_run_is_said_as_a_shell_says_it(words, code, tmp_path):
    done = run(tmp_path, "--budget", "1", "--", *words)
    assert done.returncode == code
    assert "cannot be run" in done.stderr
    assert "No paid Gemini call reached the proxy" not in done.stderr  # nothing ran that could have gone past it


@pytest.mark.parametrize("flags", [("--budget", "ten"), ("--budget", "-1"), ("--label", "x"), ("--label", "run=1")])
def test_flags_nobody_understands_run_nothing(flags, tmp_path):
    done = run(tmp_path, *flags, "--", "touch", "it-ran")
    assert done.returncode == 2, done.stderr
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 128 + 15), (signal.SIGINT, 7)])
def test_signals_reach_the_program(number, code, tmp_path):
    program = "import time\ntry:\n    print('up', flush=True)\n    time.sleep(60)\nexcept KeyboardInterrupt: raise SystemExit(7)"
    words = command("--budget", "1", "--", sys.executable, "-c", program)
    with subprocess.Popen(
        words,
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        assert child.stdout.readline() == b"up\n"
        child.send_signal(number)
        assert child.wait(40) == code


def test_without_a_ledger_nothing_is_run(tmp_path):
    done = run(tmp_path, "--database-url", "sqlite:////proc/none/ledger.db", "--", "touch", "it-ran")
    assert done.returncode == 1
    assert not (tmp_path / "it-ran").exists()


def test_a_run_whose_calls_are_not_in_the_ledger_says_so(upstream, tmp_path):
    """The ledger goes away while the program runs: the cost is not known, so it is not called passed."""
    database = tmp_path / "data/ledger.db"
    program = (
        f"import os\nos.rename({str(database)!r}, {str(database)!r} + '.away')\nos.mkdir({str(database)!r})\n" + CALL
    )
    done = run(tmp_path, "--budget", "1", "--upstream", upstream, "--", sys.executable, "-c", program, "0")
    assert done.returncode == 1, done.stderr
    assert "what the run cost is not known" in done.stderr
