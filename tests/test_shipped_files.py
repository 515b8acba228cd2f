"""Every YAML, TOML and JSON file of the tree is read by a real parser: what is shipped can at least be loaded."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SKIPPED = {"build", "dist", "node_modules", "__pycache__"}


def shipped() -> list[Path]:
    """What git knows, or, in an unpacked archive, what is there."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0 and done.stdout:
        return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).exists()]
    inside = (path for path in ROOT.rglob("*") if not SKIPPED & set(path.relative_to(ROOT).parts))
    return [path for path in inside if path.is_file() and not path.relative_to(ROOT).parts[0].startswith(".venv")]


def lines(text: str) -> list[object]:
    return [json.loads(line) for line in text.splitlines()]


READERS = {
    ".yml": yaml.safe_load,
    ".yaml": yaml.safe_load,
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".jsonl": lines,
}
FILES = [path for path in shipped() if path.suffix in READERS]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_loaded(path):
    assert READERS[path.suffix](path.read_text(encoding="utf-8"))


def test_the_action_and_the_prices_are_among_them():
    names = {str(path.relative_to(ROOT)) for path in FILES}
    assert {".github/actions/budget/action.yml", "billing/gembill/prices.toml", "pyproject.toml"} <= names
