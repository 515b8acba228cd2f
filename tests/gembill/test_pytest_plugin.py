"""The pytest plugin in a project of its own: a real pytest, a real proxy, an upstream that always costs the same."""

import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gembill.ledger import Selection, open_ledger, read_labels, read_totals
from tests.e2e.player import Player, Reply

ROOT = Path(__file__).parents[2]
ANSWER = b'{"modelVersion": "gemini-2.5-flash", "usageMetadata": {"promptTokenCount": 1000, "totalTokenCount": 1000}}'
PRICE = "0.0003"  # dollars of one call: 1,000 tokens at 0.30 per million
TESTS = """
import os, urllib.request
import pytest

def call():
    url = os.environ["GOOGLE_GEMINI_BASE_URL"] + "/v1beta/models/gemini-2.5-flash:generateContent"
    urllib.request.urlopen(urllib.request.Request(url, b'{"contents": []}', {"x-goog-api-key": "nobodys-key"})).read()

@pytest.fixture
def called():
    call()

@pytest.mark.gemini_budget(usd="0.0003")
def test_within(): call()

@pytest.mark.gemini_budget(usd=0.0005)
def test_over(called): call()

@pytest.mark.gemini_budget(usd=0.0001)
def test_fails_by_itself():
    call()
    assert 1 == 2

@pytest.mark.gemini_budget("0.1")
def test_marker_nobody_understands(): pass

def test_meter(gemini_meter):
    before = gemini_meter.calls
    call()
    assert (before, gemini_meter.calls, gemini_meter.tokens, str(gemini_meter.cost_usd)) == (0, 1, 1000, "0.000300000000")

@pytest.mark.parametrize("n", range(6))
def test_many(n): call()
"""
HEAVY = ("sqlalchemy", "msgspec", "click", "rich", "uvicorn", "gembill.run", "gembill.ledger", "gembill.config")


@pytest.fixture
def upstream() -> Iterator[str]:
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        yield player.url


def pytest_in(folder: Path, *flags: str, tests: str = TESTS, **env: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -p no:cacheprovider\n")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GEMBILL_", "GEMINI_", "GOOGLE_", "PYTEST_"))}
    clean |= {"GEMBILL_DATA_DIR": str(folder / "data"), "HOME": str(folder), "PYTHONPATH": str(ROOT), **env}
    command = [sys.executable, "-m", "pytest", "-p", "gembill.pytest_plugin", "-q", *flags]
    if "gembill" in {e.name for e in importlib.metadata.entry_points(group="pytest11")}:
        del command[3:5]  # installed as an entry point, and so loaded already
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, timeout=100, check=False)


def spent(folder: Path) -> tuple[int, int | None]:
    ledger = open_ledger(f"sqlite:///{folder / 'data/ledger.db'}", read_only=True)
    try:
        (total,) = read_totals(ledger, Selection())
        return total.calls, total.cost_pico
    finally:
        ledger.close()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_sums_and_limits_hold_with_and_without_workers(workers, upstream, tmp_path):
    session = pytest_in(tmp_path, "--gemini-budget", "0.50", *workers, GEMBILL_UPSTREAM=upstream)
    assert "3 failed, 8 passed" in session.stdout, session.stdout
    assert (
        "2 Gemini calls of this test cost $0.00060, more than the $0.00050 that gemini_budget allows" in session.stdout
    )
    assert "assert 1 == 2" in session.stdout
    assert "gemini_budget takes one argument, usd" in session.stdout
    assert "more than the $0.00010" not in session.stdout, "a test that fails by itself keeps its own words"
    assert spent(tmp_path) == (11, 11 * 300_000_000)
    (line,) = re.findall(r"Total .*", session.stdout)
    assert line.split()[1] == "11"
    assert re.search(r"PASS: --gemini-budget: \$0\.0033 of \$0\.50", session.stdout)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_all_tests_together_cost_too_much(workers, upstream, tmp_path):
    session = pytest_in(tmp_path, "--gemini-budget", "0.001", "-k", "many", *workers, GEMBILL_UPSTREAM=upstream)
    assert session.returncode == 1, session.stdout
    assert "BREACH: --gemini-budget: $0.0018 of $0.0010" in session.stdout
    assert "6 passed" in session.stdout


def test_within_the_budget_the_session_passes(upstream, tmp_path):
    session = pytest_in(tmp_path, "--gemini-budget", "0.0018", "-k", "many", GEMBILL_UPSTREAM=upstream)
    assert session.returncode == 0, session.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize(("strict", "code"), [((), 0), (("--gemini-strict",), 12)], ids=["lenient", "strict"])
