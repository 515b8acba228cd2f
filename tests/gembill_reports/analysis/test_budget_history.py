"""Budgets now, the turns of their state, and how earlier periods ended."""

from gembill.budget_status import evaluate_budgets
from gembill.ledger import Ledger
from gembill.money import unit_price
from gembill.period import Period, parse, zone
from gembill.rules.budgets import Budget, BudgetState
from gembill.rules.budgets.toml import budgets
from gembill_reports.analysis import budget_history
from gembill_reports.analysis.budget_history import BudgetHistory, Turn, budget_histories, budget_statuses, moment
from tests.gembill_reports.making import call, put, us

NOW = us("2026-11-21T09:00:00+00:00")
MILLION = (1_000_000, 0, 0)  # $0.50


def budget(more: str = "", limit: str = "1.20", period: str = "month") -> list[Budget]:
    text = f'[[budget]]\nname = "b"\nlimit_usd = "{limit}"\nperiod = "{period}"\nwarn_at = [0.5]\n{more}'
    return budgets(text, "test")


def fill(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-08-05T10:00:00+00:00", MILLION),
        *(call(f"2026-10-0{day}T10:00:00+00:00", MILLION, labels={"team": "a"}) for day in (5, 6, 7)),
        *(call(f"2026-11-{day:02d}T10:20:00+00:00", MILLION, labels={"team": "a"}) for day in (5, 10, 15)),
        call("2026-11-12T10:20:00+00:00", (5, 5, 5), "nobody-knows", labels={"team": "b"}),
    )


def history(ledger: Ledger, made: list[Budget], at_us: int = NOW, until_us: int | None = None) -> BudgetHistory:
    (one,) = budget_histories(ledger, made, at_us, until_us)
    return one


def test_the_present_state_is_that_of_a_check(ledger: Ledger) -> None:
    fill(ledger)
    for made in (budget(), budget(period="week"), budget(period="total"), budget(period="day"), budget(period="run")):
        assert budget_statuses(ledger, made, NOW) == evaluate_budgets(ledger, made, NOW)
        assert [history(ledger, made).status] == evaluate_budgets(ledger, made, NOW)


def test_a_state_turns_in_the_hour_of_the_call_that_turned_it(ledger: Ledger) -> None:
    fill(ledger)
    assert history(ledger, budget()).turns == (
        Turn(us("2026-11-10T10:00:00+00:00"), BudgetState.WARN),
        Turn(us("2026-11-12T10:00:00+00:00"), BudgetState.UNKNOWN),
        Turn(us("2026-11-15T10:00:00+00:00"), BudgetState.BREACH),
    )
    assert history(ledger, budget("labels = { team = 'a' }", "9")).turns == ()


def test_earlier_periods_are_judged_by_all_their_calls(ledger: Ledger) -> None:
    fill(ledger)
    past = history(ledger, budget()).past
    assert [(one.period.start or "")[:7] for one in past] == ["2026-10", "2026-09", "2026-08"]
    assert [one.state for one in past] == [BudgetState.BREACH, BudgetState.PASS, BudgetState.PASS]
    assert [one.cost_pico for one in past] == [n * 10**6 * unit_price("0.50") for n in (3, 0, 1)]
    assert [one.breached_us for one in past] == [None] * 3


def test_no_more_periods_than_there_are_calls_of_or_a_dozen(ledger: Ledger) -> None:
    assert history(ledger, budget()).past == ()
    fill(ledger)
    assert len(history(ledger, budget(period="day")).past) == budget_history.PERIODS
    assert history(ledger, budget(period="total")).past == ()


def test_a_moment_in_the_past_sees_no_later_call(ledger: Ledger) -> None:
    fill(ledger)
    end = us("2026-11-10T08:00:00+00:00")
    earlier = history(ledger, budget(), end - 1, end)
    assert (earlier.status.calls, earlier.status.state) == (1, BudgetState.PASS)


def test_budgets_are_looked_at_now_or_at_the_end_of_what_is_shown() -> None:
    october = parse(month="2026-10")
    assert october.end_us is not None
    assert moment(october, NOW) == (october.end_us - 1, october.end_us)
    assert moment(parse(month="2026-11"), NOW) == (NOW, None)
    assert moment(Period(None, None, zone()), NOW) == (NOW, None)
