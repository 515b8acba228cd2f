"""Links from a row to its calls.

Owns: the address of the calls of a group, and where there is none. Not here: the address itself (`query`). Invariant: a
link shows the calls of its row and no others; where the address has no words for them there is no link.
"""

from gembill_reports.dashboard.query import PageQuery


def calls_of(view: PageQuery, by: str, value: str | None, *more: tuple[str, str]) -> str:
    """The calls of a group, whatever the filter says of the same word. A missing value cannot be asked for: no link."""
    if value is None or "*" in value:
        return ""
    if by.startswith("label."):
        name = by.removeprefix("label.")
        others = [("label", pair) for pair in view.values("label") if not pair.startswith(f"{name}=")]
        return view.to("/calls", *others, ("label", f"{name}={value}"), *more, without=("label",))
    return view.to("/calls", (by, value), *more, without=(by,))
