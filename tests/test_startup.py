"""What starting costs: nothing heavy is imported before it is used."""

import subprocess
import sys
from pathlib import Path

import pytest

from gembill.ledger import open_ledger
from tests.gembill.ledger.making import SPOOL, append, posting

HEAVY = (
    *("sqlalchemy", "alembic", "pandas", "numpy", "plotly", "google.genai", "pydantic", "uvicorn", "starlette"),
    *("httptools", "uvloop", "asyncio", "ssl", "jinja2", "rich", "psycopg", "difflib"),
)
BUDGET = '[[budget]]\nname = "b"\nlimit_usd = "1"\nperiod = "month"\n'
SHOWN = {"rich"}  # draws tables
STORED = {"sqlalchemy", "asyncio", "ssl"}  # SQLAlchemy imports the other two


def loaded(statement: str, names: tuple[str, ...] = HEAVY) -> set[str]:
    """Which of these packages are in `sys.modules` after a statement, in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*(m for m in {names!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()) if done.stdout.strip() else set()


@pytest.mark.parametrize(
    "package",
    [
        "gembill",
        "gembill_reports",
        "gembill.model",
        "gembill.rules.metering",
        "gembill.rules.rating",
        "gembill.capture.exchange",
    ],
)
def test_importing_it_pulls_in_nothing_heavy(package):
    assert loaded(f"import {package}") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["report", "--help"], ["records", "--help"], ["proxy", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    statement = f"import sys\nfrom gembill.cli import gembill\ntry:\n    gembill.main({arguments!r})\nexcept SystemExit:\n    pass"
    assert loaded(statement) == set()


@pytest.mark.parametrize(
    ("command", "needed", "ours"),
    [
        (["--version"], set(), 4),
        (["budget", "check"], SHOWN, 43),
        (["budget", "check", "--format", "json"], set(), 43),
        (["report", "monthly", "--format", "json"], set(), 56),
        (["report", "monthly", "--month", "2025-11"], SHOWN, 43),
        (["report", "daily", "--by", "key,label.team", "--format", "csv"], set(), 57),
        (["records", "--format", "json"], STORED, 55),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_imports_only_what_it_needs(command, needed, ours, ledger, monkeypatch):
    monkeypatch.setenv("GEMBILL_DATABASE_URL", ledger)
    monkeypatch.chdir(Path(ledger.removeprefix("sqlite:///")).parent)
    statement = f"import sys\nfrom gembill.cli import gembill\ntry:\n    gembill.main({command!r})\nexcept SystemExit:\n    pass"
    assert loaded(statement) == needed
    counted = f"{statement}\nprint(sum(name.split('.')[0].startswith('gembill') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", counted], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) <= ours


def test_a_check_of_budgets_waits_for_no_small_thing_that_it_does_not_use(ledger, monkeypatch):
    """Each takes as long as the check's own work: zipfile comes with importlib.resources, which zones need not use."""
    monkeypatch.setenv("GEMBILL_DATABASE_URL", ledger)
    monkeypatch.chdir(Path(ledger.removeprefix("sqlite:///")).parent)
    check = "from gembill.cli import gembill\ntry:\n    gembill.main(['budget', 'check', '--format', 'json'])\nexcept SystemExit:\n    pass"
    assert loaded(check, ("hashlib", "socket", "zipfile", "xml")) == set()


@pytest.fixture
def ledger(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    opened = open_ledger(url)
    append(opened, SPOOL, [posting(1)])
    opened.close()
    (tmp_path / "gembill.toml").write_text(BUDGET)
    return url


def test_help_imports_little_more_than_click():
    """A count in place of a clock, which other work on the machine disturbs: click alone is four fifths of the time."""
    statement = "import sys, click\nbefore = len(sys.modules)\nfrom gembill.cli import gembill\n"
    counted = f"{statement}try:\n    gembill.main(['--help'])\nexcept SystemExit:\n    print(len(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", counted], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) <= 20


def test_the_process_that_answers_callers_has_no_ledger(tmp_path):
    statement = f"""
from pathlib import Path
from gembill.config import Settings
from gembill.posting_supervisor import PostingSupervisor
from gembill.service import ProxyService
posting = PostingSupervisor(Settings(data_dir=Path({str(tmp_path)!r}), port=0))
station = ProxyService(Settings(data_dir=Path({str(tmp_path)!r}), port=0), posting)
posting.ready()
station._spool.append_wait("a", b"x")
posting.end(20)
import sys
print(*(m for m in ("sqlalchemy", "alembic", "pandas", "sqlite3", "pysqlite3", "gembill.ledger", "gembill.rules.prices") if m in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
