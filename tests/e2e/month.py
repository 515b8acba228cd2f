"""A made-up month of calls that the tests in a browser look at, its budgets, and the pages there are.

Invariant: everything that a page has a word for is in it: failed runs, refusals, chains, what nobody knows.
"""

from gembill.ledger import Ledger
from gembill.model import ApiError, Operation, Status
from tests.gembill_reports.making import FAILED, FLASH, LATE, OK, PRO, call, put, us

NOW = us("2026-11-21T09:00:00+00:00")
BUDGETS = """
[[budget]]
name = "everything"
limit_usd = "0.10"
period = "month"

[[budget]]
name = "team a"
limit_tokens = 5000
period = "day"
labels = { team = "a" }
"""
PAGES = (
    "/",
    "/changes",
    "/models",
    "/labels",
    "/keys",
    "/executions",
    "/conversations",
    "/calls",
    "/budgets",
    "/bill",
    "/prices",
    "/quality",
)


def fill(ledger: Ledger) -> None:
    """Twenty days of two models and two teams, one chain of interactions, and everything that can go wrong."""
    calls = [
        call(
            f"2026-11-{day:02d}T1{n}:00:00+00:00",
            (1000 * n, 2000, 300),
            model,
            outcomes=[OK, FAILED][: n + 1],
            labels={"team": "ab"[n]},
        )
        for day in range(1, 21)
        for n, model in enumerate((FLASH, PRO))
    ]
    calls += [
        call(f"2026-11-05T12:0{n}:00+00:00", (10, 20, 30), conversation="chain-1", operation=Operation.INTERACTIONS)
        for n in range(3)
    ]
    calls += [
        call("2026-11-06T10:00:00+00:00", (5, 5, 5), "nobody-knows", outcomes=[LATE]),
        call("2026-11-06T11:00:00+00:00", None),
        call(
            "2026-11-06T12:00:00+00:00",
            None,
            status=Status.ERROR,
            error=ApiError(code=429, status="RESOURCE_EXHAUSTED", kind="rate"),
        ),
        call("2026-10-06T12:00:00+00:00", (7, 7, 7), PRO),
    ]
    put(ledger, *calls)
