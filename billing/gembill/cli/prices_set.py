"""`gembill prices set`: negotiated prices and discounts.

Owns: the command, what its flags mean and what it prints. Not here: rows (`gembill.rules.prices.negotiated`) and SQL.
Invariant: nothing is ever changed or removed; calls recorded before keep their price until `gembill rerate`.
"""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from gembill.cli.options import database_url_option, opened, together
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.ledger import Ledger
    from gembill.model import Price
    from gembill.rules.prices import PriceBook
    from gembill.rules.prices.negotiated import ContractTerms

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%?")
_NAME = re.compile(r"[\w.:/-]{1,200}", re.ASCII)
_STANDARD = "standard"
_FIGURES = (
    ("input", "Input and intermediate tokens"),
    ("input_audio", "Input and intermediate tokens that are audio"),
    ("cached", "Input served from a cache"),
    ("cached_audio", "Cached input that is audio"),
    ("output", "Output and thinking tokens"),
    ("output_image", "Output tokens that are images"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What the flags say: for whom, from when to when, and figures or a discount. Pico-dollars for one token."""

    model: str
    tier: str | None
    start_us: int
    end_us: int | None
    source: str
    rates: dict[str, int]
    percent: Decimal | None
    above: int


@dataclass(frozen=True, slots=True)
class FigureFlags:
    """Prices as given: dollars per million tokens, for grounding per 1,000."""

    input: str | None
    input_audio: str | None
    cached: str | None
    cached_audio: str | None
    output: str | None
    output_image: str | None
    grounding: str | None

    def rates(self) -> dict[str, int]:
        """Pico-dollars for one token or search, of what was given. ConfigurationError or PriceError if not a price."""
        from gembill.money import parse_usd, unit_price

        given = {name: text for name, text in asdict(self).items() if text is not None and name != "grounding"}
        rates = {name: unit_price(text) for name, text in given.items()}
        if self.grounding is not None:
            fee = parse_usd(self.grounding)
            if fee < 0 or fee % 1000:
                raise ConfigurationError(
                    f"--grounding is '{self.grounding}', which is negative or not an exact price for one"
                )
            rates["grounding"] = fee // 1000
        return rates


@dataclass(frozen=True, slots=True)
class TermFlags:
    """For what, and from when to when, prices hold, as given."""

    discount: str | None
    tier: str | None
    above: int | None
    first: str
    until: str | None
    source: str

    def agreed(self, model: str, rates: dict[str, int]) -> Agreed:
        """The terms together with the rates. ConfigurationError where the flags contradict each other."""
        from gembill.period import parse

        percent = None if self.discount is None else _percent(self.discount)
        if bool(rates) == (percent is not None):
            raise ConfigurationError("give prices such as --input 0.45 --output 2.20, or a --discount, and not both")
        if percent is not None and self.above is not None:
            raise ConfigurationError("--above goes with prices; a discount holds for short and long prompts")
        span = parse(self.first, self.until)
        assert span.start_us is not None
        _check_midnight(span.start_us, self.first)
        return Agreed(
            model=model,
            tier=self.tier,
            start_us=span.start_us,
            end_us=span.end_us,
            source=self.source,
            rates=rates,
            percent=percent,
            above=self.above or 0,
        )


_FIGURE_OPTIONS = (
    *(
        click.option("--" + name.replace("_", "-"), name, metavar="USD", help=f"{what}, dollars per million.")
        for name, what in _FIGURES
    ),
    click.option("--grounding", metavar="USD", help="Searches or grounded prompts, dollars per 1,000."),
)
_TERM_OPTIONS = (
    click.option(
        "--discount", metavar="PERCENT", help="Take this share off every list price of the model instead: 15%."
    ),
    click.option("--tier", help="The tier.  [default: standard; with --discount every tier]"),
    click.option("--above", type=click.IntRange(min=1), metavar="TOKENS", help="Prices of prompts longer than this."),
    click.option("--from", "first", required=True, metavar="DATE", help="The first day (US Pacific) of these prices."),
    click.option("--until", metavar="DATE", help="The day before which they end.  [default: until set again]"),
    click.option(
        "--source", default="set by hand", show_default=True, help="Where they come from: a contract, an offer."
    ),
)


@click.command("set")
@click.argument("model")
@together("figures", FigureFlags, _FIGURE_OPTIONS)
@together("terms", TermFlags, _TERM_OPTIONS)
@database_url_option
def set_prices(model: str, figures: FigureFlags, terms: TermFlags, database_url: str | None) -> None:
    """Add prices of your own: agreed figures, or a discount on list prices, from a day on.

    What you do not name stays at list price. The latest entry wins from its day on. Calls recorded before keep what
    they were charged until `gembill rerate`.
    """
    from gembill.ledger import price_lists

    agreed = terms.agreed(model, figures.rates())
    with opened(database_url, read_only=False, begin=True) as (ledger, _):
        rows = _rows(ledger, agreed)
        number = price_lists.add(ledger, price_lists.Origin.SET, rows)
        _say(ledger, agreed, rows, number)


def _percent(text: str) -> Decimal:
    match = _PERCENT.fullmatch(text.strip())
    if match is None or not 0 < (percent := Decimal(match[1])) <= 100:
        raise ConfigurationError(f"--discount is '{text}'; write a share of the price between 0 and 100, such as 15%")
    return percent


def _check_midnight(at_us: int, text: str) -> None:
    from gembill.period import Unit, containing, zone

    if containing(Unit.DAY, at_us, zone()).start_us != at_us:
        raise ConfigurationError(
            f"--from is '{text}'; prices change at midnight US Pacific, so write a day: 2026-12-01"
        )


def _rows(ledger: Ledger, agreed: Agreed) -> list[Price]:
    """The rows to add; ConfigurationError or PriceError where they make no sense."""
    from gembill.ledger import price_lists
    from gembill.price_catalog import ledger_book
    from gembill.rules.prices.negotiated import discounted, negotiated

    lists = price_lists.lists(ledger)
    list_prices = ledger_book(lists, own=False)
    _check_name(list_prices, agreed)
    if agreed.percent is not None:
        tiers = [agreed.tier] if agreed.tier else [*list_prices.tiers(agreed.model)] or [_STANDARD]
        return [row for tier in tiers for row in discounted(list_prices, _frame(agreed, tier), agreed.percent)]
    known = ledger_book(lists)
    if not known.tiers(agreed.model) and not {"input", "output"} <= set(agreed.rates):
        raise ConfigurationError(f"'{agreed.model}' has no price yet; give --input and --output")
    return negotiated(known, _frame(agreed, agreed.tier or _STANDARD), agreed.rates, agreed.above)


def _check_name(book: PriceBook, agreed: Agreed) -> None:
    if not _NAME.fullmatch(agreed.model) or not _NAME.fullmatch(agreed.tier or _STANDARD):
        raise ConfigurationError(
            f"'{agreed.model}' or the tier '{agreed.tier}' is not a name; write it as calls have it"
        )
    model = book.stands_for(agreed.model, agreed.start_us)
    if model not in (None, agreed.model):
        raise ConfigurationError(f"'{agreed.model}' is another name of '{model}'; set the prices of '{model}'")


def _frame(agreed: Agreed, tier: str) -> ContractTerms:
    from gembill.period import Unit, name, zone
    from gembill.rules.prices.negotiated import ContractTerms

    today = name(Unit.DAY, time.time_ns() // 1000, zone())
    return ContractTerms(
        model=agreed.model,
        service_tier=tier,
        start_us=agreed.start_us,
        end_us=agreed.end_us,
        source=agreed.source,
        checked_on=today,
    )


def _say(ledger: Ledger, agreed: Agreed, rows: list[Price], number: int) -> None:
    from gembill.ledger import Selection, read_totals
    from gembill.period import Unit, name, zone
    from gembill.price_catalog import ledger_book

    day = name(Unit.DAY, agreed.start_us, zone())
    click.echo(f"gembill: added {len(rows)} price rows for {agreed.model} from {day} on (set-{number}).", err=True)
    click.echo(f"gembill: `gembill prices list --model {agreed.model} --at {day}` shows them.", err=True)
    book = ledger_book([])
    by_model = read_totals(ledger, Selection(start_us=agreed.start_us, end_us=agreed.end_us), ["model"])
    names = [(str(one.group["model"]), one.calls) for one in by_model]
    calls = sum(n for called, n in names if agreed.model in (called, book.stands_for(called, agreed.start_us)))
    if calls:
        click.echo(
            f"gembill: {calls} recorded calls of {agreed.model} since {day} keep what they were charged until you run "
            f"`gembill rerate --since {day}`.",
            err=True,
        )
