"""The roles of docs/deploying.md: each can do what is said of it, and none can change the books."""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from gembill.cli import gembill
from gembill.errors import LedgerError
from gembill.ledger import (
    BillDay,
    Ledger,
    Reason,
    Selection,
    add_bill,
    alerts,
    audit_ledger,
    close_month,
    count_unreplayed,
    open_ledger,
    price_lists,
    read_totals,
    read_usage_of_days,
    schema,
)
from gembill.ledger.alerts import AlertKey
from gembill.period import parse
from tests.gembill.calls import us
from tests.gembill.ledger.making import SPOOL, append, posting, rated, record, tokens
from tests.gembill.ledger.test_bills import file, line

PAGE = (Path(__file__).parents[1] / "docs" / "deploying.md").read_text("utf-8")
OCTOBER = parse(month="2026-10")
MIDDLE = us("2026-10-15T12:00:00+00:00")
DAY = BillDay(20_741, 20_741 * 86_400_000_000, 20_742 * 86_400_000_000)
ALERT = AlertKey("search", "month 2026-11 UTC", "breach of 5 pico", "webhook")
_logins = count(1)


class Roles:
    """A database in which the page's statements were run, and ledgers that are opened as one of its roles."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened: list[Ledger] = []
        (grants,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
        with self.owner() as owner:
            for (there,) in owner.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'gembill%'").fetchall():
                grants = grants.replace(f"CREATE ROLE {there};", "")  # roles are of the whole server, not of a database
            owner.execute(grants)

    def owner(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url, autocommit=True)

    def address(self, role: str) -> str:
        login = f"someone{next(_logins)}"
        with self.owner() as owner:
            owner.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'word' IN ROLE gembill_{role}")
        return re.sub(r"//[^@]*@", f"//{login}:word@", self.url)

    def ledger(self, role: str, *, read_only: bool = False) -> Ledger:
        self._opened.append(open_ledger(self.address(role), read_only=read_only))
        return self._opened[-1]

    def close(self) -> None:
        for one in self._opened:
            one.close()
        with self.owner() as owner:
            for (login,) in owner.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'someone%'").fetchall():
                owner.execute(f"DROP ROLE {login}")


@pytest.fixture
def roles(postgres_ledger_url: str) -> Iterator[Roles]:
    made = Roles(postgres_ledger_url)
    yield made
    made.close()


def test_each_role_can_do_what_the_page_says_of_it(roles: Roles) -> None:
    poster, closer, reader = roles.ledger("poster"), roles.ledger("closer"), roles.ledger("reader", read_only=True)
    append(poster, SPOOL, [posting(seq, occurred_us=MIDDLE + seq) for seq in (1, 2)])
    append(poster, SPOOL, [posting(3, occurred_us=MIDDLE)])
    poster.add_dead_letter(SPOOL, 4, posting(4).event_id, b"{}", "it cannot be read")
    price_lists.add(poster, price_lists.Origin.BUNDLED, (), "d" * 64)
    assert alerts.claim(poster, ALERT, [], MIDDLE)
    alerts.sent(poster, ALERT, MIDDLE)
    close_month(closer, "2026-10", OCTOBER, us("2026-11-02T12:00:00+00:00"))
    for digest in "ab":
        add_bill(closer, file(digest), lambda: [line(1)])
        assert read_usage_of_days(closer, [DAY], keep=True)
        again = (record(1, occurred_us=MIDDLE + 1), rated(tokens(), ord(digest)))
        assert poster.correct([again], reason=Reason.RERATE) == 1
    assert (read_totals(reader, Selection())[0].calls, count_unreplayed(reader)) == (3, 1)
    assert audit_ledger(reader) == []


def test_a_reader_reports_and_neither_posts_nor_closes(roles: Roles) -> None:
    append(roles.ledger("poster"), SPOOL, [posting(1, occurred_us=MIDDLE)])
    reader = ["--database-url", roles.address("reader")]
    for words in (["report", "monthly", "--month", "2026-10"], ["records"], ["audit"], ["close", "--list"]):
        assert CliRunner().invoke(gembill, [*words, *reader]).exit_code == 0
    with pytest.raises(LedgerError, match=r"close a month.*permission"):
        CliRunner().invoke(gembill, ["close", "2026-10", *reader], catch_exceptions=False)
    with pytest.raises(LedgerError, match="permission"):
        append(roles.ledger("reader"), SPOOL, [posting(2)])
    with pytest.raises(LedgerError, match="permission"):
        close_month(roles.ledger("poster"), "2026-10", OCTOBER, us("2026-11-02T12:00:00+00:00"))


def test_no_role_can_change_or_delete_a_call_a_price_or_a_closed_month(roles: Roles) -> None:
    asked = "SELECT has_table_privilege('gembill_' || %s, %s, %s)"
    every = [table.name for table in schema.metadata.sorted_tables]
    with roles.owner() as owner:

        def who(right: str, table: str) -> set[str]:
            ways = (
                role
                for role in ("reader", "poster", "closer")
                if owner.execute(asked, (role, table, right)).fetchone() == (True,)
            )
            return set(ways)

        for table in every:
            assert who("SELECT", table) == {"reader", "poster", "closer"}
            assert len(who("INSERT", table)) == 1, f"docs/deploying.md: who writes {table}?"
        changed = {"source", "alert", "bill_file", *(table for table in every if table.startswith("rollup"))}
        assert {table for table in every if who("UPDATE", table)} == changed
        assert {table for table in every if who("DELETE", table)} == {"bill_file", "bill_line", "usage_day"}
        assert not any(who("TRUNCATE", table) for table in every)
