"""The reference: every setting, policy and key of a budget has a sentence, and shows what is checked."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from gembill.config import Settings, allowed
from gembill.rules.budgets.toml import BUDGET_KEYS
from gembill.settings_reference import BUDGETS, SECTIONS, VARIABLES, settings_markdown

ROOT = Path(__file__).parents[2]


def test_every_setting_has_one_sentence_and_nothing_else_has() -> None:
    named = [name for section in SECTIONS.values() for name in section]
    assert sorted(named) == sorted(field.name for field in fields(Settings))
    assert all(text.endswith(".") for section in SECTIONS.values() for text in section.values())


def test_every_key_of_a_budget_has_one() -> None:
    assert list(BUDGETS) == list(BUDGET_KEYS)


def test_rows_show_variable_default_and_what_is_allowed() -> None:
    text = settings_markdown()
    assert f"| `port` | `GEMBILL_PORT` | `8787` | {allowed('port')} |" in text
    assert "| `keys` |  |  | a table of fingerprint = name" in text
    assert "| `pump_bytes` | `GEMBILL_PUMP_BYTES` | 67,108,864 |" in text
    assert "| `on_record_failure` | `GEMBILL_ON_RECORD_FAILURE` | `closed` | closed or open |" in text
    assert "| `period` | one of day, week, month, total, run |" in text


def test_every_variable_of_ours_that_the_code_reads_is_there() -> None:
    known = {f"GEMBILL_{field.name.upper()}" for field in fields(Settings)} | set(VARIABLES)
    read: set[str] = set()
    for package in ("billing/gembill", "reports/gembill_reports"):
        for source in (ROOT / package).rglob("*.py"):
            text = source.read_text("utf-8")
            read.update(re.findall(r'(?:envvar=|environ(?:\.get\(|\[)|_TOKEN = )"(GEMBILL_[A-Z_]+)"', text))
    assert read
    assert read <= known


def test_it_is_the_same_on_every_machine(tmp_path: Path) -> None:
    code = "from gembill.settings_reference import settings_markdown; print(settings_markdown(), end='')"
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "GEMBILL_PORT": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == settings_markdown()