def test_a_session_without_a_call_says_so_and_fails_if_that_is_wanted(strict, code, workers, upstream, tmp_path):
    tests = "def test_goes_past_the_proxy(): pass\n"
    done = pytest_in(tmp_path, *workers, *strict, "--gemini-budget", "1", tests=tests, GEMBILL_UPSTREAM=upstream)
    assert done.returncode == code, done.stdout
    assert "GOOGLE_GEMINI_BASE_URL and GOOGLE_VERTEX_BASE_URL were set" in done.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_an_address_that_is_replaced_is_named_once(workers, upstream, tmp_path):
    tests = TESTS.partition("@pytest.mark")[0] + "def test_calls(): call()\n"
    env = {"GOOGLE_GEMINI_BASE_URL": "http://gateway.example", "GEMBILL_UPSTREAM": upstream}
    done = pytest_in(tmp_path, *workers, "--gemini-budget", "1", tests=tests, **env)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("GOOGLE_GEMINI_BASE_URL was http://gateway.example and is replaced") == 1


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_session_that_leaves_a_batch_unread_says_so_and_fails_if_strict(workers, tmp_path):
    made = TESTS.partition("@pytest.mark")[0].replace(":generateContent", ":batchGenerateContent")
    tests = made + "def test_calls(): call()\n"
    with Player(answer=lambda _: Reply([b'{"name": "batches/a"}'])).serving() as player:
        flags = (*workers, "--gemini-budget", "1", "--gemini-strict")
        done = pytest_in(tmp_path, *flags, tests=tests, GEMBILL_UPSTREAM=player.url)
    assert done.returncode == 12, done.stdout
    assert "A batch was made whose results were not read here (batches/a)" in done.stdout
    assert "No paid Gemini call" not in done.stdout


def test_a_strict_session_with_calls_that_are_counted_passes(upstream, tmp_path):
    tests = TESTS.partition("@pytest.mark")[0] + "def test_calls(): call()\n"
    done = pytest_in(tmp_path, "--gemini-strict", "--gemini-budget", "1", tests=tests, GEMBILL_UPSTREAM=upstream)
    assert done.returncode == 0, done.stdout
    assert "No paid Gemini call" not in done.stdout


def test_strictness_without_a_budget_is_a_usage_error(tmp_path):
    done = pytest_in(tmp_path, "--gemini-strict")
    assert done.returncode == 4
    assert "--gemini-budget" in done.stderr


def test_calls_have_the_labels_given_beside_run_and_test(upstream, tmp_path):
    flags = ("--gemini-budget", "1", "--gemini-label", "branch=feature/x", "--gemini-label", "job=a=b", "-k", "many")
    session = pytest_in(tmp_path, *flags, GEMBILL_UPSTREAM=upstream)
    assert session.returncode == 0, session.stdout
    ledger = open_ledger(f"sqlite:///{tmp_path / 'data/ledger.db'}", read_only=True)
    labels = read_labels(ledger)
    ledger.close()
    assert (labels["branch"], labels["job"], len(labels["run"])) == (("feature/x",), ("a=b",), 1)
    assert labels["test"] == tuple(f"test_it.py::test_many[{n}]" for n in range(6))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--gemini-budget=1", "--gemini-label=branch"), "--gemini-label is 'branch', which is not a label"),
        (("--gemini-budget=1", "--gemini-label=test=x"), "that label is the test's own"),
        (("--gemini-label=a=b",), "--gemini-label labels calls that --gemini-budget USD records"),
    ],
)
def test_labels_that_no_call_can_have_are_one_sentence(flags, words, tmp_path):
    session = pytest_in(tmp_path, *flags)
    assert session.returncode == 4, session.stdout
    assert words in session.stderr
    assert "Traceback" not in session.stderr + session.stdout


def test_without_the_option_nothing_happens(tmp_path):
    tests = f"""
import os, sys
import pytest

@pytest.mark.gemini_budget(usd="0")
def test_nothing_is_told():
    assert "GOOGLE_GEMINI_BASE_URL" not in os.environ
    assert [name for name in {HEAVY!r} if name in sys.modules] == []

def test_no_meter(gemini_meter): pass
"""
    session = pytest_in(tmp_path, "-rs", tests=tests)
    assert "1 passed, 1 skipped" in session.stdout, session.stdout
    assert "gemini_meter measures only with --gemini-budget USD" in session.stdout
    assert "Gemini calls" not in session.stdout
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("flags", "env", "words"),
    [
        (("ten",), {}, "not an amount"),
        (("-1",), {}, "less than nothing"),
        (("1",), {"GEMBILL_DATABASE_URL": "mysql://x"}, "no ledger can be kept"),
    ],
)
def test_what_cannot_be_obeyed_is_one_sentence(flags, env, words, tmp_path):
    session = pytest_in(tmp_path, f"--gemini-budget={flags[0]}", **env)
    assert session.returncode == 4, session.stdout
    assert words in session.stderr
    assert "Traceback" not in session.stderr + session.stdout


def test_the_entry_point_is_declared():
    assert '[project.entry-points.pytest11]\ngembill = "gembill.pytest_plugin"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_calls_that_cannot_be_counted_are_loud_and_fail_the_session(workers, upstream, tmp_path):
    tests = (
        TESTS
        + f"""
def test_the_ledger_goes_away():
    import gembill.run
    gembill.run.SETTLE_SECONDS = 0.5
    path = {str(tmp_path / "data/ledger.db")!r}
    os.rename(path, path + ".away")
    os.mkdir(path)
    call()
"""
    )
    session = pytest_in(
        tmp_path, "--gemini-budget", "1", "-k", "goes_away", *workers, tests=tests, GEMBILL_UPSTREAM=upstream
    )
    assert session.returncode == 1, session.stdout
    assert "UNKNOWN COST:" in session.stdout
    assert "1 passed" in session.stdout
    assert "INTERNALERROR" not in session.stdout + session.stderr


def test_it_works_without_xdist(upstream, tmp_path):
    session = pytest_in(tmp_path, "-p", "no:xdist", "--gemini-budget", "1", "-k", "meter", GEMBILL_UPSTREAM=upstream)
    assert session.returncode == 0, session.stdout + session.stderr
