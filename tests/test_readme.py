"""The README names every setting there is, with its default."""

import re
from dataclasses import fields
from pathlib import Path

from gembill.config import Settings

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def test_every_setting_is_in_the_table_and_nothing_else():
    table = README.split("### Settings")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named == {field.name for field in fields(Settings)}
