"""A check of budgets as a JUnit file, which GitLab, Jenkins and others show beside the tests.

Owns: the XML. Owns no state. Invariant: one case a budget; a breach is a failure, a budget that cannot be told an
error, everything else passes; any name gives well-formed XML in ASCII.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from gembill.rules.budgets import BudgetState, BudgetStatus
from gembill.rules.budgets.text import sentence, title
from gembill_reports.layout.tables import clean

_SUITE = "budgets"


def junit(standings: Sequence[BudgetStatus]) -> str:
    """The file. Warnings are in `system-out`, for JUnit has no word for them."""
    failures = sum(one.state is BudgetState.BREACH for one in standings)
    errors = sum(one.state is BudgetState.UNKNOWN for one in standings)
    counts = {"tests": str(len(standings)), "failures": str(failures), "errors": str(errors)}
    root = ET.Element("testsuites", {"name": "gembill", **counts, "time": "0"})
    suite = ET.SubElement(root, "testsuite", {"name": _SUITE, **counts, "skipped": "0", "time": "0"})
    for one in standings:
        _case(suite, one)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return text.decode("ascii") + "\n"


def _case(suite: ET.Element, standing: BudgetStatus) -> None:
    name = clean(standing.budget.name)
    case = ET.SubElement(suite, "testcase", {"classname": f"gembill.{_SUITE}", "name": name, "time": "0"})
    said = clean(sentence(standing))
    if standing.state in (BudgetState.BREACH, BudgetState.UNKNOWN):
        breached = standing.state is BudgetState.BREACH
        kind = "BudgetBreached" if breached else "BudgetUnknown"
        message = {"type": kind, "message": clean(title(standing))}
        ET.SubElement(case, "failure" if breached else "error", message).text = said
    ET.SubElement(case, "system-out").text = f"{standing.state}: {said}"
