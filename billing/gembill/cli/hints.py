"""Sentences about names that no call has, where an answer would look whole.

Owns: when a group or a budget may rest on a typing error, and saying so on stderr. Not here: filters, whose unknown
names are refused (`gembill.ledger.filter_values`). Invariant: data and exit codes stay as they are, because a group or
a budget may well be made before its first call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gembill.ledger import Ledger
    from gembill.rules.budgets import BudgetStatus
    from gembill_reports.analysis.report import Report

_LABEL = "label."


def about_groups(ledger: Ledger, report: Report) -> None:
    """Name each label that the rows go by and no call of the ledger has."""
    from gembill.ledger import label_trouble

    for word in report.by:
        if word.startswith(_LABEL) and report.rows and all(row.group[word] is None for row in report.rows):
            _say(label_trouble(ledger, word.removeprefix(_LABEL)))


def about_budgets(ledger: Ledger, statuses: Iterable[BudgetStatus]) -> None:
    """Name what no call of the ledger has of each budget that counts none: its filters, and the run it is about."""
    from gembill.budget_status import RUN
    from gembill.ledger import Selection, require_known

    for status in [status for status in statuses if not status.calls]:
        budget = status.budget
        labels = budget.labels if status.run is None else {**budget.labels, RUN: status.run}
        try:
            require_known(ledger, Selection(models=budget.models, keys=budget.keys, labels=labels))
        except ConfigurationError as error:
            _say(f"budget {budget.name}: {error}")


def _say(sentence: str | None) -> None:
    if sentence is not None:
        click.echo(f"gembill: {sentence}", err=True)
