"""The scripts of the GitHub Action, run by `bash` as a runner runs them, with its variables and files."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from gembill.ledger import open_ledger
from tests.gembill_reports.making import call, put

ROOT = Path(__file__).parents[2]
ACTION = (ROOT / ".github/actions/budget/action.yml").read_text()
HOSTILE = "search%0A::error::x"


def script(step: str) -> str:
    """The `run` of a step."""
    body = ACTION.split(f"- name: {step}\n")[1].split("    - name:")[0]
    block = re.search(r"run: \|\n((?:        .*\n|\n)+)", body)
    return textwrap.dedent(block[1]) if block else re.search(r"run: (.*)\n", body)[1] + "\n"


@pytest.fixture
def runner(tmp_path):
    """A runner's folder with a ledger of 3 dollars and a `gembill` and a `gh` on its path."""
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    put(ledger, *(call("2026-11-01T10:00:00+00:00", (1_000_000, 0, 0), labels={"team": HOSTILE}) for _ in range(6)))
    ledger.close()
    (tmp_path / "bin").mkdir()
    write(tmp_path / "bin/gembill", f'exec "{sys.executable}" -m gembill "$@"\n')
    write(tmp_path / "bin/gh", 'echo "$@" >> "$GH_LOG"\n[ "$2" = --silent ] || cat "$GH_KNOWN"\n')
    return tmp_path


def write(path: Path, text: str) -> None:
    path.write_text("#!/bin/bash\n" + text)
    path.chmod(0o755)


def bash(runner: Path, step: str, **inputs: str) -> subprocess.CompletedProcess[str]:
    plain = dict.fromkeys(("BUDGETS", "FILE", "STRICT", "DATABASE_URL"), "")
    environment = {**plain, "FAIL_ON": "breach", "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(runner), **inputs}
    environment |= {name: str(runner / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GH_LOG", "GH_KNOWN")}
    environment |= {
        "PATH": f"{runner}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(runner),
        "GEMBILL_DATABASE_URL": f"sqlite:///{runner}/ledger.db",
    }
    (runner / "step.sh").write_text(script(step))
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "step.sh"]
    return subprocess.run(command, cwd=runner, env=environment, capture_output=True, text=True, timeout=60, check=False)


def budgets(runner: Path, *limits: str) -> None:
    text = "".join(
        f'[[budget]]\nname = "b {limit}{HOSTILE}"\nlimit_usd = "{limit}"\nperiod = "total"\nwarn_at = [0.8]\n'
        for limit in limits
    )
    (runner / "gembill.toml").write_text(text)


def outputs(runner: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (runner / "GITHUB_OUTPUT").read_text().splitlines())


def test_a_breach_is_annotated_summed_up_and_given_on(runner):
    budgets(runner, "100", "2.99")
    done = bash(runner, "Check budgets")
    assert done.returncode == 0, "a later step fails the job, so that the comment is written before"
    said = done.stdout.rsplit("::\n", 1)[1].splitlines()
    assert [line.split(" ")[0] for line in said] == ["::error", "::notice"]
    assert "%250A%3A%3Aerror%3A%3Ax" in said[0]
    left = outputs(runner)
    assert (left["status"], left["code"], left["exit_code"], left["spent_usd"]) == (
        "BREACH",
        "10",
        "10",
        "3.000000000000",
    )
    assert (runner / "GITHUB_STEP_SUMMARY").read_text().startswith("### ")
    assert bash(runner, "Result", CODE=left["code"]).returncode == 10


def test_inputs_choose_budgets_and_what_fails(runner):
    budgets(runner, "100", "3.5", "2.99")
    bash(
        runner,
        "Check budgets",
        BUDGETS=f"b 3.5{HOSTILE}\nb 100{HOSTILE}\n",
        FAIL_ON="warn",
        STRICT="true",
        FILE="gembill.toml",
    )
    assert outputs(runner)["code"] == "11"


def test_a_wrong_file_is_exit_code_2_without_a_report(runner):
    (runner / "gembill.toml").write_text('[[budget]]\nname = "x"\n')
    done = bash(runner, "Check budgets")
    assert "gembill.toml:1: the budget 'x' has no period" in done.stderr
    assert outputs(runner) == {"code": "2"}


@pytest.mark.parametrize(
    ("known", "method"), [("", "POST repos/o/r/issues/7/comments"), ("55\n", "PATCH repos/o/r/issues/comments/55")]
)
def test_one_comment_is_written_and_then_updated(known, method, runner):
    budgets(runner, "100")
    bash(runner, "Check budgets")
    (runner / "GH_KNOWN").write_text(known)
    report = outputs(runner)["report_path"]
    done = bash(runner, "Update the comment", REPORT=report, NUMBER="7", GITHUB_REPOSITORY="o/r")
    assert done.returncode == 0, done.stderr
    assert f"--method {method} -F body=@{report}" in (runner / "GH_LOG").read_text()
    assert Path(report).read_text().startswith("<!-- gembill-budgets -->\n### ")


def test_a_comment_that_cannot_be_written_fails_no_job(runner):
    write(runner / "bin/gh", "exit 1\n")
    done = bash(runner, "Update the comment", REPORT="x", NUMBER="7", GITHUB_REPOSITORY="o/r")
    assert (done.returncode, done.stdout.startswith("::notice")) == (0, True)


def test_no_input_is_written_into_a_script():
    assert not [step for step in ("Install", "Check budgets", "Update the comment", "Result") if "${{" in script(step)]
