"""The page of conversations.

Owns: its table, data and links to the next page. Not here: queries, and which calls are a conversation. Invariant: a
page and its summary come from one question; a CSV has every conversation, whatever page is shown.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gembill.errors import ConfigurationError
from gembill.ledger import (
    Conversation,
    ConversationOrder,
    ConversationPage,
    Ledger,
    read_conversation_page,
    read_conversations,
)
from gembill.money import usd
from gembill_reports.dashboard.call_pages import WORDS, there_are, word_of
from gembill_reports.dashboard.grids import kept
from gembill_reports.dashboard.page import Cell, Grid, Page, Tools, counted, dollars, money_head, number, text
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.tables import MISSING, clean
from gembill_reports.views.period_texts import second
from gembill_reports.views.records import utc

SIZE = 50
ONE_CONVERSATION = (
    "Calls are one where a chat goes on, an interaction names the one before, or callers send the header "
    "x-gembill-label-conversation."
)
_STREAMED = 1000  # conversations that a CSV reads at a time
_HEADER = (
    *("conversation_id", "operation", "calls", "first_at", "last_at", "model", "tokens_input", "tokens_intermediate"),
    *("tokens_output", "executions", "executions_failed", "cost_usd"),
)
_HEADS = (
    (text("Conversation"), None),
    (money_head("Cost"), ConversationOrder.COST),
    (text("Last call"), ConversationOrder.LAST),
    (text("Model"), None),
    (number("Calls"), ConversationOrder.CALLS),
    (number("Input"), ConversationOrder.INPUT),
    (number("Intermediate"), ConversationOrder.INTERMEDIATE),
    (number("Output"), ConversationOrder.OUTPUT),
    (number("Executions"), ConversationOrder.EXECUTIONS),
    (number("Failed"), ConversationOrder.FAILED),
)


def conversations(ledger: Ledger, view: PageQuery) -> Page:
    """Chats of several turns and chains of interactions, the one with the newest call first."""
    asked = browse(view)
    shown, there = read_conversation_page(ledger, asked, SIZE)
    onward = _page_link(view, asked, 1) if asked.skip + len(shown) < there else None
    rows = [_row(one) for one in shown]
    summary = there_are(there, "conversation", len(shown), onward, asked.counted(SIZE))
    return Page(
        name="conversations",
        title="Conversations",
        template="conversations.html",
        data={"schema_version": 1, "truncated": onward is not None, "next": onward, "conversations": rows},
        header=_HEADER,
        rows=_all(ledger, asked),
        grids=(_grid(shown, view, asked, summary),),
        more={"onward": onward, "previous": _page_link(view, asked, -1) if asked.skip else None},
    )


def browse(view: PageQuery) -> ConversationPage:
    """What the address asks of the list; ConfigurationError for a word it does not know."""
    rest = view.rest
    page = rest.get("page", "1")
    if not page.isascii() or not page.isdecimal() or len(page) > 9 or int(page) < 1:
        raise ConfigurationError(f"page is '{page}', which is not the number of a page; write it like 2")
    return ConversationPage(
        selection=view.selection,
        order=word_of(ConversationOrder, rest.get("sort")) or ConversationOrder.LAST,
        ascending=rest.get("dir") == "up",
        skip=(int(page) - 1) * SIZE,
        words=tuple(rest.get("find", "").split()[:WORDS]),
    )


def _all(ledger: Ledger, asked: ConversationPage) -> Iterator[dict[str, Any]]:
    """The rows of every conversation that fits, from the first on."""
    if asked.words or asked.order is not ConversationOrder.LAST or asked.ascending:
        yield from _all_sorted(ledger, replace(asked, skip=0))
        return
    place: tuple[int, str] | None = None
    while some := read_conversations(ledger, asked.selection, _STREAMED, place):
        yield from map(_row, some)
        place = some[-1].last_us, some[-1].id


def _all_sorted(ledger: Ledger, asked: ConversationPage) -> Iterator[dict[str, Any]]:
    while some := read_conversation_page(ledger, asked, _STREAMED)[0]:
        yield from map(_row, some)
        asked = replace(asked, skip=asked.skip + len(some))


def _page_link(view: PageQuery, asked: ConversationPage, step: int) -> str:
    page = asked.skip // SIZE + 1 + step
    return view.to("/conversations", ("page", str(page)), without=("page",), rest=True)


def _grid(shown: list[Conversation], view: PageQuery, asked: ConversationPage, summary: str) -> Grid:
    tools = Tools(
        summary=summary,
        column=[order for _, order in _HEADS].index(asked.order),
        descending=not asked.ascending,
        action="/conversations",
        find="find",
        sought=" ".join(asked.words),
        kept=kept(view, "find", "page"),
    )
    heads = [_head(head, order, view, asked) for head, order in _HEADS]
    empty = f"Nothing fits '{tools.sought}'." if asked.words else f"No conversation in this period. {ONE_CONVERSATION}"
    return Grid("Conversations", heads, [_line(one, view) for one in shown], empty=empty, tools=tools)


def _head(head: Cell, order: ConversationOrder | None, view: PageQuery, asked: ConversationPage) -> Cell:
    """A heading that sorts by its column, the largest first; once more turns the order round."""
    if order is None:
        return head
    turn = "up" if asked.order is order and not asked.ascending else "down"
    pairs = (("sort", order.value), ("dir", turn))
    return replace(head, link=view.to("/conversations", *pairs, without=("sort", "dir", "page"), rest=True))


def _row(one: Conversation) -> dict[str, Any]:
    return {
        "conversation_id": one.id,
        "operation": one.operation,
        "calls": one.calls,
        "first_at": utc(one.first_us),
        "last_at": utc(one.last_us),
        "model": one.model,
        "tokens_input": one.tokens.input,
        "tokens_intermediate": one.tokens.intermediate,
        "tokens_output": one.tokens.output,
        "executions": one.executions,
        "executions_failed": one.executions_failed,
        "cost_usd": usd(one.cost_pico),
    }


def named(one: Conversation, view: PageQuery) -> Cell:
    """The beginning of its id, which leads to its calls, the first one first."""
    return text(clean(one.id)[:16], view.to("/calls", ("conversation", one.id), ("dir", "up")))


def models_of(one: Conversation) -> str:
    """Its model, or how many it had."""
    return clean(one.model) if one.model else f"{one.models} models" if one.models else MISSING


def _line(one: Conversation, view: PageQuery) -> list[Cell]:
    tokens = one.tokens
    return [
        named(one, view),
        dollars(one.cost_pico),
        text(second(one.last_us, view.period.zone)),
        text(models_of(one)),
        *map(counted, (one.calls, tokens.input, tokens.intermediate, tokens.output, one.executions)),
        counted(one.executions_failed, mark="failed" if one.executions_failed else ""),
    ]
