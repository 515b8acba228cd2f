"""gembill in the environment of a project that has packages `billing` and `reports` of its own.

What is installed is the wheel, unpacked into a folder of the test as pip would do it; nothing of the checkout is on
the path.
"""

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gembill.ledger import open_ledger
from tests.surroundings import clean

ROOT = Path(__file__).parents[2]
PROBE = """
import billing, reports
from billing.models import OURS
from reports.models import OURS as OURS_TOO

def test_ours():
    assert OURS and OURS_TOO
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*pip, "--no-build-isolation", "-w", str(folder), str(ROOT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory) -> Path:
    """The wheel as it is installed."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def project(tmp_path) -> Path:
    """A project with two packages whose names are those of our folders, and a ledger."""
    for name in ("billing", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "models.py").write_text("OURS = True\n")
    (tmp_path / "test_ours.py").write_text(PROBE)
    open_ledger(f"sqlite:///{tmp_path}/ledger.db").close()
    return tmp_path


def run(project: Path, site: Path, *words: str, more: str = "") -> subprocess.CompletedProcess[str]:
    """A Python of this environment in which our code is that of the wheel, started in the project's folder."""
    path = f"{more}{':' if more else ''}{site}"
    env = clean(PYTHONPATH=path, HOME=str(project), GEMBILL_DATABASE_URL=f"sqlite:///{project}/ledger.db")
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=100, check=False)


def script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test_the_wheel_installs_no_other_name(wheel, site):
    version = wheel.name.split("-")[1]
    assert {path.name for path in site.iterdir()} == {
        "gembill",
        "gembill_reports",
        "gembill_simulator",
        f"gembill-{version}.dist-info",
    }
    assert all((site / name / "py.typed").exists() for name in ("gembill", "gembill_reports", "gembill_simulator"))
    points = configparser.ConfigParser()
    points.read(site / f"gembill-{version}.dist-info" / "entry_points.txt")
    assert dict(points["pytest11"]) == {"gembill": "gembill.pytest_plugin"}


@pytest.mark.parametrize("options", [(), ("--gemini-budget", "1")], ids=["plain", "budget"])
@pytest.mark.parametrize("settings", ["", "[pytest]\npythonpath = .\n"], ids=["bare", "pythonpath"])
@pytest.mark.parametrize("command", [("-m", "pytest"), (script("pytest"),)], ids=["module", "script"])
def test_the_project_tests_itself(command, settings, options, project, site):
    (project / "pytest.ini").write_text(settings or "[pytest]\n")
    done = run(project, site, *command, "-q", "-p", "no:cacheprovider", *options)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.parametrize("words", [(script("gembill"), "report", "monthly"), ("-m", "gembill", "report", "monthly")])
def test_a_report_is_ours_and_not_the_project_s(words, project, site):
    done = run(project, site, *words, more=".")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Gemini calls" in done.stdout


def test_what_ran_was_the_wheel(project, site):
    done = run(
        project, site, "-c", "import gembill, gembill_reports; print(gembill.__file__, gembill_reports.__file__)"
    )
    assert done.stdout.split() == [str(site / name / "__init__.py") for name in ("gembill", "gembill_reports")]
