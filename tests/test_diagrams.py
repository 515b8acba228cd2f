"""Every Mermaid picture of the documents is drawn by Mermaid itself, in a browser.

`make diagrams` fetches Mermaid by npm and runs this. Without it or without Chromium the test is skipped, aloud. With
GEMBILL_DIAGRAMS naming a folder the drawings are kept there, to be looked at.
"""

import os
import re
from pathlib import Path

import pytest

from tests.e2e.browsing import chromium

ROOT = Path(__file__).parents[1]
MERMAID = ROOT / ".mermaid" / "mermaid.min.js"
PICTURES = [
    pytest.param(text, id=f"{document.stem}-{number}")
    for document in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
    for number, text in enumerate(
        re.findall(r"^```mermaid\n(.*?)^```$", document.read_text("utf-8"), re.MULTILINE | re.DOTALL), 1
    )
]
DRAW = """async (text) => {
  mermaid.initialize({startOnLoad: false, theme: 'neutral'});
  const drawn = await mermaid.render('picture', text);
  document.body.innerHTML = drawn.svg;
  return document.querySelectorAll('svg text, svg foreignObject').length;
}"""


def test_there_are_pictures_of_the_rooms_and_of_a_calls_route():
    assert [one.id for one in PICTURES] == ["architecture-1", "architecture-2"]


@pytest.mark.parametrize("text", PICTURES)
def test_mermaid_draws_it(text, request):
    if not MERMAID.exists():
        pytest.skip("Mermaid is not here, so no diagram was drawn; `make diagrams` fetches it")
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_content("<body></body>")
        page.add_script_tag(path=MERMAID)
        assert page.evaluate(DRAW, text) > 5
        assert "Syntax error" not in page.inner_text("body")
        if folder := os.environ.get("GEMBILL_DIAGRAMS"):
            page.locator("svg").screenshot(path=Path(folder) / f"{request.node.callspec.id}.png")
