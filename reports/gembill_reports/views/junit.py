"""A check of budgets as a JUnit file, which GitLab, Jenkins and others show beside the tests.

Owns: the XML. Not here: states. Invariant: one case per budget; a breach is a failure, an unknown state an error,
everything else passes; any name gives well-formed XML in ASCII.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from gembill.rules.budgets import BudgetState, BudgetStatus
from gembill.rules.budgets.text import sentence, title
from gembill_reports.layout.tables import clean

_SUITE = "budgets"


def junit(statuses: Sequence[BudgetStatus]) -> str:
    """The file. Warnings are in `system-out`, because JUnit has no word for them."""
    failures = sum(one.state is BudgetState.BREACH for one in statuses)
    errors = sum(one.state is BudgetState.UNKNOWN for one in statuses)
    counts = {"tests": str(len(statuses)), "failures": str(failures), "errors": str(errors)}
    root = ET.Element("testsuites", {"name": "gembill", **counts, "time": "0"})
    suite = ET.SubElement(root, "testsuite", {"name": _SUITE, **counts, "skipped": "0", "time": "0"})
    for one in statuses:
        _case(suite, one)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return text.decode("ascii") + "\n"


def _case(suite: ET.Element, status: BudgetStatus) -> None:
    name = clean(status.budget.name)
    case = ET.SubElement(suite, "testcase", {"classname": f"gembill.{_SUITE}", "name": name, "time": "0"})
    said = clean(sentence(status))
    if status.state in (BudgetState.BREACH, BudgetState.UNKNOWN):
        breached = status.state is BudgetState.BREACH
        kind = "BudgetBreached" if breached else "BudgetUnknown"
        message = {"type": kind, "message": clean(title(status))}
        ET.SubElement(case, "failure" if breached else "error", message).text = said
    ET.SubElement(case, "system-out").text = f"{status.state}: {said}"
