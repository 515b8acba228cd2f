"""What went past the proxy, in words and for scripts."""

import json

from gembill.reconcile.numerals import day
from gembill_reports.analysis.second_witness import Witnessed
from gembill_reports.views.second_witness import SecondWitnessView, sentences
from gembill_reports.views.view import Format, text

PAST = Witnessed(
    day=day("2026-11-12"),
    operation="generate_content",
    credentials=("apikey:1",),
    keys=("team-a",),
    google=15,
    ours=3,
    unknown=0,
)
UNSEEN = Witnessed(
    day=day("2026-11-13"), operation="interactions", credentials=("",), keys=(), google=0, ours=2, unknown=0
)


def test_each_day_is_named_with_its_credential_operation_and_number() -> None:
    said = sentences([UNSEEN, PAST])
    assert said[0] == "12 calls went past the proxy: generate_content with apikey:1 on 2026-11-12."
    assert said[1].startswith("2 calls of ours are not among Google's")
    assert sentences([]) == ["No call went past the proxy."]
    assert sentences([PAST] * 23)[-1] == "And on 3 more days."


def test_json_csv_and_table_have_the_same_numbers() -> None:
    view = SecondWitnessView([PAST, UNSEEN])
    shape = json.loads("".join(text(view, Format.JSON)))
    assert (shape["schema_version"], shape["past_the_proxy"], shape["unseen"]) == (1, 12, 2)
    assert shape["days"][0]["credentials"] == ["apikey:1"]
    assert "2026-11-12,generate_content,apikey:1,team-a,15,3,0,12,0" in "".join(text(view, Format.CSV))
    assert "no key" in "".join(text(view, Format.TABLE))


def test_made_up_calls_are_marked_for_people_and_for_scripts() -> None:
    marked, plain = (SecondWitnessView([PAST], demo=demo) for demo in (True, False))
    assert "DEMO DATA" in "".join(text(marked, Format.TABLE))
    assert "DEMO DATA" not in "".join(text(plain, Format.TABLE))
    assert json.loads("".join(text(marked, Format.JSON)))["demo_data"] is True
    assert "demo_data" not in json.loads("".join(text(plain, Format.JSON)))
