"""Templates escape; JSON blocks cannot be ended from within."""

import json
import subprocess
import sys

import pytest
from jinja2 import UndefinedError

from gembill_reports.charts import CONFIG, waterfall
from gembill_reports.dashboard.page import Cell
from gembill_reports.dashboard.render import environment, figure_json, json_block, render


def test_json_in_a_page_holds_no_markup() -> None:
    text = "</script><script>x</script><!--\u2028&"
    block = json_block({"a": text})
    assert not set(block) & set("<>&\u2028")
    assert json.loads(block)["a"] == text


def test_a_figure_comes_with_its_configuration() -> None:
    shape = json.loads(figure_json(waterfall([("</script>", "input", 5)])))
    assert shape["config"] == CONFIG
    assert shape["data"][0]["y"] == ["</script>"]
    assert "hovertemplate" not in shape["data"][0]
    assert shape["tips"] == [["</script>", ["Tokens", "Cost", "Share"], [["#0072B2", "input", "5", "", "100%"]], ""]]
    assert shape["links"] == [None]


def test_drawing_a_figure_does_not_wait_for_the_plotly_package() -> None:
    code = (
        "from gembill_reports.charts import waterfall; from gembill_reports.dashboard.render import figure_json; import sys\n"
        "print(bool(figure_json(waterfall([('a', 'input', 1)]))), 'plotly' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "True False\n"


def test_values_are_escaped_and_missing_names_are_errors() -> None:
    made = environment().from_string("{{ a }}{{ b }}")
    with pytest.raises(UndefinedError):
        made.render(a="<b>")
    assert environment().from_string("{{ a }}").render(a="<b>") == "&lt;b&gt;"


def test_every_template_can_be_read() -> None:
    for name in environment().list_templates():
        environment().get_template(name)
    with pytest.raises(UndefinedError):
        render("overview.html", {})


def test_the_words_of_a_state_break_between_words_and_are_escaped() -> None:
    macros = environment().get_template("macros.html").module
    cell = str(macros.cell(Cell("<b> RESOURCE_EXHAUSTED", mark="error")))  # type: ignore[attr-defined]
    assert "&lt;b&gt; RESOURCE_<wbr>EXHAUSTED" in cell
    assert "<wbr>" not in str(macros.cell(Cell("RESOURCE_EXHAUSTED")))  # type: ignore[attr-defined]
