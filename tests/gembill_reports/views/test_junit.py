"""The JUnit file, held against the schema in `tests/data/junit.xsd`.

The standard library has no XSD validator; `misfits` reads the few forms of XSD that this schema uses.
"""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill_reports.views.junit import junit
from tests.gembill.rules.budgets.test_status import hours, stand

XS = "{http://www.w3.org/2001/XMLSchema}"
SCHEMA = {e.get("name"): e for e in ET.parse(Path(__file__).parents[2] / "data/junit.xsd").getroot()}
TYPES = {"xs:string": ".*", "xs:nonNegativeInteger": r"\d+", "xs:decimal": r"\d+(\.\d+)?"}


def misfits(element: ET.Element) -> list[str]:
    """What of an element and those in it does not fit the schema."""
    rule = SCHEMA.get(element.tag)
    if rule is None:
        return [f"{element.tag} is unknown"]
    attributes = {a.get("name"): a for a in rule.iter(f"{XS}attribute")}
    problems = [f"{element.tag}/@{name} is unknown" for name in element.keys() - attributes.keys()]
    problems += [
        f"{element.tag}/@{n} is missing"
        for n, a in attributes.items()
        if a.get("use") == "required" and element.get(n) is None
    ]
    problems += [
        f"{element.tag}/@{n}={v!r}"
        for n, v in element.items()
        if n in attributes and not re.fullmatch(TYPES[attributes[n].get("type")], v, re.DOTALL)
    ]
    order = "".join(
        f"(?:{e.get('ref')} ){{{e.get('minOccurs')},{e.get('maxOccurs').replace('unbounded', '')}}}"
        for e in rule.iter(f"{XS}element")
        if e.get("ref")
    )
    if not re.fullmatch(order, "".join(f"{child.tag} " for child in element)):
        problems.append(f"{element.tag} holds {[child.tag for child in element]}")
    return problems + [one for child in element for one in misfits(child)]


PASS, WARN = stand(hours(1), name="p"), stand(hours(90), name="w", warn_at=(500_000,))
BREACH, UNKNOWN = stand(hours(200), name="b"), stand(hours(1, unpriced_calls=1), name="u")


def test_a_file_with_every_state_fits_the_schema():
    root = ET.fromstring(junit([BREACH, UNKNOWN, WARN, PASS]))
    assert misfits(root) == []
    suite = root[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")) == (
        "budgets",
        "4",
        "1",
        "1",
    )
    assert [[child.tag for child in case] for case in suite] == [
        ["failure", "system-out"],
        ["error", "system-out"],
        ["system-out"],
        ["system-out"],
    ]
    assert suite.find("testcase/failure").get("type") == "BudgetBreached"


@pytest.mark.parametrize(
    "text",
    ["<testsuites><testcase/></testsuites>", "<other/>", "<testsuite name='a' tests='x' failures='0' errors='0'/>"],
)
def test_the_schema_refuses_other_files(text):
    assert misfits(ET.fromstring(text)) != []


@given(st.text(min_size=1, max_size=40))
def test_any_name_gives_well_formed_ascii(name):
    text = junit([stand(hours(200), name=name)])
    assert text.isascii()
    assert misfits(ET.fromstring(text)) == []
