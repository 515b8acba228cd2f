"""What the simulated Google Search finds.

Owns: queries, sources, and how an answer is grounded in them. Not here: counts. Invariant: pure; the same question
gives the same findings; addresses lead nowhere (`.example`).
"""

import re
from dataclasses import dataclass
from typing import Any

WORDS = re.compile(
    r"\b(search|look up|latest|news|today|current(ly)?|recent(ly)?|weather|who won|price of|release date|population)\b",
    re.IGNORECASE,
)
"""What in a question makes the model search."""

SENTENCE = "According to the pages found, the answer is as stated there."
SUGGESTIONS = "<div>Search suggestions of the simulator</div>"

OUTPUT_SHOWN = "Looking up information on Google Search."
"""What a search that is shown as code prints (wire.md 1.4(e))."""


@dataclass(frozen=True, slots=True)
class Findings:
    """The queries of an answer and the pages they found, as pairs of title and address."""

    queries: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]


def find(question: str) -> Findings:
    """Search for a question: one query, two pages."""
    query = " ".join(re.findall(r"\w+", question)[:8]).lower() or "news"
    slug = "-".join(query.split()[:3])
    pages = (("first.example", f"https://first.example/{slug}"), ("second.example", f"https://second.example/{slug}"))
    return Findings((query,), pages)


def code_shown(findings: Findings) -> str:
    """The code as which a search is shown on 2.5 beside code execution."""
    return f'print(concise_search("{findings.queries[0]}", max_num_results=5))\n'


def grounding(findings: Findings, text: str) -> dict[str, Any]:
    """The `groundingMetadata` of a text."""
    return {
        "searchEntryPoint": {"renderedContent": SUGGESTIONS},
        "groundingChunks": [{"web": {"uri": address, "title": title}} for title, address in findings.sources],
        "groundingSupports": [
            {
                "segment": {"endIndex": len(text.encode()), "text": text},
                "groundingChunkIndices": list(range(len(findings.sources))),
            }
        ],
        "webSearchQueries": list(findings.queries),
    }


def citations(findings: Findings, text: str) -> list[dict[str, Any]]:
    """The `annotations` of a text of the Interactions API."""
    end = len(text.encode())
    return [
        {"type": "url_citation", "start_index": 0, "end_index": end, "url": address, "title": title}
        for title, address in findings.sources
    ]
