"""What a GitHub runner is told."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.money import PICO_PER_USD
from gembill_reports.views.github import MARKER, annotations, leave, outputs, quoted
from tests.gembill.rules.budgets.test_status import hours, stand

HOSTILE = "search%0A::error::x,title=y: \\ ##[error]"
COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]*)\n")


def test_one_annotation_a_budget_the_most_severe_first():
    statuses = [
        stand(hours(1), name="p"),
        stand(hours(200), name="b"),
        stand(hours(90), name="w", warn_at=(500_000,)),
        stand(hours(1, unpriced_calls=1), name="u"),
    ]
    lines = list(annotations(statuses))
    assert [COMMAND.fullmatch(line)[1] for line in lines] == ["error", "warning", "warning", "notice"]
    assert lines[0].startswith("::error title=Budget b breached%3A 200%25::")


@given(st.text(max_size=60).map(lambda text: HOSTILE + text))
def test_no_name_begins_a_command_or_ends_one(name):
    (line,) = annotations([stand(hours(200), name=name)])
    command = COMMAND.fullmatch(line)
    assert command is not None
    assert "%0A" not in command[2].replace("%250A", "")
    assert not any(sign in command[2] for sign in ":,")


def test_the_table_stands_where_the_runner_looks_for_no_commands():
    first, text, last = quoted("::error::x\n")
    token = first.removeprefix("::stop-commands::").strip()
    assert (text, last) == ("::error::x\n", f"::{token}::\n")
    assert len(token) == 32


def test_outputs_are_those_of_the_budget_that_is_most_used():
    statuses = [
        stand(hours(60), name="a"),
        stand(hours(200), name="b", limit=150 * PICO_PER_USD),
        stand(hours(90), name="c"),
    ]
    said = outputs(statuses)
    assert (said["status"], said["budget"], said["used_ratio"]) == ("PASS", "c", "0.900000")
    assert (said["spent_usd"], said["limit_usd"]) == ("0.000000000090", "0.000000000100")
    breached = outputs([*statuses, stand(hours(101), name="d\nx=y")])
    assert (breached["status"], breached["budget"]) == ("BREACH", "d\nx=y")


def test_what_is_left_for_the_runner_is_one_line_an_output_and_one_summary(tmp_path):
    summary, output = tmp_path / "summary", tmp_path / "output"
    summary.write_text("before\n")
    environ = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(tmp_path)}
    leave([stand(hours(200), name="d\nstatus=PASS")], "### table", 10, environ)
    lines = output.read_text().splitlines()
    assert [line.partition("=")[0] for line in lines] == [
        "status",
        "budget",
        "spent_usd",
        "limit_usd",
        "used_ratio",
        "summary",
        "exit_code",
        "report_path",
    ]
    assert lines[0] == "status=BREACH"
    assert lines[1] == "budget=d\\nstatus=PASS"
    assert summary.read_text() == "before\n### table\n"
    assert Path(lines[-1].partition("=")[2]).read_text() == f"{MARKER}\n### table"


@pytest.mark.parametrize("refused", ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "RUNNER_TEMP"])
def test_a_file_that_cannot_be_written_is_named_and_the_others_are_written(refused, tmp_path):
    (tmp_path / "temp").mkdir()
    environ = {"GITHUB_STEP_SUMMARY": "summary", "GITHUB_OUTPUT": "output", "RUNNER_TEMP": "temp"}
    environ = {name: str(tmp_path / file) for name, file in environ.items()} | {refused: str(tmp_path / "no" / "where")}
    (failure,) = leave([stand(hours(200))], "### table", 10, environ)
    assert failure.endswith(": No such file or directory)")
    written = {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    expected = {"GITHUB_STEP_SUMMARY": "summary", "GITHUB_OUTPUT": "output", "RUNNER_TEMP": "gembill-budgets.md"}
    assert written.keys() == set(expected.values()) - {expected[refused]}
    if refused == "RUNNER_TEMP":
        assert written["output"].endswith("exit_code=10\nreport_path=\n")


def test_without_a_runner_nothing_is_left(tmp_path):
    leave([stand(hours(1))], "x", 0, {})
    assert list(tmp_path.iterdir()) == []


def test_bash_sees_the_variables_and_reads_the_outputs_back(tmp_path):
    """The same by `bash`, as a step of a job runs it."""
    script = f"""set -e
export GITHUB_OUTPUT="{tmp_path}/out" GITHUB_STEP_SUMMARY="{tmp_path}/summary"
"{sys.executable}" -c 'from gembill_reports.views.github import leave; from tests.gembill.rules.budgets.test_status import *; leave([stand(hours(200))], "### x", 10)'
source "{tmp_path}/out" && echo "$status $exit_code $used_ratio" && cat "$report_path"
"""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        ["bash", "-c", script.replace("summary=", "summary_=")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("BREACH 10 2.000000\n" + MARKER), done.stderr
