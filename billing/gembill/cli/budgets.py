"""The budgets that commands work with.

Owns: which file they come from and which of them were named. Owns no form of the file (`gembill.rules.budgets.toml`).
Invariant: a file with a mistake gives no budget at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.rules.budgets import Budget

file_option = click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file with [[budget]] tables.  [default: gembill.toml, else pyproject.toml]",
)


def load(file: Path | None = None) -> tuple[str, list[Budget]]:
    """The name of the file and its budgets; none where no file has any. ConfigurationError names every mistake."""
    from gembill.config import budget_text
    from gembill.rules.budgets.toml import budgets

    if file is None:
        found = budget_text()
        return ("gembill.toml", []) if found is None else (found[0], budgets(found[1], found[0], found[2]))
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from None
    return str(file), budgets(text, str(file), ("tool", "gembill") if file.name == "pyproject.toml" else ())


def chosen(file: Path | None, names: Sequence[str]) -> tuple[str, list[Budget]]:
    """The budgets of these names, or all; ConfigurationError if there is none or a name is not among them."""
    where, found = load(file)
    if not found:
        raise ConfigurationError(f"{where} has no budget; begin one with [[budget]], name, limit_usd and period")
    known = {budget.name: budget for budget in found}
    for name in names:
        if name not in known:
            raise ConfigurationError(f"{where} has no budget '{name}'; it has {', '.join(known)}")
    return where, [known[name] for name in dict.fromkeys(names)] or found
