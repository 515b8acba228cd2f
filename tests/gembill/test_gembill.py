"""The package itself: its version is written once, and everything that names one agrees."""

import re
import tomllib
from pathlib import Path

from click.testing import CliRunner
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

import gembill
from gembill.cli import gembill as command

ROOT = Path(__file__).parents[2]


def test_the_version_is_written_once_and_printed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" not in project
    assert project["dynamic"] == ["version"]
    assert CliRunner().invoke(command, ["--version"]).output == f"gembill, version {gembill.__version__}\n"


def test_what_is_built_and_the_newest_entry_of_the_changelog_have_the_same_version():
    newest = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == gembill.__version__ == ProjectMetadata(str(ROOT), PluginManager()).version
