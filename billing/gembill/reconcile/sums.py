"""The two sides of a comparison: sums over Google's bill, and over the charges of the ledger.

Owns: what a sum says. Not here: how they are read (`gembill.ledger`) and held against each other (`comparison`).
Invariant: both are exact whole numbers, by the days of Google's bill.
"""

from dataclasses import dataclass

from gembill.model import Meter, Modality
from gembill.reconcile.bill_line import LineKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BillTotal:
    """Lines that differ in nothing but amount, cost and time of export, added up; fields as in `BillLine`."""

    kind: LineKind
    sku_id: str
    sku: str
    unit: str
    service: str
    project: str | None
    location: str | None
    currency: str
    rate: str | None
    month: str | None
    first_day: int
    last_day: int
    decimals: int
    amount_micro: int
    cost_pico: int
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Charges of one kind on one day: `quantity` in the meter's unit, `cost_pico` in pico-dollars.

    `long` says that the prompts exceed 200,000 tokens, `lifted` that they do only with intermediate tokens counted;
    `grounded` that a search met intermediate tokens; `edge` is -1 in the first 15 minutes of the day, 1 in the last.
    """

    day: int
    model: str
    service_tier: str
    project: str | None
    location: str | None = None
    meter: Meter
    modality: Modality
    long: bool
    lifted: bool
    grounded: bool
    edge: int
    quantity: int
    cost_pico: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Calls of a model and tier on a day whose usage was never learned, and those whose answer was cut."""

    day: int
    model: str
    service_tier: str
    unknown: int
    partial: int
