"""What documents count or list is what there is: settings, pages, rooms of the packages, packages of an install."""

import re
from dataclasses import fields
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gembill.config import Settings
from gembill_reports.dashboard.frame import MENU

ROOT = Path(__file__).parents[1]
PACKAGES = [ROOT / "billing" / "gembill", ROOT / "reports" / "gembill_reports"]
ROOMS = [
    pytest.param(path.name + "/" if path.is_dir() else path.name, id=f"{package.name}-{path.stem}")
    for package in PACKAGES
    for path in sorted(package.iterdir())
    if (path.suffix == ".py" and not path.stem.startswith("__")) or (path / "__init__.py").exists()
]


def test_every_setting_is_in_the_table_and_nothing_else():
    tables = (ROOT / "docs" / "settings.md").read_text("utf-8").split("\n## Budgets")[0]
    named = re.findall(r"^\| `(\w+)` \|", tables, re.MULTILINE)
    assert sorted(named) == sorted(field.name for field in fields(Settings))


def test_every_page_of_the_menu_is_in_the_table_of_the_dashboard():
    table = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "dashboard.md").read_text("utf-8"), re.MULTILINE)
    assert table[1:] == [name for name, _ in MENU]


def test_the_readme_says_how_many_packages_an_install_brings():
    said = re.search(r"An install brings (\d+) packages", (ROOT / "README.md").read_text("utf-8"))
    assert int(said[1]) == len(brought("gembill", frozenset(), set()) - {"gembill"})


def brought(name, extras, seen):
    """The packages that installing one brings, itself too."""
    if (name, extras) not in seen:
        seen.add((name, extras))
        for need in map(Requirement, requires(name) or []):
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras or [""]):
                brought(canonicalize_name(need.name), frozenset(need.extras), seen)
    return {one for one, _ in seen}


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_in_the_table_of_the_architecture(room):
    first_cells = re.findall(r"^\| ([^|]+)\|", (ROOT / "docs" / "architecture.md").read_text("utf-8"), re.MULTILINE)
    assert any(re.search(rf"[`/]{re.escape(room)}`", cell) for cell in first_cells), f"say there what {room} is for"
