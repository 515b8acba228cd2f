"""The rows that tests of the suite prove: run them, and say how many held.

Owns: which tests belong to which row, and rows of features that are not there. Invariant: a test that is skipped is said,
and a row whose tests were all skipped was not tried.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from tests.faults.figures import SCENARIOS, Figure, Plan
from tests.faults.ground import Ground

ROOT = Path(__file__).parents[2]
PROOFS: dict[str, tuple[str, tuple[str, ...]]] = {
    "R6": (
        "a disk of 4 MiB that is really full: refused before forwarding, recovery by itself",
        (
            "tests/e2e/test_full_disk.py",
            "tests/e2e/test_faults.py::test_a_full_disk*",
            "tests/gembill/spool/test_writer.py",
        ),
    ),
    "R10": (
        "segments cut at every place and with junk behind them",
        ("tests/gembill/spool/test_segment.py", "tests/gembill/spool/test_wal_frames.py"),
    ),
    "R14": (
        "four processes open an empty database at once, on both engines",
        ("tests/gembill/ledger/test_migration.py",),
    ),
    "R18": (
        "answers cut before, in and after their head",
        ("tests/e2e/test_faults.py", "tests/gembill/upstream/test_connection.py"),
    ),
    "R19": (
        "answers that are no JSON, no UTF-8, empty, without usage, with hostile counts",
        ("tests/e2e/test_hostile.py", "tests/gembill/capture/test_exchange.py"),
    ),
    "R20": ("compressed bombs pass, and reading them stops", ("tests/gembill/capture/test_documents.py",)),
    "R21": (
        "ten answers and ten uploads of 100 MB at once: less than 64 MB more memory",
        ("tests/e2e/test_memory.py",),
    ),
    "R23": (
        "1,000 callers that leave in the middle of a stream, all with the final usage",
        ("tests/e2e/test_faults.py::test_1000*", "tests/e2e/test_hostile.py::test_clients_that_leave*"),
    ),
    "R25": (
        "events with NUL, lone surrogates, counts over 2^63 beside good ones, on both engines",
        (
            "tests/gembill/test_posting.py",
            "tests/gembill/ledger/test_validation.py",
            "tests/gembill/ledger/test_errors.py",
        ),
    ),
    "S1": (
        "smuggled and malformed requests on raw sockets",
        ("tests/gembill/capture/test_http_connection.py", "tests/gembill/capture/test_admission.py"),
    ),
    "S3": ("tricks in paths, none forwarded", ("tests/gembill/capture/test_admission.py", "tests/e2e/test_raw.py")),
    "S4": (
        "canary keys in every place: none in a log, file, page or database",
        ("tests/e2e/test_canary.py", "tests/gembill/capture/test_redaction.py", "tests/gembill/test_logs.py"),
    ),
    "S5": (
        "SQL in labels and filters is a value; no SQL is made of text",
        ("tests/gembill/ledger/test_selection.py", "tests/test_queries.py"),
    ),
    "S6": ("formulas in CSV are quoted, numbers stay numbers", ("tests/gembill_reports/layout/test_tables.py",)),
    "S7": ("markup in names, labels and errors is text in Chromium", ("tests/e2e/test_pages.py",)),
    "S8": (
        "foreign pages and host names at the dashboard and the proxy",
        (
            "tests/gembill_reports/dashboard/test_guard.py",
            "tests/gembill/capture/test_doors.py",
            "tests/e2e/test_doors.py",
        ),
    ),
    "S9": ("labels that are too many, too long or odd", ("tests/gembill/capture/test_attribution.py",)),
    "S10": (
        "counts that are negative, huge, NaN, text, fractions, nested",
        ("tests/e2e/test_hostile.py", "tests/gembill/wire/test_token_counts.py"),
    ),
}
ABSENT = {
    "R13": "Citus cannot be installed from a public index; tried by hand once, before there was a suite",
    "R15": "hard limits are not there yet: budgets look at the ledger and reserve nothing",
    "R16": "hard limits are not there yet: there are no reservations that a crash could leave open",
}


def proven(words: str, tests: Sequence[str], _ground: Ground, _plan: Plan) -> Figure:
    """Run the tests of a row."""
    names = [one for name in tests for one in _chosen(name)]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "2",
            "--dist",
            "loadscope",
            f"--junitxml={report}",
            *names,
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not report.exists():
            return Figure(f"{words}: the tests did not run", held=False)
        count = ElementTree.parse(report).getroot()[0].attrib
    total, failed = int(count["tests"]), int(count["failures"]) + int(count["errors"])
    skipped = int(count["skipped"])
    text = f"{words}: {total - failed - skipped} of {total} tests passed" + (f", {skipped} skipped" * bool(skipped))
    if failed:
        print(done.stdout[-3000:])
    return Figure(text, None if skipped == total else not failed and done.returncode == 0)


def _chosen(name: str) -> list[str]:
    """A file, or the tests of a file whose names begin so."""
    file, _, begins = name.partition("::")
    if not begins.endswith("*"):
        return [name]
    lines = (ROOT / file).read_text().splitlines()
    named = [line.removeprefix("def ").partition("(")[0] for line in lines if line.startswith(f"def {begins[:-1]}")]
    assert named, name
    return [f"{file}::{each}" for each in named]


def absent(why: str, _ground: Ground, _plan: Plan) -> Figure:
    """A row that cannot be tried."""
    return Figure(why, held=None)


SCENARIOS.update({number: (partial(proven, *proof), 1) for number, proof in PROOFS.items()})
SCENARIOS.update({number: (partial(absent, why), 1) for number, why in ABSENT.items()})
