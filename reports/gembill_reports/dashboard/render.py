"""Pages as HTML.

Owns: the template environment and what templates may call. Not here: content. Invariant: everything is escaped unless
it was made here: figures as JSON without any `<`, so that no text can end its script block.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gembill_reports.chart_tips import Tip
from gembill_reports.charts import CONFIG, Chart, shape
from gembill_reports.dashboard import assets
from gembill_reports.dashboard.bars import sketch

_PLOTLYS = ("hovertemplate", "customdata")  # what plotly says of a bar
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


@cache
def environment() -> Environment:
    """The templates of the dashboard and of the HTML report; values are escaped, a missing name is an error."""
    made = Environment(
        loader=PackageLoader("gembill_reports.dashboard", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(sketch=sketch, figure_json=figure_json)
    return made


def read_templates() -> None:
    """Compile all templates now; the environment keeps them."""
    for name in environment().list_templates():
        environment().get_template(name)


def render(template: str, values: Mapping[str, Any]) -> str:
    """A template filled in."""
    return environment().get_template(template).render(values)


def bare_frame(title: str, menu: Sequence[tuple[str, str, bool]] = ()) -> dict[str, Any]:
    """What is around a page that shows no calls: its title, and the menu (name, address, whether it is this page)."""
    return {
        "title": title,
        "heading": "",
        "menu": menu,
        "home": "/",
        "demo": False,
        "mark": "",
        "who": None,
        "as_of": None,
        "json_link": None,
        "assets": assets.names(),
        "filter": None,
        "notes": (),
    }


def figure_json(chart: Chart) -> Markup:
    """The chart's plotly figure, how to draw it, and what its bars say and lead to, for a script block of JSON.

    What plotly would say itself is left out: the page says it, in one form for all charts.
    """
    drawn = shape(chart)
    data = [{key: value for key, value in one.items() if key not in _PLOTLYS} for one in drawn["data"]]
    tips = [_tip(chart.tip(at)) for at in range(len(chart.categories))]
    more = {"config": CONFIG, "tips": tips, "links": chart.links}
    return json_block({"data": [one | {"hoverinfo": "none"} for one in data], "layout": drawn["layout"]} | more)


def _tip(tip: Tip) -> list[Any]:
    """A tip as the script of the pages reads it: name, headings, lines, sentence."""
    rows = [[row.color, row.name, row.count, row.cost, row.share] for row in tip.rows]
    return [tip.name, tip.heads, rows, tip.note]


def json_block(value: object) -> Markup:
    """JSON that cannot end the script block it is in."""
    return Markup(json.dumps(value, separators=(",", ":")).translate(_ESCAPES))  # noqa: S704 - no markup is left in it
