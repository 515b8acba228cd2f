"""Budgets as they are written in a TOML file.

Owns: the form of `[[budget]]` (name, limit, period, filters, thresholds; README, Budgets) and what is said about a
mistake. Not here: files. Invariant: either every budget of a text is understood, or every mistake is named with its
path and its line.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from gembill.errors import ConfigurationError
from gembill.money import parse_usd
from gembill.period import DEFAULT_ZONE, zone
from gembill.rules.budgets.budget import WHOLE, Budget, BudgetPeriod, OnUnpriced
from gembill.toml_values import Kind, Path, checked, line_of, written

_NAME_CHARS = 100
_Text = Annotated[str, Meta(min_length=1)]
_Tokens = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Texts = Annotated[tuple[_Text, ...], Meta(min_length=1)]
_Labels = Annotated[dict[str, str], Meta(min_length=1)]
_Number = int | Decimal


def budgets(text: str, where: str, table: tuple[str, ...] = ()) -> list[Budget]:
    """The budgets of a TOML text, in their order; `where` is what messages call it, `table` the one they are in.

    ConfigurationError names every mistake, one a line: `gembill.toml:4: $.budget[0].period is 'fortnight'; ...`.
    """
    try:
        content: Any = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{where} cannot be read: {error}") from None
    for key in table:
        content = content.get(key, {}) if isinstance(content, dict) else {}
    tables = content.get("budget", []) if isinstance(content, dict) else []
    reading = _Reading(text, where, (*table, "budget"))
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        reading.mistake((), f"{reading.called()} is not a list of tables; begin each budget with [[budget]]")
        tables = []
    read = [reading.budget(number, one) for number, one in enumerate(tables)]
    reading.refuse()
    return [budget for budget in read if budget is not None]


@dataclass(slots=True)
class _Reading:
    """The reading of one text: the mistakes so far, and where each name was first used."""

    text: str
    where: str
    above: Path
    _mistakes: list[tuple[Path, str]] = field(default_factory=list)
    _names: dict[str, Path] = field(default_factory=dict)

    def called(self, *path: str | int) -> str:
        """What messages call a value below the list of budgets."""
        return written((*self.above, *path))

    def mistake(self, path: Path, sentence: str) -> None:
        self._mistakes.append(((*self.above, *path), sentence))

    def refuse(self) -> None:
        """ConfigurationError if there was a mistake; only then are the lines worked out."""
        if self._mistakes:
            sentences = sorted((line_of(self.text, path), sentence) for path, sentence in self._mistakes)
            raise ConfigurationError("\n".join(f"{self.where}:{line}: {sentence}" for line, sentence in sentences))

    def budget(self, number: int, table: Mapping[str, Any]) -> Budget | None:
        """One budget, or None where it has mistakes."""
        before = len(self._mistakes)
        values = {key: self._value(number, key, value) for key, value in table.items()}
        for problem in _incomplete(table):
            self.mistake((number,), f"{self.called(number)}: {_name_of(table)} has {problem}")
        if len(self._mistakes) > before:
            return None
        fields = {_FIELDS.get(key, key): value for key, value in values.items()}
        return Budget(**{"zone": zone(), **fields})

    def _value(self, number: int, key: str, value: object) -> Any:  # noqa: ANN401
        called = self.called(number, key)
        try:
            read = checked(_KINDS, key, value, called=called, among="a key of a budget")
        except ValueError as error:
            return self.mistake((number, key), str(error))
        if key == "name" and self._names.setdefault(read, (number, key)) != (number, key):
            line = line_of(self.text, (*self.above, *self._names[read]))
            self.mistake((number, key), f"{called} is '{read}', as is that on line {line}; change one of them")
        return read


def _incomplete(table: Mapping[str, Any]) -> list[str]:
    """What a budget lacks, or has too much of."""
    problems = [f"no {key}; write one" for key in ("name", "period") if key not in table]
    if "limit_usd" in table and "limit_tokens" in table:
        problems.append("both limit_usd and limit_tokens; keep one of them")
    if "limit_usd" not in table and "limit_tokens" not in table:
        problems.append("neither limit_usd nor limit_tokens; write one of them")
    return problems


def _name_of(table: Mapping[str, Any]) -> str:
    name = table.get("name")
    return f"the budget '{name}'" if isinstance(name, str) else "this budget"


def _name(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError
    return text


def _pico(amount: object) -> int:
    try:
        pico = parse_usd(format(amount, "f") if isinstance(amount, Decimal) else str(amount))
    except ConfigurationError:  # as for `true` or a list
        raise ValueError from None
    if pico < 0:
        raise ValueError
    return pico


def _zone(name: str) -> object:
    try:
        return zone(name)
    except ConfigurationError:
        raise ValueError from None


def _share(number: int | Decimal) -> int:
    share = Decimal(number)
    if not share.is_finite() or share <= 0 or (share * WHOLE) % 1:
        raise ValueError
    return int(share * WHOLE)


def _shares(numbers: tuple[int | Decimal, ...]) -> tuple[int, ...]:
    shares = {_share(number) for number in numbers}
    if len(shares) < len(numbers) or any(share > WHOLE for share in shares):
        raise ValueError
    return tuple(sorted(shares))


_KINDS = {
    "name": Kind(
        Annotated[str, Meta(min_length=1, max_length=_NAME_CHARS)],
        f"a text of 1 to {_NAME_CHARS} visible characters, without blanks around them",
        _name,
    ),
    "limit_usd": Kind(Any, 'an amount in US dollars that is not negative, such as "150" or "0.50"', _pico),
    "limit_tokens": Kind(_Tokens, f"a whole number of tokens from 0 to {2**63 - 1:_}, such as 5_000_000"),
    "period": Kind(BudgetPeriod, f"one of {', '.join(BudgetPeriod)}"),
    "timezone": Kind(_Text, f"a known time zone, such as {DEFAULT_ZONE} or UTC", _zone),
    "models": Kind(_Texts, 'a list of texts, such as ["gemini-3*"]'),
    "labels": Kind(_Labels, 'a table of texts, such as {team = "search"}'),
    "keys": Kind(_Texts, 'a list of texts, such as ["k_0123456789ab"]', secret=True),
    "code_execution": Kind(bool, "true or false"),
    "warn_at": Kind(
        tuple[_Number, ...],
        "a list of shares of the limit, such as [0.5, 0.8]: each once, above 0 and at most 1, in at most 6 decimals",
        _shares,
    ),
    "forecast_at": Kind(_Number, "a share of the limit above 0, such as 0.8, in at most 6 decimals", _share),
    "on_unpriced": Kind(OnUnpriced, f"one of {', '.join(OnUnpriced)}"),
}
BUDGET_KEYS = {key: kind.words for key, kind in _KINDS.items()}
"""The keys of a budget and what they can be, in words."""

_FIELDS = {"limit_usd": "limit_pico", "period": "span", "timezone": "zone"}
