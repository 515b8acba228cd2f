"""What is between Google's bill and the ledger, by name.

Owns: the names and what each means. Not here: how they are found (`naming_residues`, `comparison`). Invariant: the
residues of a comparison add up to bill minus ledger, in tokens and to the pico-unit of the bill's currency.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from gembill.reconcile.cell import Cell


class Name(StrEnum):
    """Why the two sides differ; a policy has the name `policy:...` and is not listed here."""

    UNRECORDED = "unrecorded"  # billed, and no call of ours: a caller that goes past the proxy
    UNKNOWN_USAGE = "unknown_usage"  # calls of ours whose usage was never learned
    PARTIAL = "partial"  # streams that were cut before their last count
    MISSING_ON_BILL = "missing_on_bill"  # ours, and not billed
    DAY_EDGE = "day_edge"  # calls within 15 minutes of midnight, billed on the other day
    PROJECT = "project"  # the same tokens in another project
    LOCATION = "location"
    TIER = "tier"
    BAND = "band"
    CACHED = "cached"
    KIND = "kind"  # the same tokens as another kind of content
    PRICE = "price"  # the tokens agree, and a price does not
    MODEL_ALIAS = "model_alias"
    FREE_ALLOWANCE = "free_allowance"
    GROUNDING_COUNT = "grounding_count"
    NOT_METERED = "not_metered"
    UNKNOWN_SKU = "unknown_sku"
    CURRENCY = "currency"
    ROUNDING = "rounding"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Residue:
    """A difference with its name: millionths of the cell's unit, pico-units of the bill's currency, and where it is.

    `cell` is None where no cell has it (an SKU that nobody can read); `detail` says then which, or what the price is.
    """

    name: str
    amount_micro: int
    money: Fraction
    cell: Cell | None = None
    detail: str = ""
