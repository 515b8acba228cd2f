"""Charges for tests of the comparison, made up but priced. Invariant: quantities of calls are whole tokens."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random

from gembill.model import Meter, Modality
from gembill.period import midnight, zone
from gembill.reconcile.bill_line import BillLine
from gembill.reconcile.numerals import date_of, day
from gembill.reconcile.sums import BillTotal, Usage
from gembill.rules.prices import bundled

BOOK = bundled()
FIRST = day("2026-11-02")
NOW = FIRST + 40
PROJECTS = ("shop-prod", "shop-test")
LOCATIONS = ("global", "us-central1")
TOKENS = (Meter.INPUT, Meter.CACHED_INPUT, Meter.INTERMEDIATE, Meter.OUTPUT, Meter.THINKING)


def usage(**changes: object) -> Usage:
    facts: dict[str, object] = {
        "day": FIRST,
        "model": "gemini-3.7-flash",
        "service_tier": "standard",
        "project": None,
        "meter": Meter.INPUT,
        "modality": Modality.TEXT,
        "long": False,
        "lifted": False,
        "grounded": False,
        "edge": 0,
        "quantity": 1000,
        "cost_pico": -1,
        **changes,
    }
    if facts["cost_pico"] == -1:
        facts["cost_pico"] = int(facts["quantity"]) * unit(facts)  # type: ignore[call-overload]
    return Usage(**facts)  # type: ignore[arg-type]


def placed(usages: Iterable[Usage], seed: int = 1) -> list[Usage]:
    """Charges in two projects and two locations, each group as a whole in one of both."""
    rng = Random(seed)
    return [replace(one, project=rng.choice(PROJECTS), location=rng.choice(LOCATIONS)) for one in usages]


def totals(lines: Iterable[BillLine]) -> list[BillTotal]:
    """Each line as a sum of its own."""
    return [
        BillTotal(
            **{name: getattr(line, name) for name in _SHARED},  # type: ignore[arg-type]
            lines=1,
        )
        for line in lines
    ]


_SHARED = (
    *("kind", "sku_id", "sku", "unit", "service", "project", "location", "currency", "rate", "month"),
    *("first_day", "last_day", "decimals", "amount_micro", "cost_pico"),
)


def unit(facts: dict[str, object]) -> int:
    at_us = midnight(date_of(facts["day"]), zone())  # type: ignore[arg-type]
    prompt = 300_000 if facts["long"] else 0
    price = BOOK.price(
        facts["model"],
        facts["meter"],
        facts["modality"],
        service_tier=facts["service_tier"],
        prompt_tokens=prompt,
        at_us=at_us,
    )
    return price.unit_pico


def month(seed: int = 1, days: int = 20) -> tuple[list[Usage], list[Usage]]:
    """Charges of some weeks, and the estimated tokens of results: every group that a policy moves has its share."""
    rng = Random(seed)
    usages: list[Usage] = []
    results: list[Usage] = []
    for number in range(days):
        at = FIRST + number
        for model, tier in (
            ("gemini-3.7-flash", "standard"),
            ("gemini-3.7-flash", "batch"),
            ("gemini-3.1-pro-preview", "standard"),
        ):
            groups = ((False, False), (False, True), (True, False)) if "pro" in model else ((False, False),)
            for is_long, lifted in groups:
                shared = {"day": at, "model": model, "service_tier": tier, "long": is_long, "lifted": lifted}
                usages += [usage(**shared, meter=meter, quantity=rng.randrange(1000, 900_000)) for meter in TOKENS]
                grounded = {"meter": Meter.INTERMEDIATE, "grounded": True, "quantity": rng.randrange(1000, 90_000)}
                usages.append(usage(**shared, **grounded))
                results.append(usage(**shared, meter=Meter.OUTPUT, quantity=rng.randrange(100, 9000), cost_pico=0))
        usages.append(usage(day=at, meter=Meter.GROUNDING, quantity=rng.randrange(50, 300)))
    return usages, results
