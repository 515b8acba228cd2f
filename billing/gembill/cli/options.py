"""Options that several commands share.

Owns: the flags that choose a database, a format, a period and the calls in it, and what they mean together. Owns no
command. Invariant: what cannot be obeyed is a ConfigurationError before anything is read; nothing heavy is imported
until a value is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gembill.label import labels

if TYPE_CHECKING:
    from gembill.ledger import Selection
    from gembill.period import Period

Command = TypeVar("Command", bound=Callable[..., Any])

database_url_option = click.option(
    "--database-url",
    metavar="URL",
    help="The ledger: sqlite:///FILE or postgresql://...; else GEMBILL_DATABASE_URL, else the one in the data folder.",
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "markdown"]),
    default="table",
    show_default=True,
    help="How to write it. Money in JSON and CSV is exact.",
)
limit_option = click.option(
    "--limit", type=click.IntRange(min=0), metavar="N", help="At most so many, the newest first. [tables: 100]"
)
tz_option = click.option(
    "--tz",
    envvar="GEMBILL_TZ",
    metavar="ZONE",
    help="The calendar of dates and months. [default: America/Los_Angeles, that of Google's bill]",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the selection flags say, as given."""

    since: str | None
    until: str | None
    month: str | None
    tz: str | None
    model: tuple[str, ...]
    label: tuple[str, ...]
    key: tuple[str, ...]
    code_execution: bool

    @property
    def timeless(self) -> bool:
        """Whether no period was named."""
        return self.since is None and self.until is None and self.month is None

    def period(self) -> Period:
        """The period that was named; ends that were not are open."""
        from gembill.period import parse

        return parse(self.since, self.until, self.month, tz=self.tz)

    def selection(self, period: Period) -> Selection:
        """The calls that were chosen, within a period."""
        from gembill.ledger import Selection

        return Selection(
            start_us=period.start_us,
            end_us=period.end_us,
            models=self.model,
            keys=self.key,
            labels=labels(self.label, "--label"),
            code_execution=self.code_execution,
        )


_SELECTION = (
    click.option("--since", metavar="DATE", help="From this date or ISO instant on."),
    click.option("--until", metavar="DATE", help="Up to this date or ISO instant, which is not included."),
    click.option("--month", metavar="YYYY-MM", help="A whole month instead of --since and --until."),
    tz_option,
    click.option("--model", multiple=True, metavar="NAME", help="Only this model; * stands for anything. Repeatable."),
    click.option(
        "--label", multiple=True, metavar="NAME=VALUE", help="Only calls with this label. Repeatable: all must fit."
    ),
    click.option("--key", multiple=True, metavar="NAME", help="Only this API key's name or fingerprint. Repeatable."),
    click.option("--code-execution", is_flag=True, help="Only calls in which code execution was used."),
)


def selection_options(command: Command) -> Command:
    """Give a command the flags that choose calls; it takes them together as `choice`."""

    @wraps(command)
    def chosen(**flags: Any) -> Any:  # noqa: ANN401
        named = {name: flags.pop(name) for name in Choice.__slots__}
        return command(choice=Choice(**named), **flags)

    wrapped: Any = chosen
    for option in reversed(_SELECTION):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]
