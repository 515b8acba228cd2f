"""The page that asks for a token.

Owns: its content. Not here: whether the token is right (`guard`). Invariant: it needs nothing else from this server, so
that whoever is not in gets nothing but this page.
"""

from gembill_reports.dashboard.assets import asset
from gembill_reports.dashboard.render import render


def sign_in_page(target: str, problem: str = "") -> str:
    """The form; `target` is where it leads then, `problem` is what was wrong with the last token."""
    style = asset("style.css").plain.decode()
    return render("sign_in.html", {"target": target, "problem": problem, "style": style})
