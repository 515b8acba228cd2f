"""What is around the content of every page: the menu, the periods, the filter, and what is chosen in it.

Owns: what the form offers, and where its links lead. Not here: content, and markup (the templates). Invariant: it works
without a script: a form of plain fields and links; whatever the address chooses is shown, and the form keeps it.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gembill.ledger import Ledger, Selection, Total, holds_demo_data, read_labels, read_totals
from gembill.model import Api
from gembill.period import DEFAULT_ZONE, local
from gembill_reports.dashboard import assets
from gembill_reports.dashboard.page import Page
from gembill_reports.dashboard.query import PageQuery, months
from gembill_reports.dashboard.tokens import Holder
from gembill_reports.views.period_texts import words

MENU = (
    ("Overview", "/"),
    ("What changed", "/changes"),
    ("Models", "/models"),
    ("Labels", "/labels"),
    ("Keys", "/keys"),
    ("Executions", "/executions"),
    ("Conversations", "/conversations"),
    ("Calls", "/calls"),
    ("Budgets", "/budgets"),
    ("Bill", "/bill"),
    ("Prices", "/prices"),
    ("Data quality", "/quality"),
)
_PERIODS = {
    "today": "Today",
    "last-7-days": "7 days",
    "last-30-days": "30 days",
    "this-month": "This month",
    "last-month": "Last month",
}
_HOME = {"/overview": "/"}
_FILTERED = ("overview", "changes", "models", "labels", "keys", "executions", "conversations", "calls", "quality")
_OWN = {
    "/calls": ("status", "trouble", "after", "dir", "find"),
    "/changes": ("against",),
    "/conversations": ("page",),
}  # asked for by its form
_CHOICES = 200  # models or values of a label that a filter offers


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A filter of several values: its parameter and name, what is chosen in words, and the link that chooses none.

    `groups` are (heading, values), each value as (value, text, whether it is chosen).
    """

    name: str
    title: str
    said: str
    clear: str
    groups: Sequence[tuple[str, Sequence[tuple[str, str, bool]]]]


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of a request besides its address: when the ledger's first and last call were received, what the
    ledger was at when it was read, and who asks, None where nobody needs a token."""

    extent: tuple[int, int] | None
    mark: str
    holder: Holder | None


def frame(ledger: Ledger, page: Page, shown: PageQuery, around: Around) -> dict[str, Any]:
    """What the templates need around the content of a page."""
    path, extent, holder = f"/{page.name}", around.extent, around.holder
    return {
        "title": page.title,
        "heading": f"{page.dated or words(shown.period)} · {shown.period.timezone}",
        "menu": [(name, shown.to(to), to in (path, _HOME.get(path))) for name, to in MENU],
        "home": shown.to("/"),
        "demo": holds_demo_data(ledger),
        "begins": extent is None,
        "json_link": shown.to(f"{path}.json", rest=True),
        "csv_link": shown.to(f"{path}.csv", rest=True),
        "assets": assets.names(),
        "mark": around.mark,
        "who": holder and (holder.name or "owner"),
        "as_of": _as_of(shown, extent),
        "refresh": shown.to(address(page), rest=True),
        "filter": _filter(ledger, address(page), shown, extent) if page.name in _FILTERED else None,
    }


def _as_of(shown: PageQuery, extent: tuple[int, int] | None) -> dict[str, str]:
    """When the ledger was read, and when the newest call was received, on the clock of the page."""
    now = local(shown.now_us, shown.period.zone)
    newest = "" if extent is None else local(extent[1], shown.period.zone).strftime("%Y-%m-%d %H:%M")
    return {"instant": now.isoformat(), "time": f"{now:%Y-%m-%d %H:%M:%S} {now.isoformat()[-6:]}", "newest": newest}


def address(page: Page) -> str:
    """Where a page's own form and links lead."""
    return _HOME.get(f"/{page.name}", f"/{page.name}")


