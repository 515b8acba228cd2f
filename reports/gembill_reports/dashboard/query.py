"""What an address of the dashboard asks for: period, calendar and calls.

Owns: reading the query of an address and writing addresses that differ in one thing. Not here: pages. Invariant: the
address holds the whole state; what it does not understand is a ConfigurationError, never another selection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from gembill.errors import ConfigurationError
from gembill.ledger import Selection
from gembill.model import chosen_labels
from gembill.period import Period, Unit, containing, iso, name, parse, zone
from gembill.period_words import spoken

PERIOD = ("period", "month", "since", "until", "through")
_SEVERAL = ("model", "label", "key", "tier", "location")
_FILTERS = (*PERIOD, *_SEVERAL, "tz", "code_execution")
_ON_A_PAGE = {"--since": "From", "--through": "Through", "--until": "until", "--month": "Month", "--period": "period"}
_MOST = 60  # parameters of an address
_LONGEST = 1000  # characters of a value
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """A period, the calls in it, and the words of the address that chose them. `rest` is what only one page reads."""

    period: Period
    selection: Selection
    now_us: int
    chosen: tuple[tuple[str, str], ...] = ()
    rest: Mapping[str, str] = field(default_factory=dict)

    @property
    def month(self) -> str | None:
        """The month that is shown, None if the period is not a month."""
        start = self.period.start_us
        if start is None or containing(Unit.MONTH, start, self.period.zone) != self.period:
            return None
        return name(Unit.MONTH, start, self.period.zone)

    def value(self, key: str) -> str:
        """What the address says for a filter that stands once; empty if nothing."""
        return next((value for one, value in self.chosen if one == key), "")

    def values(self, key: str) -> list[str]:
        """All that the address says for a filter."""
        return [value for one, value in self.chosen if one == key]

    def to(self, path: str, *more: tuple[str, str], without: Sequence[str] = (), rest: bool = False) -> str:
        """An address with the same choice: `more` in addition, a filter of `without` left out."""
        kept = [(key, value) for key, value in self.chosen if key not in without]
        kept += [(key, value) for key, value in self.rest.items() if rest and key not in without]
        query = urlencode([*kept, *(pair for pair in more if pair not in kept)])
        return f"{path}?{query}" if query else path

    @property
    def days(self) -> tuple[str, str] | None:
        """The first and the last day of a period of whole days that was named by its ends; None of any other."""
        start, end = self.period.start_us, self.period.end_us
        if start is None or end is None or not (self.value("since") or self.value("through") or self.value("until")):
            return None
        ends = [_point(at_us, self.period) for at_us in (start, end)]
        if any("T" in end for end in ends):
            return None
        return ends[0], name(Unit.DAY, end - 1, self.period.zone)

    def named(self, path: str, word: str) -> str:
        """An address with the same choice, of the period that the word means."""
        return self.to(path, ("period", word), without=PERIOD, rest=True)

    def is_named(self, word: str) -> bool:
        """Whether the period is the one that the word means."""
        return spoken(word, self.period.zone, self.now_us) == self.period

    def also(self) -> list[tuple[str, str]]:
        """Filters of the address that no field of the form shows, so that it keeps them."""
        word = [("period", self.value("period"))] if self.value("period") and self.days is None else []
        locations = self.values("location")[1:]
        return [*word, *(("key", key) for key in self.values("key")), *(("location", one) for one in locations)]

    def several(self) -> list[tuple[str, str]]:
        """The filters that choose calls by a name, in the order of the address."""
        return [(key, value) for key, value in self.chosen if key in _SEVERAL]

    def less(self, path: str, pair: tuple[str, str]) -> str:
        """An address with the same choice but for one value of a filter, from the first page on."""
        left = [value for value in self.values(pair[0]) if value != pair[1]]
        return self.to(path, *((pair[0], value) for value in left), without=(pair[0], "after"), rest=True)

    def span(self, path: str, period: Period, *more: tuple[str, str]) -> str:
        """An address with the same choice but another period."""
        ends = [("since", period.start_us), ("until", period.end_us)]
        named = [(key, _point(at_us, period)) for key, at_us in ends if at_us is not None]
        return self.to(path, *named, *more, without=PERIOD)


def view(pairs: Pairs, now_us: int, extent: tuple[int, int] | None, *, landing: str | None = None) -> PageQuery:
    """What an address asks for. Without a period: the month `landing`, else this one, or the newest that has calls.

    `extent` is when the ledger's first and last call were received. An empty value is the same as none.
    """
    if len(pairs) > _MOST or any(len(key) + len(value) > _LONGEST for key, value in pairs):
        raise ConfigurationError(f"the address has more than {_MOST} parameters, or one over {_LONGEST} characters")
    given = [(key, value) for key, value in pairs if value]
    chosen = tuple((key, value) for key, value in given if key in _FILTERS)
    single = {key: value for key, value in chosen if key not in _SEVERAL}
    several = {name: tuple(value for key, value in chosen if key == name) for name in _SEVERAL}
    period = _period(single, now_us, landing or newest_month(now_us, extent, single.get("tz")))
    selection = Selection(
        start_us=period.start_us,
        end_us=period.end_us,
        models=several["model"],
        keys=several["key"],
        tiers=several["tier"],
        locations=several["location"],
        labels=chosen_labels(several["label"], "label"),
        code_execution=single.get("code_execution") == "1",
    )
    rest = {key: value for key, value in given if key not in _FILTERS}
    return PageQuery(period=period, selection=selection, now_us=now_us, chosen=chosen, rest=rest)


def _period(named: Mapping[str, str], now_us: int, usual: str) -> Period:
    """The period of an address; what is wrong with it is said in the words of the form, not in flags of commands."""
    try:
        return _read_period(named, now_us, usual)
    except ConfigurationError as error:
        said = str(error)
        for flag, word in _ON_A_PAGE.items():
            said = said.replace(flag, word)
        raise ConfigurationError(said) from None


def _read_period(named: Mapping[str, str], now_us: int, usual: str) -> Period:
    """The form sends a month or a word beside its dates: dates say more than either."""
    since, until, through, tz = (named.get(key) for key in ("since", "until", "through", "tz"))
    if since or until or through:
        return parse(since, until, tz=tz, through=through)
    if "period" in named and "month" not in named:
        return spoken(named["period"], zone(tz), now_us)
    return parse(month=named.get("month", usual), tz=tz)


def newest_month(now_us: int, extent: tuple[int, int] | None, tz: str | None = None) -> str:
    """This month if it has calls or nothing has, else the month of the last call."""
    last = now_us if extent is None else min(now_us, extent[1])
    return name(Unit.MONTH, last, zone(tz))


def months(view: PageQuery, extent: tuple[int, int] | None, most: int = 36) -> list[str]:
    """The months to choose from, newest first: all with calls, and this one."""
    calendar = view.period.zone
    first = min(view.now_us, extent[0]) if extent else view.now_us
    names: list[str] = []
    at = max(view.now_us, extent[1] if extent else 0)
    while len(names) < most:
        names.append(name(Unit.MONTH, at, calendar))
        start = containing(Unit.MONTH, at, calendar).start_us
        if start is None or start <= first:
            break
        at = start - 1
    return names


def _point(at_us: int, period: Period) -> str:
    """An instant as an address names it: a date where it is a midnight."""
    if containing(Unit.DAY, at_us, period.zone).start_us == at_us:
        return name(Unit.DAY, at_us, period.zone)
    return iso(at_us, period.zone)
