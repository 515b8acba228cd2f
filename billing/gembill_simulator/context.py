"""A request together with all that its answer may depend on.

Owns: the bundle that the surfaces work on, and the writing of times. Not here: answers; no clock is read. Invariant:
frozen; two equal contexts get the same reply from surfaces in the same state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gembill_simulator.options import Control, Options
from gembill_simulator.routes import SimulatorRoute


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request at one time.

    `origin` stands for everything that decides the content of the answer, `draw` is new with every repetition. `url`
    is the simulator's own, without a trailing slash. Header names are in lower case.
    """

    route: SimulatorRoute
    headers: Mapping[str, str]
    body: bytes
    options: Options
    control: Control
    origin: bytes
    draw: bytes
    now: datetime
    url: str
    fault: str = "ok"

    @property
    def polls(self) -> int:
        """How often a thing made by this request is found pending."""
        return self.options.polls if self.control.polls is None else self.control.polls

    @property
    def ready(self) -> datetime:
        """When a thing made by this request may be done at the earliest."""
        return self.now + timedelta(milliseconds=self.options.pending_ms)


def stamp(moment: datetime, *, seconds: bool = False) -> str:
    """RFC 3339 in UTC, with microseconds or whole seconds."""
    unit = "seconds" if seconds else "microseconds"
    return moment.astimezone(UTC).isoformat(timespec=unit).replace("+00:00", "Z")
