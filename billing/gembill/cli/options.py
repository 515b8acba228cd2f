"""Options that several commands share.

Owns: the flags that choose a database, a format, a period and the calls in it, what they mean together, and how a
command takes flags that belong together as one typed value. Not here: commands. Invariant: what cannot be obeyed is a
ConfigurationError before anything is read; nothing heavy is imported until a value is used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from enum import Enum
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gembill.errors import ConfigurationError
from gembill.model import chosen_labels

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.ledger import Ledger, Selection
    from gembill.period import Period

Command = TypeVar("Command", bound=Callable[..., Any])
Word = TypeVar("Word", bound=Enum)


class WordOf(click.Choice[Word]):
    """A choice among members of an enum: written as their values, handed over as members."""

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """What is written for a member."""
        return str(choice.value if isinstance(choice, Enum) else choice)


def together(
    name: str, value: Callable[..., Any], options: Sequence[Callable[[Any], Any]]
) -> Callable[[Command], Command]:
    """Give a command options that it takes as one value: a dataclass with a field for each of them."""
    names = [field.name for field in fields(value)]  # type: ignore[arg-type]

    def with_options(command: Command) -> Command:
        @wraps(command)
        def gathered(*arguments: Any, **flags: Any) -> Any:  # noqa: ANN401
            made = value(**{field: flags.pop(field) for field in names if field in flags})
            return command(*arguments, **{name: made}, **flags)

        wrapped: Any = gathered
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[no-any-return]

    return with_options


database_url_option = click.option(
    "--database-url",
    metavar="URL",
    help="The ledger: sqlite:///FILE or postgresql://...; else GEMBILL_DATABASE_URL, else the one in the data folder.",
)
limit_option = click.option(
    "--limit", type=click.IntRange(min=0), metavar="N", help="At most N, the newest first. [tables: 100]"
)
tz_option = click.option(
    "--tz",
    envvar="GEMBILL_TZ",
    metavar="ZONE",
    help="The calendar of dates and months. [default: America/Los_Angeles, that of Google's bill]",
)


@contextmanager
def opened(
    database_url: str | None, *, read_only: bool = True, begin: bool = False, flags: Mapping[str, Any] | None = None
) -> Iterator[tuple[Ledger, Settings]]:
    """The ledger that a command works on, open while it does, and the settings that name it.

    It is made only where the command may `begin` one. `flags` are other settings as given on the command line; one that
    is None was not.
    """
    from gembill.config import load
    from gembill.ledger import open_ledger

    settings = load({**(flags or {}), "database_url": database_url})
    ledger = open_ledger(settings.ledger_url, read_only=read_only, begin=begin)
    try:
        yield ledger, settings
    finally:
        ledger.close()


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls a command is about, as given: a period, and what must fit."""

    since: str | None = None
    until: str | None = None
    through: str | None = None
    month: str | None = None
    word: str | None = None
    tz: str | None = None
    model: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()
    location: tuple[str, ...] = ()
    code_execution: bool = False

    @property
    def timeless(self) -> bool:
        """Whether no period was named."""
        return self.word is None and self._ends == (None, None, None, None)

    @property
    def _ends(self) -> tuple[str | None, ...]:
        return self.since, self.until, self.through, self.month

    def period(self) -> Period:
        """The period that was named; ends that were not are open."""
        from gembill.period import parse, zone
        from gembill.period_words import spoken

        if self.word is None:
            return parse(self.since, self.until, self.month, tz=self.tz, through=self.through)
        if self._ends != (None, None, None, None):
            raise ConfigurationError("--period names a whole period; leave out its ends and --month, or --period")
        return spoken(self.word, zone(self.tz), time.time_ns() // 1000)

    def selection(self, period: Period, ledger: Ledger | None = None) -> Selection:
        """The calls that were chosen, within a period.

        ConfigurationError if the ledger has calls, and none with a name that was given.
        """
        from gembill.ledger import Selection, require_known

        selection = Selection(
            start_us=period.start_us,
            end_us=period.end_us,
            models=self.model,
            keys=self.key,
            tiers=self.tier,
            locations=self.location,
            labels=chosen_labels(self.label, "--label"),
            code_execution=self.code_execution,
        )
        if ledger is not None:
            require_known(ledger, selection)
        return selection


PERIOD = (
    click.option(
        "--period",
        "word",
        metavar="PERIOD",
        help="today, yesterday, last-7-days, last-30-days, this-week, last-week, this-month, last-month, 2026-10-31, "
        "2026-10, 2026-Q3 or 2026.",
    ),
    click.option("--since", metavar="DATE", help="From this date or ISO instant on."),
    click.option("--until", metavar="DATE", help="Up to this date or ISO instant, which is not included."),
    click.option("--through", metavar="DATE", help="Up to this date, which is included."),
    click.option("--month", metavar="YYYY-MM", help="A whole month; the same as --period YYYY-MM."),
    tz_option,
)
"""The flags that name a period, fields of `CallFilter`."""

FILTERS = (
    click.option(
        "--label",
        multiple=True,
        metavar="NAME=VALUE",
        help="Only calls with this label. Repeatable: of one name any value, of several names all.",
    ),
    click.option("--key", multiple=True, metavar="NAME", help="Only this API key's name or fingerprint. Repeatable."),
    click.option("--location", multiple=True, metavar="NAME", help="Only Vertex calls of this location. Repeatable."),
    click.option("--code-execution", is_flag=True, help="Only calls in which code execution was used."),
)
"""The flags that narrow calls in every command that chooses some, fields of `CallFilter`."""

_SELECTION = (
    *PERIOD,
    click.option("--model", multiple=True, metavar="NAME", help="Only this model; * stands for anything. Repeatable."),
    click.option(
        "--tier", multiple=True, metavar="TIER", help="Only this tier: standard, batch, flex, ... Repeatable."
    ),
    *FILTERS,
)


def selection_options(command: Command) -> Command:
    """Give a command the flags that choose calls; it takes them together as `calls`."""
    with_calls: Callable[[Command], Command] = together("calls", CallFilter, _SELECTION)
    return with_calls(command)
