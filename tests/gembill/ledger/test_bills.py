"""Google's bill in the ledger: whole or not at all, once, and the newest word counts."""

from dataclasses import replace
from hashlib import blake2b

import pytest
from msgspec import structs

from gembill.errors import LedgerError
from gembill.ledger import BillFile, Ledger, add_bill, bill_files, sum_bill
from gembill.reconcile.bill_line import BillForm, BillLine, LineKind
from tests.gembill.ledger.making import SPOOL, append, posting

DAY = 20760


def line(number: int = 1, **changes: object) -> BillLine:
    plain = BillLine(
        number=number,
        kind=LineKind.USAGE,
        sku=f"sku {number}",
        first_day=DAY,
        last_day=DAY,
        amount_micro=1_000_000,
        cost_pico=500,
        currency="EUR",
        decimals=6,
        month="2026-11",
    )
    return structs.replace(plain, **changes)  # type: ignore[arg-type]


def file(digest: str = "a", form: BillForm = BillForm.COST_TABLE) -> BillFile:
    return BillFile(digest=digest, name=f"{digest}.csv", form=form)


def cost(ledger: Ledger, form: BillForm = BillForm.COST_TABLE) -> int:
    return sum(total.cost_pico for total in sum_bill(ledger, form))


def test_the_same_file_twice_changes_nothing(ledger: Ledger) -> None:
    first = add_bill(ledger, file(), lambda: [line(1), line(2)])
    second = add_bill(ledger, file(), lambda: [line(1), line(2)])
    assert (first.fresh, first.lines, second.fresh, second.number) == (True, 2, False, first.number)
    assert cost(ledger) == 1000
    assert bill_files(ledger) == [(1, file())]


def test_a_file_that_breaks_off_leaves_nothing(ledger: Ledger) -> None:
    def broken():
        yield line(1)
        raise LedgerError("broken")

    with pytest.raises(LedgerError, match="broken"):
        add_bill(ledger, file(), broken)
    assert bill_files(ledger) == []
    assert cost(ledger) == 0


def test_a_revised_cost_table_takes_the_place_of_the_month_and_says_what_changed(ledger: Ledger) -> None:
    add_bill(ledger, file("a"), lambda: [line(1), line(2), line(3)])
    add_bill(ledger, file("other"), lambda: [line(1, month="2026-10")])
    revised = add_bill(ledger, file("b"), lambda: [line(1), line(2, cost_pico=700), line(4)])
    assert revised.replaced == 3
    changes = {change.sku: (change.amount_micro, change.cost_pico) for change in revised.changes}
    assert changes == {"sku 2": (0, 200), "sku 3": (-1_000_000, -500), "sku 4": (1_000_000, 500)}
    assert cost(ledger) == 500 + 700 + 500 + 500


def test_a_row_of_an_export_counts_once_in_however_many_files(ledger: Ledger) -> None:
    rows = [line(1), line(2, sku="sku 1"), line(3, exported_us=5)]  # two equal rows in one file are two
    add_bill(ledger, file("a", BillForm.BIGQUERY), lambda: rows[:2])
    second = add_bill(ledger, file("b", BillForm.BIGQUERY), lambda: rows)
    assert (second.replaced, second.changes) == (2, ())
    assert cost(ledger, BillForm.BIGQUERY) == 1500


def test_the_scope_of_a_row_is_all_that_it_says_in_ledgers_of_any_age(ledger: Ledger) -> None:
    row = line(1, service="Gemini API", location="global", rate="1.08", exported_us=5)
    add_bill(ledger, file("a", BillForm.BIGQUERY), lambda: [row])
    said = ("bigquery", "usage", "Gemini API", row.sku_id, row.sku, row.unit, row.project or "", "global", row.currency)
    said += ("1.08", row.month, row.first_day, row.last_day, row.amount_micro, row.cost_pico, 5)
    with ledger.reading() as snapshot:
        [[scope]] = snapshot.rows("SELECT scope FROM bill_line")
    assert bytes(scope) == blake2b(repr(said).encode(), digest_size=16).digest()