def is_page(path: str) -> bool:
    """Whether a path is that of a page, or of a call's receipt."""
    return path in {to for _, to in MENU} or re.fullmatch("/calls/[0-9a-f-]{36}", path) is not None


def _filter(ledger: Ledger, action: str, shown: PageQuery, extent: tuple[int, int] | None) -> dict[str, Any]:
    """What the form of every page offers, and what is chosen in it."""
    known = _names(read_totals(ledger, Selection(), ("model", "service_tier", "api")))
    zones = (DEFAULT_ZONE, "UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Tokyo", shown.period.timezone)
    own = _OWN.get(action, ("after",))
    picks = [
        _pick("model", "Models", action, shown, {"": known["model"][:_CHOICES]}),
        _pick("label", "Labels", action, shown, _labels(ledger)),
        _pick("tier", "Tiers", action, shown, {"": known["service_tier"]}),
    ]
    return {
        "action": action,
        "month": shown.month,
        "months": sorted({*months(shown, extent), *([shown.month] if shown.month else [])}, reverse=True),
        "days": shown.days,
        "since": shown.value("since"),
        "until": shown.value("until"),
        "periods": [(title, shown.named(action, word), shown.is_named(word)) for word, title in _PERIODS.items()],
        "picks": [one for one in picks if one.name != "tier" or _choices(one) > 1],
        "location": shown.value("location"),
        "has_locations": Api.VERTEX.value in known["api"],
        "zones": dict.fromkeys(zones),
        "tz": shown.period.timezone,
        "code_execution": shown.selection.code_execution,
        "chips": [(_chip(*pair), shown.less(action, pair)) for pair in shown.several()],
        "kept": [
            *shown.also(),
            *(("tier", one) for one in shown.values("tier") if _choices(picks[-1]) < 2),
            *((key, value) for key, value in shown.rest.items() if key not in own),
        ],
    }


def _pick(name: str, title: str, action: str, shown: PageQuery, groups: Mapping[str, Sequence[str]]) -> Pick:
    """A filter of several values; those chosen are among them even where a ledger has too many to offer all."""
    chosen = shown.values(name)
    offered = {value for values in groups.values() for value in values}
    more = [value for value in chosen if value not in offered]
    every = {**groups, "": [*groups.get("", ()), *more]} if more else groups
    return Pick(
        name=name,
        title=title,
        said=_said(title, chosen),
        clear=shown.to(action, without=(name, "after"), rest=True),
        groups=[(group, [(one, _text(group, one), one in chosen) for one in every[group]]) for group in every],
    )


def _said(title: str, chosen: Sequence[str]) -> str:
    """What is chosen, in a few words: `all`, the one value, `3 models`."""
    if len(chosen) > 1:
        return f"{len(chosen)} {title.lower()}"
    return chosen[0] if chosen else "all"


def _choices(pick: Pick) -> int:
    return sum(len(values) for _, values in pick.groups)


def _text(group: str, value: str) -> str:
    """A value as it is read below the heading of its group: that of a label without its name."""
    return value.removeprefix(f"{group}=") or "(empty)"


def _chip(key: str, value: str) -> str:
    return value if key == "label" else f"{key} {value}"


def _labels(ledger: Ledger) -> dict[str, list[str]]:
    """The values of each label as a filter names them, `team=search`; no more than a form has room for."""
    offered: dict[str, list[str]] = {}
    left = _CHOICES
    for name, values in read_labels(ledger).items():
        offered[name] = [f"{name}={value}" for value in values[:left]]
        left -= len(offered[name])
    return {name: values for name, values in offered.items() if values}


def _names(totals: Sequence[Total]) -> Mapping[str, list[str]]:
    """The names of each group that calls have, in the order of their text."""
    names: dict[str, set[str]] = defaultdict(set)
    for one in totals:
        for word, name in one.group.items():
            names[word].update([] if name is None else [str(name)])
    return defaultdict(list, {word: sorted(known) for word, known in names.items()})
