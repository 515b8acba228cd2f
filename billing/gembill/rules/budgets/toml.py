"""Budgets as they are written in a TOML file.

Owns: the form of `[[budget]]` (contract of issue 6: name, limit, period, filters, thresholds) and what is said about a
mistake. Owns no file. Invariant: either every budget of a text is understood, or every mistake is named with its line.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from gembill.errors import ConfigurationError
from gembill.money import parse_usd
from gembill.period import zone
from gembill.rules.budgets.budget import WHOLE, Budget, BudgetPeriod, OnUnpriced
from gembill.rules.budgets.lines import Lines, Path

_NAME_CHARS = 100
_TOKENS = 2**63 - 1


class _Mistake(ValueError):
    """A value that cannot be obeyed; its text goes on after the key's name."""


def budgets(text: str, where: str, table: tuple[str, ...] = ()) -> list[Budget]:
    """The budgets of a TOML text, in their order; `where` is what messages call it, `table` where they stand in it.

    ConfigurationError names every mistake, one a line: `gembill.toml:4: period is 'fortnight'; ...`.
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
        reading.mistake((), "budget is no list of tables; begin each budget with [[budget]]")
        tables = []
    found = [reading.budget(number, one) for number, one in enumerate(tables)]
    reading.refuse()
    return [budget for budget in found if budget is not None]


@dataclass(slots=True)
class _Reading:
    """The reading of one text: the mistakes so far, and where each name was first used."""

    text: str
    where: str
    above: Path
    _mistakes: list[tuple[Path, str]] = field(default_factory=list)
    _names: dict[str, Path] = field(default_factory=dict)

    def mistake(self, path: Path, words: str) -> None:
        self._mistakes.append(((*self.above, *path), words))

    def refuse(self) -> None:
        """ConfigurationError if there was a mistake; only then are the lines worked out."""
        if not self._mistakes:
            return
        lines = Lines(self.text)
        said = sorted((lines.of(path), words) for path, words in self._mistakes)
        raise ConfigurationError("\n".join(f"{self.where}:{line}: {words}" for line, words in said))

    def budget(self, number: int, table: Mapping[str, Any]) -> Budget | None:
        """One budget, or None where it has mistakes."""
        before = len(self._mistakes)
        values = {key: self._value(number, key, value) for key, value in table.items()}
        for key in ("name", "period"):
            if key not in table:
                self.mistake((number,), f"{_called(table)} has no {key}")
        if ("limit_usd" in table) == ("limit_tokens" in table):
            has = "both limit_usd and limit_tokens" if "limit_usd" in table else "neither limit_usd nor limit_tokens"
            self.mistake((number,), f"{_called(table)} has {has}; it needs one of them")
        if len(self._mistakes) > before:
            return None
        fields = {_FIELDS[key]: value for key, value in values.items()}
        return Budget(**{"zone": zone(), **fields})

    def _value(self, number: int, key: str, value: object) -> Any:  # noqa: ANN401
        check = _CHECKS.get(key)
        if check is None:
            near = get_close_matches(key, _CHECKS, 1)
            known = f"is '{near[0]}' meant?" if near else f"known are {', '.join(_CHECKS)}"
            return self.mistake((number, key), f"'{key}' is no key of a budget; {known}")
        try:
            found = check(value)
        except (_Mistake, ConfigurationError) as error:
            return self.mistake((number, key), f"{key} {error}" if isinstance(error, _Mistake) else f"{key}: {error}")
        if key == "name" and self._names.setdefault(found, (number, key)) != (number, key):
            first = Lines(self.text).of((*self.above, *self._names[found]))
            self.mistake((number, key), f"name is '{found}', as that of the budget on line {first}; names differ")
        return found


def _called(table: Mapping[str, Any]) -> str:
    name = table.get("name")
    return f"the budget '{name}'" if isinstance(name, str) else "this budget"


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Mistake(f"is {_shown(value)}; it must be a text that is not empty")
    if len(value) > _NAME_CHARS or not value.isprintable() or value != value.strip():
        raise _Mistake(f"is {value!r}; it can have {_NAME_CHARS} visible characters, with no space around them")
    return value


def _usd(value: object) -> int:
    if isinstance(value, Decimal):
        value = format(value, "f")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _Mistake(f'is {_shown(value)}; write dollars as a text like "150" or "0.50"')
    try:
        pico = parse_usd(str(value))
    except ConfigurationError:
        raise _Mistake(f'is \'{value}\', which is no amount in US dollars; write it like "150" or "0.50"') from None
    if pico < 0:
        raise _Mistake(f"is {value}; a limit cannot be negative")
    return pico


def _tokens(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _TOKENS:
        raise _Mistake(f"is {_shown(value)}; it must be a whole number of tokens, like 5_000_000")
    return value


def _word(words: type[BudgetPeriod] | type[OnUnpriced]) -> Callable[[object], Any]:
    def check(value: object) -> object:
        if not isinstance(value, str) or value not in list(words):
            raise _Mistake(f"is {_shown(value)}; it can be {', '.join(words)}")
        return words(value)

    return check


def _zone(value: object) -> object:
    if not isinstance(value, str) or not value:
        raise _Mistake(f"is {_shown(value)}; write it like America/Los_Angeles or UTC")
    return zone(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise _Mistake(f'is {_shown(value)}; it must be a list of texts, like ["gemini-3*"]')
    return tuple(value)


def _labels(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not value or not all(isinstance(one, str) for one in value.values()):
        raise _Mistake(f'is {_shown(value)}; it must be a table of texts, like {{team = "search"}}')
    return dict(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Mistake(f"is {_shown(value)}; it can be true or false")
    return value


def _share(value: object) -> int:
    number = None if isinstance(value, bool) or not isinstance(value, int | Decimal) else Decimal(value)
    if number is None or not number.is_finite() or number <= 0 or (number * WHOLE) % 1:
        raise _Mistake(f"has {_shown(value)}; a share of the limit is a number above 0 like 0.8, in at most 6 decimals")
    return int(number * WHOLE)


def _shares(value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise _Mistake(f"is {_shown(value)}; it must be a list of shares, like [0.5, 0.8]")
    shares = [_share(one) for one in value]
    if any(share > WHOLE for share in shares) or len(set(shares)) < len(shares):
        raise _Mistake(f"is {_shown(value)}; each share is at most 1 and stands there once")
    return tuple(sorted(shares))


def _shown(value: object) -> str:
    """A value as it may have been written, short."""
    if isinstance(value, str):
        return f"'{value}'"[:80]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"[:80]
    return "a table" if isinstance(value, dict) else str(value)[:80]


_CHECKS: dict[str, Callable[[object], Any]] = {
    "name": _name,
    "limit_usd": _usd,
    "limit_tokens": _tokens,
    "period": _word(BudgetPeriod),
    "timezone": _zone,
    "models": _texts,
    "labels": _labels,
    "keys": _texts,
    "code_execution": _flag,
    "warn_at": _shares,
    "forecast_at": _share,
    "on_unpriced": _word(OnUnpriced),
}
_FIELDS = dict(zip(_CHECKS, _CHECKS, strict=True)) | {"limit_usd": "limit_pico", "period": "span", "timezone": "zone"}