def test_reports_of_other_projects_do_not_replace_each_other(ledger: Ledger) -> None:
    report = file("a", BillForm.REPORTS)
    add_bill(ledger, replace(report, project="one"), lambda: [line(1)])
    add_bill(ledger, replace(report, digest="b", project="two"), lambda: [line(1)])
    assert cost(ledger, BillForm.REPORTS) == 1000
    assert {total.project for total in sum_bill(ledger, BillForm.REPORTS)} == {"one", "two"}


def test_a_newer_report_takes_the_place_of_all_days_that_it_covers(ledger: Ledger) -> None:
    month = [line(1, first_day=DAY, last_day=DAY + 29, cost_pico=3000)]
    add_bill(ledger, file("a", BillForm.REPORTS), lambda: month)
    days = [line(1, sku="x"), line(2, sku="x", first_day=DAY + 1, last_day=DAY + 1)]
    add_bill(ledger, file("b", BillForm.REPORTS), lambda: days)
    assert cost(ledger, BillForm.REPORTS) == 1000
    add_bill(ledger, file("c", BillForm.REPORTS), lambda: [line(1, first_day=DAY + 1, last_day=DAY + 1, cost_pico=7)])
    assert cost(ledger, BillForm.REPORTS) == 507


def test_an_amount_that_no_column_holds_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match=r"line 3 of a\.csv"):
        add_bill(ledger, file(), lambda: [line(3, amount_micro=1 << 63)])


def test_other_writers_come_in_between_and_see_nothing_of_it(ledger: Ledger, monkeypatch) -> None:
    monkeypatch.setattr("gembill.ledger.bills._AT_ONCE", 2)
    seen: list[tuple[int, int, int]] = []

    def look(written: int) -> None:
        append(ledger, SPOOL, [posting(written)])  # as a proxy posts
        seen.append((written, cost(ledger), len(bill_files(ledger))))

    add_bill(ledger, file(), lambda: [line(number) for number in range(1, 6)], look)
    assert seen == [(2, 0, 0), (4, 0, 0), (5, 0, 0)]
    assert cost(ledger) == 2500


def test_a_file_that_another_program_is_taking_in_is_refused(ledger: Ledger) -> None:
    def lines():
        with pytest.raises(LedgerError, match=r"a.csv is being taken in by another gembill"):
            add_bill(ledger, file(), lambda: [line(1)])
        yield line(1)

    assert add_bill(ledger, file(), lines).fresh is True
    assert cost(ledger) == 500


def test_what_a_crash_left_is_removed_when_the_next_file_comes(ledger: Ledger, monkeypatch) -> None:
    monkeypatch.setattr("gembill.ledger.bills._forget", lambda *_: None)  # as if the program had died

    def broken():
        yield line(1)
        raise LedgerError("broken")

    monkeypatch.setattr("gembill.ledger.bills._AT_ONCE", 1)
    with pytest.raises(LedgerError, match="broken"):
        add_bill(ledger, file(), broken)
    monkeypatch.undo()
    monkeypatch.setattr("gembill.ledger.bills._GIVEN_UP_US", -1)
    assert (cost(ledger), bill_files(ledger)) == (0, [])
    assert add_bill(ledger, file(), lambda: [line(1), line(2)]).fresh is True
    with ledger.reading() as snapshot:
        assert len(snapshot.rows("SELECT 1 FROM bill_line")) == 2


def test_an_import_that_was_given_up_meanwhile_stops_and_leaves_the_others_alone(ledger: Ledger, monkeypatch) -> None:
    monkeypatch.setattr("gembill.ledger.bills._AT_ONCE", 1)

    def sleepy():
        yield line(1)
        monkeypatch.setattr("gembill.ledger.bills._GIVEN_UP_US", -1)  # as if it had slept for an hour
        add_bill(ledger, file("other"), lambda: [line(7)])
        yield line(2)

    with pytest.raises(LedgerError, match="another gembill removed"):
        add_bill(ledger, file(), sleepy)
    assert [one.digest for _, one in bill_files(ledger)] == ["other"]
    with ledger.reading() as snapshot:
        assert [row[0] for row in snapshot.rows("SELECT line FROM bill_line")] == [7]
