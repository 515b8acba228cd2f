"""docs/reconcile.md shows what its commands say."""

import re
from pathlib import Path

from tests.shown import shown

PAGE = (Path(__file__).parents[1] / "docs" / "reconcile.md").read_text("utf-8")


def test_the_worked_example_is_what_the_command_says():
    demo = shown()
    bill = re.search(r'bill = "(gembill simulate bill [^"]+)"', PAGE)
    line = re.search(r"\$ (gembill reconcile bill\.jsonl .+)", PAGE)
    demo.command(f"{bill[1]} --output bill.jsonl")
    assert demo.command(line[1], width=130) in PAGE
    assert "reconciled." in PAGE.replace("\n", " ")
