"""Labels as people write them to choose calls: `name=value`.

Owns: their reading. Owns no storage and no limit (capture's). Invariant: two values for one name are an error, for no
call can have both.
"""

from collections.abc import Iterable

from gembill.errors import ConfigurationError


def labels(pairs: Iterable[str], called: str) -> dict[str, str]:
    """The labels of `name=value` texts; ConfigurationError, in which they are `called` so, where one cannot be read."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ConfigurationError(f"{called} is '{pair}', which is no label; write it like team=search")
        if found.setdefault(name, value) != value:
            raise ConfigurationError(f"{called} {name} is both '{found[name]}' and '{value}'; no call can be both")
    return found
