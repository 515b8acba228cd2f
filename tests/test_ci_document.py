"""docs/ci.md, followed to the letter: its TOML is a budget file, its workflows are whole and their commands work.

What pip would install is here already, so `pip` does nothing; ports are free ones.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gembill.ledger import open_ledger
from gembill.rules.budgets.toml import budgets
from gembill_simulator import Simulator, in_thread
from tests.gembill_reports.making import call, put
from tests.surroundings import clean

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
ACTION = yaml.safe_load((ROOT / ".github/actions/budget/action.yml").read_text(encoding="utf-8"))
CALL = """
from google import genai

def test_a_call():
    client = genai.Client()
    assert client.models.generate_content(model="gemini-3-flash-preview", contents="Hello").text
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


WORKFLOWS = [yaml.load(block, yaml.BaseLoader) for block in blocks("yaml") if "jobs:" in block]  # `on` is not a boolean
(GITLAB,) = [yaml.safe_load(block) for block in blocks("yaml") if "jobs:" not in block]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A checkout with the page's budgets, a test that calls Gemini, and a `pip` that has nothing to do."""
    (tmp_path / "gembill.toml").write_text(blocks("toml")[0], encoding="utf-8")
    (tmp_path / "test_call.py").write_text(CALL)
    for name, line in (("pip", "exit 0"), ("python", f'[ "$2" = pip ] || exec "{sys.executable}" "$@"')):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def run(folder: Path, script: str, **variables: str) -> tuple[int, str]:
    """The script as a runner runs it; what it left running is stopped."""
    path = f"{folder}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = clean(PATH=path, HOME=str(folder), **variables)
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=folder, env=env, text=True, start_new_session=True, **streams) as process:
        said, _ = process.communicate(timeout=100)
        try:
            os.killpg(process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
    return process.returncode, said


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_the_budgets_are_read():
    assert [budget.name for budget in budgets(blocks("toml")[0], "gembill.toml", ())] == ["search-team"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow["name"])
def test_a_workflow_is_whole_and_gives_the_action_inputs_that_it_has(workflow):
    assert {"name", "on", "permissions", "jobs"} <= workflow.keys()
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    used = [step for step in steps if step.get("uses") == "OWNER/gembill/.github/actions/budget@REVISION"]
    assert used
    assert not [name for step in used for name in step["with"] if name not in ACTION["inputs"]]


def test_the_commands_of_the_offline_job_work(folder):
    (job,) = (job for workflow in WORKFLOWS for job in workflow["jobs"].values() if "env" in job)
    port = str(free_port())
    variables = {name: text.replace("8788", port) for name, text in job["env"].items()}
    variables["GEMBILL_DATA_DIR"] = variables["GEMBILL_DATA_DIR"].replace("${{ github.workspace }}", str(folder))
    for step in job["steps"]:
        if "run" in step:
            code, said = run(folder, step["run"].replace("8788", port), **variables)
            assert code == 0, said
    assert "Gemini calls of this run" in said
    code, said = run(folder, "gembill budget check && gembill records --format csv", **variables)
    assert (code, "PASS" in said, "gemini-3-flash-preview" in said) == (0, True, True)


def test_the_job_that_compares_labels_its_calls_and_the_branch_is_held_against_main(folder):
    (job,) = (job for workflow in WORKFLOWS for name, job in workflow["jobs"].items() if name == "cost")
    (script,) = (step["run"] for step in job["steps"] if "pytest --gemini-budget" in step.get("run", ""))
    (given,) = (step["with"] for step in job["steps"] if "baseline" in step.get("with", {}))
    variables = {"GEMBILL_DATABASE_URL": f"sqlite:///{folder}/ledger.db"}
    ledger = open_ledger(variables["GEMBILL_DATABASE_URL"])
    put(ledger, call("2026-11-01T10:00:00+00:00", (9_000, 0, 9_000), labels={"run": "2026", "branch": "main"}))
    ledger.close()
    with in_thread(Simulator()) as upstream:
        variables |= {"GEMBILL_UPSTREAM": upstream.url, "GEMINI_API_KEY": "made-up"}
        code, said = run(folder, script, BRANCH="feature/it", **variables)
    assert code == 0, said
    asked = (
        f"gembill diff label.branch=feature/it --baseline {given['baseline']} --max-increase {given['max-increase']}"
    )
    code, said = run(folder, f"{asked} --max-test-increase {given['max-test-increase']}", **variables)
    assert (code, "test_call.py::test_a_call" in said, "PASS: within" in said) == (0, True, True), said


def test_the_gitlab_job_ends_with_the_exit_code_of_the_check(folder):
    variables = {"GEMBILL_DATABASE_URL": f"sqlite:///{folder}/ledger.db"}
    run(folder, "gembill db upgrade", **variables)
    code, said = run(folder, "\n".join(GITLAB["budgets"]["script"]), **variables)
    assert code == 0, said
    assert (folder / "budgets.xml").read_text().startswith("<?xml")
