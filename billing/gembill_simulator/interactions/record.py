"""An interaction as it is kept.

Owns: its state, what of it is shown at which time, and the JSON of the resource (wire.md 2.3). Not here: the store and
the answer. Invariant: usage is shown with the final state and never before.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from gembill_simulator.context import stamp
from gembill_simulator.interactions.steps import Step
from gembill_simulator.wire import Document


@dataclass(frozen=True, slots=True)
class Interaction:
    """An interaction, made in whole at once; `polls` and `ready` say how long it is still shown as going on.

    `outcome` is its final status, `token` goes with `requires_continuation`; `context` are the steps of the whole
    conversation up to its end.
    """

    id: str
    model: str
    agent: str | None
    tier: str
    created: datetime
    inputs: tuple[Document, ...]
    steps: tuple[Step, ...]
    context: tuple[Document, ...]
    usage: Document
    outcome: str
    previous: str = ""
    token: str | None = None
    background: bool = False
    polls: int = 0
    ready: datetime | None = None
    cancelled: datetime | None = None
    begun: bool = False

    def status(self, now: datetime) -> str:
        """The status to show."""
        if self.cancelled is not None:
            return "cancelled"
        if not self.pends(now):
            return self.outcome
        return "queued" if self.tier == "deferred" and not self.begun else "in_progress"

    def pends(self, now: datetime) -> bool:
        """Whether it still goes on, in the background."""
        return self.cancelled is None and (self.polls > 0 or (self.ready is not None and now < self.ready))

    def polled(self) -> "Interaction":
        """The same after one poll that found it going on."""
        return replace(self, polls=max(0, self.polls - 1), begun=True)

    def finished(self) -> "Interaction":
        """The same, done now: a stream was followed to its end."""
        return replace(self, polls=0, ready=None)

    def show(self, now: datetime, *, timeline: bool, inputs: bool = False) -> Document:
        """The resource; `timeline` shows what was put in among the steps, `inputs` shows it as `input`."""
        status = self.status(now)
        shown = self.head(status)
        if status not in ("queued", "in_progress", "cancelled"):
            shown |= {"usage": self.usage}
        shown |= self.dates(now)
        put_in = list(self.inputs) if timeline else []
        done = [] if status in ("queued", "in_progress", "cancelled") else [step.whole for step in self.steps]
        if put_in or done:
            shown["steps"] = put_in + done
        if inputs:
            shown["input"] = list(self.inputs)
        return shown

    def head(self, status: str) -> Document:
        """What every form of it begins with."""
        subject = {"model": self.model} if self.agent is None else {"agent": self.agent}
        before = {"previous_interaction_id": self.previous} if self.previous else {}
        more = {"continuation_token": self.token} if status == "requires_continuation" else {}
        return {"id": self.id, "status": status, "object": "interaction"} | subject | before | more

    def dates(self, now: datetime) -> Document:
        """When it was made and changed, and the tier that served it."""
        created = stamp(self.created, seconds=True)
        changed = stamp(self.cancelled or (now if self.background else self.created), seconds=True)
        return {"created": created, "updated": changed, "service_tier": self.tier}
