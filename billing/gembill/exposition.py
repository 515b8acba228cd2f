"""The text form of Prometheus, 0.0.4, as far as all metrics share it.

Owns: the head of a family, and what the value of a label may hold. Not here: families and their numbers. Invariant: no
text that is given breaks out of its line or its quotes.
"""

import re

_UNFIT = re.compile(r'[\\"\n]')


def head(name: str, kind: str, words: str) -> tuple[str, str]:
    """The two lines before the samples of a family; its name without `gembill_`."""
    return f"# HELP gembill_{name} {words}", f"# TYPE gembill_{name} {kind}"


def label_value(text: str) -> str:
    """A text as the value of a label: what would end the value or the line is `_`."""
    return _UNFIT.sub("_", text)
