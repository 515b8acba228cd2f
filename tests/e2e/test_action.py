"""The scripts of the GitHub Action, run by `bash` as a runner runs them, with its variables and files."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gembill.ledger import open_ledger
from tests.gembill_reports.making import call, put

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / ".github/actions/budget/action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
HOSTILE = "search%0A::error::x"


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
    plain = dict.fromkeys(("BUDGETS", "FILE", "STRICT", "DATABASE_URL", "DIFF", "DIFF_CODE"), "")
    environment = {**plain, "FAIL_ON": "breach", "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(runner), **inputs}
    environment |= {name: str(runner / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GH_LOG", "GH_KNOWN")}
    environment |= {
        "PATH": f"{runner}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(runner),
        "GEMBILL_DATABASE_URL": f"sqlite:///{runner}/ledger.db",
    }
    (runner / "step.sh").write_text(STEPS[step]["run"])
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "step.sh"]
    return subprocess.run(command, cwd=runner, env=environment, capture_output=True, text=True, timeout=60, check=False)


def budgets(runner: Path, *limits: str) -> None:
    text = "".join(
        f'[[budget]]\nname = "b {limit}{HOSTILE}"\nlimit_usd = "{limit}"\nperiod = "total"\nwarn_at = [0.8]\n'
        for limit in limits
    )
    (runner / "gembill.toml").write_text(text)


def outputs(runner: Path) -> dict[str, str]:
    if not (runner / "GITHUB_OUTPUT").is_file():
        return {}
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
    assert "gembill.toml:1: $.budget[0]: the budget 'x' has no period" in done.stderr
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
    assert not [name for name, step in STEPS.items() if "${{" in step["run"]]


class Job:
    """A runner with one composite action: its inputs, expressions, files and the steps in their order."""

    def __init__(self, folder: Path, number: str = "7", **given: str) -> None:
        inputs = {name: one["default"] for name, one in ACTION["inputs"].items()} | {"install": ""}
        self.folder, self.said = folder, ""
        self.values = {f"inputs.{name}": value for name, value in (inputs | given).items()}
        self.values |= {"github.event.pull_request.number": number, "github.token": "t"}

    def value(self, text: str) -> str:
        return re.sub(r"\$\{\{ *([^ }]+) *}}", lambda match: self.values.get(match[1], ""), text)

    def wanted(self, condition: str) -> bool:
        """`a == 'x' && b != '' && c`, which is all that the action's conditions use."""
        for term in condition.split(" && "):
            name, operator, word = [*term.split(" "), "", ""][:3]
            value = self.value(self.values.get(name, ""))
            if not {"==": value == word.strip("'"), "!=": value != word.strip("'"), "": bool(value)}[operator]:
                return False
        return True

    def run(self) -> int:
        """All steps, as far as they go; the job's exit code."""
        for step in ACTION["runs"]["steps"]:
            if not self.wanted(step.get("if", "inputs.comment != ''")):
                continue
            env = {name: self.value(self.value(text)) for name, text in step["env"].items()}
            done = bash(self.folder, step["name"], GITHUB_REPOSITORY="o/r", **env)
            self.said += done.stdout + done.stderr
            self._keep_outputs(step.get("id", ""))
            if done.returncode:
                return done.returncode
        return 0

    def _keep_outputs(self, step: str) -> None:
        if step:
            self.values |= {f"steps.{step}.outputs.{name}": value for name, value in outputs(self.folder).items()}

    def output(self, name: str) -> str:
        return self.value(ACTION["outputs"][name]["value"])


@pytest.mark.parametrize(
    ("limits", "given", "code", "status"),
    [
        (["100"], {}, 0, "PASS"),
        (["3.5"], {}, 0, "WARN"),
        (["3.5"], {"fail-on": "warn"}, 11, "WARN"),
        (["2.99", "100"], {}, 10, "BREACH"),
        (["2.99", "100"], {"budgets": f"b 100{HOSTILE}\n"}, 0, "PASS"),
    ],
)
@pytest.mark.parametrize(("known", "method"), [("", "POST"), ("55\n", "PATCH")])
def test_a_job_ends_as_its_budgets_do_and_has_one_comment(limits, given, code, status, known, method, runner):
    budgets(runner, *limits)
    (runner / "GH_KNOWN").write_text(known)
    job = Job(runner, **given)
    assert job.run() == code, job.said
    assert (job.output("status"), job.output("exit_code")) == (status, str(code))
    assert f"--method {method} " in (runner / "GH_LOG").read_text()


