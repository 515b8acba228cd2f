"""Numbers and days as Google's console writes them in the language of whoever downloads a file.

Owns: which of point and comma parts the decimals, in which order a date has its day and month, and their exact values.
Not here: columns. Invariant: what a text could mean in two ways is decided by the other texts of the same file, or not
at all; a value is a whole number of the smallest step that was asked for.
"""

import re
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache

_SPACES = re.compile(r"[\s\u00a0\u202f\u2009'\u2019\u066c]+")
_PLAIN = re.compile(r"[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?")
_GROUPED = {
    ".": re.compile(r"[+-]?\d{1,3}(?:,\d{2,3})*(?:\.\d+)?"),
    ",": re.compile(r"[+-]?\d{1,3}(?:\.\d{2,3})*(?:,\d+)?"),
}
_MARK = r"(?:[A-Z]{0,2}[^\w\s.,()+\-]|[A-Z]{3})"  # €, A$, CHF
_CURRENCY = re.compile(rf"(?<![^(+\-]){_MARK}(?=[\d.,+\-(])|(?<=[\d)]){_MARK}$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EPOCH = date(1970, 1, 1).toordinal()


class Unreadable(ValueError):
    """A text that is not the number or the day it should be; its own text is the reason."""


def decimal_point(texts: Iterable[str]) -> str:
    """The sign before decimals in these numbers: `.` unless one of them can only be read with `,`."""
    for text in texts:
        sign = _point_of(_SPACES.sub("", text))
        if sign is not None:
            return sign
    return "."


def _point_of(text: str) -> str | None:
    """What parts the decimals in a number; None where it has none, or could be read either way."""
    signs = [sign for sign in text if sign in ".,"]
    if not signs:
        return None
    if len(set(signs)) == 2:
        return signs[-1]
    if len(signs) > 1:
        return "," if signs[0] == "." else "."
    before, after = re.split(r"[.,]", text)
    before = before.lstrip("+-\u2212")
    sure = len(re.sub(r"\D.*", "", after)) != 3 or len(before) > 3 or before in ("", "0")
    return signs[0] if sure else None


def scaled(text: str, places: int, point: str = ".") -> tuple[int, int]:
    """The number times 10^places, and how many decimals were written. Unreadable if it is none.

    What is finer is rounded half to even; signs of currencies and groups of digits are left out.
    """
    if point == "." and text.isascii():  # most numbers of an export: digits, and perhaps some behind a point
        before, _, part = text.partition(".")
        digits = before + part
        if digits.isdigit() and before and len(part) <= places:
            return int(digits) * 10 ** (places - len(part)), len(part)
    return _scaled(text, places, point)


@lru_cache(maxsize=65536)
def _scaled(text: str, places: int, point: str) -> tuple[int, int]:
    plain = _CURRENCY.sub("", _SPACES.sub("", text.replace("\u2212", "-")))
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    if not _PLAIN.fullmatch(plain) or point == ",":
        plain = _ungrouped(plain, point, text)
    try:
        number = Decimal(plain)
        whole = int(number.scaleb(places).to_integral_value(ROUND_HALF_EVEN))
    except InvalidOperation:
        raise Unreadable(f"'{text}' is not a number") from None
    exponent = number.as_tuple().exponent
    return whole, max(0, -exponent) if isinstance(exponent, int) else 0


def _ungrouped(plain: str, point: str, text: str) -> str:
    if not (_GROUPED[point].fullmatch(plain) or re.fullmatch(rf"[+-]?\d+(?:[{point}]\d+)?", plain)):
        raise Unreadable(f"'{text}' is not a number")
    group = "," if point == "." else "."
    return plain.replace(group, "").replace(point, ".")


def day_order(texts: Iterable[str], *, american: bool = True) -> str:
    """`mdy` or `dmy`: the order of dates such as 11/03/2026; by a part above 12, else as Americans write it or not."""
    for text in texts:
        parts = re.fullmatch(r"(\d{1,2})[/.\- ]+(\d{1,2})[/.\- ]+\d{4}", text.strip())
        if parts and "." in text:
            return "dmy"
        if parts and int(parts[1]) > 12:
            return "dmy"
        if parts and int(parts[2]) > 12:
            return "mdy"
    return "mdy" if american else "dmy"


@lru_cache(maxsize=65536)
def day(text: str, order: str = "mdy") -> int:
    """The day of a date as days since 1970; Unreadable if it is none."""
    try:
        return date(*_parts(text.strip(), order)).toordinal() - _EPOCH
    except (ValueError, TypeError):
        raise Unreadable(f"'{text}' is not a date") from None


def _parts(text: str, order: str) -> tuple[int, int, int]:
    numbers = [int(number) for number in re.findall(r"\d+", text)][:3]
    if match := re.search(r"[A-Za-z]{3}", text):
        spelled = _MONTHS.index(match[0].lower()) + 1
        year = max(numbers)
        return year, spelled, min(numbers)
    if len(numbers) == 2 and numbers[0] > 31:
        return numbers[0], numbers[1], 1
    first, second, third = numbers
    if first > 31:
        return first, second, third
    return (third, second, first) if order == "dmy" else (third, first, second)


def date_of(number: int) -> date:
    """The date of a day since 1970."""
    return date.fromordinal(number + _EPOCH)


def day_text(number: int) -> str:
    """A day since 1970 as people write it: `2026-11-03`."""
    return date_of(number).isoformat()


def month_days(month: str) -> tuple[int, int]:
    """The first and the last day of a month such as `2026-11` or `202611`; Unreadable if it is none."""
    digits = re.fullmatch(r"(\d{4})-?(\d{2})", month.strip())
    if digits is None or not 1 <= int(digits[2]) <= 12:
        raise Unreadable(f"'{month}' is not a month")
    year, number = int(digits[1]), int(digits[2])
    following = date(year + number // 12, number % 12 + 1, 1)
    return date(year, number, 1).toordinal() - _EPOCH, following.toordinal() - 1 - _EPOCH
