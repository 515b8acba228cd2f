"""One line of a bill of Google's, whichever file it came in.

Owns: what a line says, in exact whole numbers. Not here: how a file is read (`bill_files`) and what an SKU means
(`sku`). Invariant: money is pico-units (1e-12) of the file's own currency, quantities are millionths, days are those of
Google's bill (US Pacific), counted from 1970; nothing was converted, and no float came near.
"""

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct


class BillForm(StrEnum):
    """The kind of file. Forms repeat each other's lines, so a comparison takes those of one form."""

    BIGQUERY = "bigquery"  # standard or detailed export, the finest
    FOCUS = "focus"
    COST_TABLE = "cost_table"
    REPORTS = "reports"  # names no project


class LineKind(StrEnum):
    """What a line is for. Only usage is compared; the others are lines of their own and never spread over SKUs."""

    USAGE = "usage"
    CREDIT = "credit"
    TAX = "tax"
    ADJUSTMENT = "adjustment"
    ROUNDING = "rounding"


class BillLine(Struct, frozen=True, kw_only=True):  # a fifth of the time that a dataclass takes
    """A line. `first_day` and `last_day` are both included; `number` is the line in the file, `part` counts its pieces.

    `rate` is units of the currency for one US dollar, as the file writes it; None where it does not. `decimals` is
    how many digits of the cost the file shows. `month` is the month of the invoice, `2026-11`, which need not be that
    of the usage.
    """

    number: int
    part: int = 0
    kind: LineKind
    service: str = ""
    sku_id: str = ""
    sku: str
    project: str | None = None
    location: str | None = None
    first_day: int
    last_day: int
    amount_micro: int
    unit: str = ""
    cost_pico: int
    currency: str
    rate: str | None = None
    decimals: int
    month: str | None = None
    exported_us: int | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be used, and why: a sentence without a full stop."""

    number: int
    reason: str