def test_a_broken_file_fails_the_job_and_writes_no_comment(runner):
    (runner / "gembill.toml").write_text("[[budget]\n")
    job = Job(runner)
    assert (job.run(), job.output("status"), job.output("exit_code")) == (2, "", "2")
    assert "gembill.toml" in job.said
    assert not (runner / "GH_LOG").exists()


def test_outside_a_pull_request_no_comment_is_written(runner):
    budgets(runner, "100")
    assert Job(runner, number="").run() == 0
    assert not (runner / "GH_LOG").exists()


@pytest.mark.parametrize("name", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_a_runner_whose_files_cannot_be_written_does_not_change_the_verdict(name, runner):
    budgets(runner, "2.99")
    (runner / name).mkdir()
    job = Job(runner)
    assert job.run() == 10, job.said


def runs(runner: Path) -> None:
    """A run of main for 1 dollar, and one of a branch for 2, with a test whose name would like to be a command."""
    ledger = open_ledger(f"sqlite:///{runner}/ledger.db")
    for at, branch, count in (("10", "main", 2), ("11", "feature", 4)):
        labels = {"run": f"2026-{at}", "branch": branch, "test": f"test_a\n{HOSTILE}|"}
        put(ledger, *(call(f"2026-11-01T{at}:00:00+00:00", (1_000_000, 0, 0), labels=labels) for _ in range(count)))
    ledger.close()


@pytest.mark.parametrize(("limit", "code", "status"), [("100%\n1.00\n", 0, "PASS"), ("2.00\n99%", 10, "BREACH")])
def test_a_job_compares_with_a_baseline_in_the_same_comment(limit, code, status, runner):
    budgets(runner, "100")
    runs(runner)
    (runner / "GH_KNOWN").write_text("55\n")
    job = Job(runner, baseline="label.branch=main", head="label.branch=feature", **{"max-increase": limit})
    assert job.run() == code, job.said
    assert (job.output("diff_status"), job.output("difference_usd")) == (status, "1.000000000000")
    assert (job.output("exit_code"), job.output("diff_exit_code")) == ("0", str(code))
    (asked,) = re.findall(r"--method PATCH .* -F body=@(.*)", (runner / "GH_LOG").read_text())
    comment = Path(asked).read_text()
    assert comment.startswith("<!-- gembill-budgets -->\n### ")
    assert comment.count("<!--") == 1
    assert "### Gemini cost of label.branch=feature · against label.branch=main" in comment
    assert "### Gemini budgets" in comment
    assert not [line for line in job.said.splitlines() if line.startswith("::error::x")]


def test_a_job_can_compare_without_budgets(runner):
    runs(runner)
    (runner / "GH_KNOWN").write_text("")
    job = Job(runner, baseline="label.branch=main", **{"check-budgets": "false", "max-test-increase": "0.99"})
    assert job.run() == 10, job.said
    assert (job.output("exit_code"), job.output("diff_status")) == ("", "BREACH")
    assert "--method POST" in (runner / "GH_LOG").read_text()
    (known,) = re.findall("::error title=(.*?)::", job.said)
    assert known == "Gemini cost +$1.00 (+100%25)"


def test_a_baseline_that_is_not_there_fails_the_job_with_one_sentence(runner):
    budgets(runner, "2.99")
    runs(runner)
    job = Job(runner, baseline="label.branch=mian")
    assert job.run() == 2, "wrong usage goes before a breach"
    assert "no call has the label 'branch=mian'; did you mean branch=main?" in job.said
    assert job.output("diff_path") == ""
