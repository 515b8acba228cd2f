"""`gembill demo`: the whole tool on made-up data, in a folder of its own."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.surroundings import clean


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home") / "Büro 5%25?"
    folder.mkdir()
    environment = clean(HOME=str(folder), GEMBILL_DATA_DIR=str(folder), COLUMNS="140", NO_COLOR="1")
    run = subprocess.run(
        [sys.executable, "-m", "gembill", "demo"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return run, environment


def rows(text: str) -> dict[str, list[int]]:
    """Calls, input, intermediate, output, executions and failed of every row of the monthly table."""
    table = {}
    for line in text.splitlines():
        cells = re.match(
            r"(gemini-\S+|Total)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)(?: \(|\s)", line
        )
        if cells and cells[1] not in table:
            table[cells[1]] = [int(cell.replace(",", "")) for cell in cells.groups()[1:]]
    return table


def test_it_ends_well_marked_as_demo_data_and_says_what_to_do_next(done):
    run, _ = done
    assert run.returncode == 0, run.stderr
    assert "DEMO DATA" in run.stdout
    assert "gembill proxy" in run.stdout
    assert "gembill dashboard --demo" in run.stdout
    assert "Traceback" not in run.stderr


def test_it_ends_with_a_bill_that_is_reconciled_but_for_a_call_that_went_past_the_proxy(done):
    run, _ = done
    assert re.search(
        r"DEMO DATA: Google's bill until 2026-10-31: .*most of it unrecorded, .*: reconciled\.", run.stdout
    )
    assert run.stdout.count("went past the proxy") == 1


def test_the_numbers_of_its_table_add_up(done):
    table = rows(done[0].stdout)
    total = table.pop("Total")
    assert len(table) >= 4
    assert [sum(column) for column in zip(*table.values(), strict=True)] == total
    assert total[0] == 1_500
    assert all(number > 0 for number in total)


def test_it_shows_a_receipt_of_a_call_with_failed_executions(done):
    assert "DEMO DATA · Receipt " in done[0].stdout
    assert re.search(r"\bfailed\b", done[0].stdout.partition("Receipt")[2])


def test_the_demo_ledger_balances_and_its_reports_carry_the_mark(done):
    run, environment = done
    url = shlex.split(next(line for line in run.stdout.splitlines() if "gembill audit " in line))[-1]
    for command, mark in (
        (["audit"], False),
        (["report", "monthly", "--month", "2026-10"], True),
        (["records", "--limit", "3"], True),
        (["compare", "--month", "2026-10", "--tier", "batch"], True),
        (["rerate", "--month", "2026-10", "--dry-run"], True),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "gembill", *command, "--database-url", url],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert ("DEMO DATA" in ran.stdout) is mark


def test_the_month_has_as_many_calls_as_asked_for_and_is_the_same_every_time(tmp_path):
    ids = []
    for folder in ("one", "other"):
        url = f"sqlite:///{tmp_path / folder / 'demo' / 'ledger.db'}"
        environment = clean(GEMBILL_DATA_DIR=str(tmp_path / folder), GEMBILL_DATABASE_URL=url)
        for words in (
            ["demo", "--records", "30"],
            ["records", "--month", "2026-10", "--limit", "99", "--format", "csv"],
        ):
            ran = subprocess.run(
                [sys.executable, "-m", "gembill", *words],
                env=environment,
                capture_output=True,
                text=True,
                timeout=100,
                check=True,
            )
        ids.append(ran.stdout)
    assert ids[0].count("\n") == 1 + 30
    assert ids[0] == ids[1]


def test_clear_removes_it(done):
    _, environment = done
    ran = subprocess.run(
        [sys.executable, "-m", "gembill", "demo", "--clear"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0
    assert "removed" in ran.stderr
