"""The programs that a simulated model writes, with what they print and draw.

Owns: source texts and their true outputs, the chart of a plot, and how a run goes wrong. Not here: running any code.
Invariant: the output of a program that ends well is what Python prints for its source; the same question and random
seed give the same program. A chart is a valid PNG (third edition of the W3C, 8-bit greyscale, one IDAT) that depends
on its values alone.
"""

import re
import statistics
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

OK = "OUTCOME_OK"
FAILED = "OUTCOME_FAILED"
DEADLINE = "OUTCOME_DEADLINE_EXCEEDED"

_WIDTH, _HEIGHT = 160, 96
_PAPER, _INK = b"\xff", b"\x40"
_LARGEST = 1000  # of a number taken from a question: keeps an answer quick, whatever is asked


@dataclass(frozen=True, slots=True)
class Program:
    """Source, what it prints, the sentence that tells of it, and the numbers it would plot."""

    code: str
    output: str
    sentence: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """One execution: what was run, how it ended, what it printed and drew (`image` is PNG bytes or None)."""

    code: str
    outcome: str
    output: str
    image: bytes | None = None


_MISTAKES = (
    ("print(totals)", "NameError: name 'totals' is not defined"),
    ("ratio = 1 / 0", "ZeroDivisionError: division by zero"),
    ("import numbercrunch", "ModuleNotFoundError: No module named 'numbercrunch'"),
    ("count = int('a dozen')", "ValueError: invalid literal for int() with base 10: 'a dozen'"),
    ("first = [][0]", "IndexError: list index out of range"),
    ("label = 'sum: ' + 1", 'TypeError: can only concatenate str (not "int") to str'),
)


def choose(question: str, rng: Random) -> Program:
    """The program that answers a question, by its words; numbers come from the question, else from `rng`."""
    digits = re.search(r"\d{1,9}", question)
    number = min(max(int(digits[0]), 2), _LARGEST) if digits else rng.randint(5, 60)
    for words, write in _BY_WORD:
        if words.search(question):
            return write(number)
    return rng.choice((_digits, _squares))(number)


def ends_well(program: Program) -> ProgramRun:
    """A run that prints."""
    return ProgramRun(program.code, OK, program.output)


def draws(program: Program, filling: int = 0) -> ProgramRun:
    """A run that draws the program's numbers, in a file with this many bytes more than it needs."""
    code = (
        f"{program.code}import matplotlib.pyplot as plt\nvalues = {list(program.values)}\n"
        "plt.bar(range(len(values)), values)\nplt.show()\n"
    )
    return ProgramRun(code, OK, program.output, bar_chart(program.values, filling))


def bar_chart(values: Sequence[float], filling: int = 0) -> bytes:
    """A PNG of 160 x 96 pixels with one bar per value, at most 80 of them; negative values draw as nothing.

    `filling` bytes that nothing can compress are in a private chunk, for tests of large answers.
    """
    bars = [max(0.0, float(value)) for value in values[:80]] or [0.0]
    top = max(bars) or 1.0
    heights = [round(bar / top * _HEIGHT) for bar in bars]
    rows = b"".join(b"\0" + _pixels(heights, _HEIGHT - line) for line in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    filled = _png_chunk(b"gbFl", Random(filling).randbytes(filling)) if filling else b""
    image = _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + image + filled + _png_chunk(b"IEND", b"")


def fails(program: Program, attempt: int) -> ProgramRun:
    """A run that ends with a traceback; each attempt (0, 1, ...) makes another mistake."""
    line, error = _MISTAKES[attempt % len(_MISTAKES)]
    trace = f'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\n{error}\n'
    return ProgramRun(f"{line}\n{program.code}", FAILED, trace)


def never_ends(program: Program) -> ProgramRun:
    """A run that the sandbox stops after 30 seconds (simulated: at once)."""
    return ProgramRun(f"while True:\n    pass\n{program.code}", DEADLINE, "")


@lru_cache(maxsize=64)
def _primes(number: int) -> Program:
    code = (
        f"primes = []\ncandidate = 2\nwhile len(primes) < {number}:\n"
        "    if all(candidate % p for p in primes if p * p <= candidate):\n        primes.append(candidate)\n"
        "    candidate += 1\nprint(len(primes), sum(primes))\n"
    )
    primes: list[int] = []
    candidate = 2
    while len(primes) < number:
        if all(candidate % prime for prime in primes if prime * prime <= candidate):
            primes.append(candidate)
        candidate += 1
    sentence = f"The sum of the first {number} prime numbers is {sum(primes)}; the last of them is {primes[-1]}."
    return Program(code, f"{number} {sum(primes)}\n", sentence, tuple(primes[:40]))


@lru_cache(maxsize=64)
def _fibonacci(number: int) -> Program:
    code = f"a, b = 0, 1\nfor _ in range({number}):\n    a, b = b, a + b\nprint(a)\n"
    series = [0, 1]
    while len(series) <= number:
        series.append(series[-1] + series[-2])
    return Program(
        code, f"{series[number]}\n", f"Fibonacci number {number} is {series[number]}.", tuple(series[: min(number, 40)])
    )


@lru_cache(maxsize=64)
def _average(number: int) -> Program:
    data = [(7919 * index) % 97 + number for index in range(12)]
    code = f"import statistics\ndata = {data}\nprint(statistics.mean(data), round(statistics.pstdev(data), 3))\n"
    mean, deviation = statistics.mean(data), round(statistics.pstdev(data), 3)
    return Program(
        code, f"{mean} {deviation}\n", f"The mean is {mean} with a standard deviation of {deviation}.", tuple(data)
    )


@lru_cache(maxsize=64)
def _digits(number: int) -> Program:
    code = f"print(sum(int(digit) for digit in str(2 ** {number})))\n"
    digits = tuple(int(digit) for digit in str(2**number))
    return Program(
        code, f"{sum(digits)}\n", f"The digits of 2 to the power {number} sum to {sum(digits)}.", digits[:40]
    )


@lru_cache(maxsize=64)
def _squares(number: int) -> Program:
    code = f"squares = [n * n for n in range(1, {number} + 1)]\nprint(sum(squares))\n"
    squares = [n * n for n in range(1, number + 1)]
    return Program(
        code, f"{sum(squares)}\n", f"The squares from 1 to {number} add up to {sum(squares)}.", tuple(squares[:40])
    )


def _pixels(heights: Sequence[int], level: int) -> bytes:
    slot = _WIDTH // len(heights)
    bars = b"".join(
        (_INK if height >= level else _PAPER) * max(1, slot - 1) + _PAPER * min(1, slot - 1) for height in heights
    )
    return bars.ljust(_WIDTH, _PAPER)[:_WIDTH]


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_BY_WORD: tuple[tuple[re.Pattern[str], Callable[[int], Program]], ...] = (
    (re.compile("prime", re.IGNORECASE), _primes),
    (re.compile("fibonacci", re.IGNORECASE), _fibonacci),
    (re.compile("mean|average|deviation|statistic", re.IGNORECASE), _average),
    (re.compile("square", re.IGNORECASE), _squares),
)
