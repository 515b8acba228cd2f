"""The store of records, charges and rollups: the only package that speaks the ledger's SQL.

Owns: the schema and every statement on it, on SQLite and PostgreSQL alike. Not here: prices, budgets, display.
Invariant: append-only; each record is there once for each (source_id, id), and the rollups equal the sum of the current
revisions; `audit_ledger` proves it. What is listed here is the package's one door: other packages read and write
through it and through `alerts` and `price_lists`, and import none of its other modules (an import contract holds that).
A name's module is imported when the name is first asked for: most commands need a few of them, and some no SQLAlchemy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gembill.ledger.audit import audit_ledger, read_gaps
    from gembill.ledger.backup import Backup, back_up, checked, count_events, move_aside, put_back
    from gembill.ledger.bill_totals import bill_days, sku_texts, sum_bill
    from gembill.ledger.bills import BillChange, BillFile, BillImport, add_bill, bill_files, read_bill_line
    from gembill.ledger.charges import ChargeTotal, read_charges, read_charges_of, sum_charges
    from gembill.ledger.closings import Closing, read_closings, was_touched
    from gembill.ledger.conversations import (
        Conversation,
        ConversationOrder,
        ConversationPage,
        read_chains,
        read_conversation_page,
        read_conversations,
    )
    from gembill.ledger.entries import (
        DEMO_IMPORT,
        DEMO_SOURCE,
        NATURAL_SOURCES,
        LedgerCharge,
        LedgerRecord,
        Line,
        RatedEvent,
        Reason,
        billed_charges,
        ledger_record,
        line_of,
        net_lines,
    )
    from gembill.ledger.errors import InvalidPosting, LedgerUnavailable, SpoolRefused
    from gembill.ledger.evidence import (
        DeadLetter,
        Evidence,
        known_events,
        read_bodies,
        read_dead_letters,
        read_evidence,
    )
    from gembill.ledger.filter_values import label_trouble, require_known
    from gembill.ledger.labels import greatest_label, holds_demo_data, read_labels
    from gembill.ledger.mark import file_state, read_mark
    from gembill.ledger.measures import MEASURES
    from gembill.ledger.migration import SCHEMA_REVISION
    from gembill.ledger.month_close import close_month, require_open
    from gembill.ledger.pages import Cursor, ProblemFilter, RecordPage, SortOrder, count_calls, read_page
    from gembill.ledger.places import count_gaps, read_places
    from gembill.ledger.quality import Quality, read_quality
    from gembill.ledger.records import read_event_body, read_record, read_records, read_time_range
    from gembill.ledger.remarks import Remarks, count_unreplayed, read_remarks
    from gembill.ledger.result_sums import sum_results
    from gembill.ledger.selection import Selection
    from gembill.ledger.source_status import SourceStatus, read_source_statuses
    from gembill.ledger.store import Ledger, ledger_file, open_ledger, upgrade_ledger
    from gembill.ledger.totals import Total, read_hourly_totals, read_sums, read_totals
    from gembill.ledger.transaction import Transaction
    from gembill.ledger.usage_by_day import read_doubts, read_usage_of_calls
    from gembill.ledger.usage_days import read_usage_of_days
    from gembill.ledger.usage_sums import BillDay, sum_usage
    from gembill.ledger.wasteful import WastefulConversation, read_wasteful_conversations

_MODULES = {
    "audit": "audit_ledger read_gaps",
    "backup": "Backup back_up checked count_events move_aside put_back",
    "bill_totals": "bill_days sku_texts sum_bill",
    "bills": "BillChange BillFile BillImport add_bill bill_files read_bill_line",
    "charges": "ChargeTotal read_charges read_charges_of sum_charges",
    "closings": "Closing read_closings was_touched",
    "conversations": "Conversation ConversationOrder ConversationPage read_chains read_conversation_page "
    "read_conversations",
    "entries": "DEMO_IMPORT DEMO_SOURCE NATURAL_SOURCES LedgerCharge LedgerRecord Line RatedEvent Reason "
    "billed_charges ledger_record line_of net_lines",
    "errors": "InvalidPosting LedgerUnavailable SpoolRefused",
    "evidence": "DeadLetter Evidence known_events read_bodies read_dead_letters read_evidence",
    "filter_values": "label_trouble require_known",
    "labels": "greatest_label holds_demo_data read_labels",
    "mark": "file_state read_mark",
    "measures": "MEASURES",
    "migration": "SCHEMA_REVISION",
    "month_close": "close_month require_open",
    "pages": "Cursor ProblemFilter RecordPage SortOrder count_calls read_page",
    "places": "count_gaps read_places",
    "quality": "Quality read_quality",
    "records": "read_event_body read_record read_records read_time_range",
    "remarks": "Remarks count_unreplayed read_remarks",
    "result_sums": "sum_results",
    "selection": "Selection",
    "source_status": "SourceStatus read_source_statuses",
    "store": "Ledger ledger_file open_ledger upgrade_ledger",
    "totals": "Total read_hourly_totals read_sums read_totals",
    "transaction": "Transaction",
    "usage_by_day": "read_doubts read_usage_of_calls",
    "usage_days": "read_usage_of_days",
    "usage_sums": "BillDay sum_usage",
    "wasteful": "WastefulConversation read_wasteful_conversations",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = [
    "DEMO_IMPORT",
    "DEMO_SOURCE",
    "MEASURES",
    "NATURAL_SOURCES",
    "SCHEMA_REVISION",
    "Backup",
    "BillChange",
    "BillDay",
    "BillFile",
    "BillImport",
    "ChargeTotal",
    "Closing",
    "Conversation",
    "ConversationOrder",
    "ConversationPage",
    "Cursor",
    "DeadLetter",
    "Evidence",
    "InvalidPosting",
    "Ledger",
    "LedgerCharge",
    "LedgerRecord",
    "LedgerUnavailable",
    "Line",
    "ProblemFilter",
    "Quality",
    "RatedEvent",
    "Reason",
    "RecordPage",
    "Remarks",
    "Selection",
    "SortOrder",
    "SourceStatus",
    "SpoolRefused",
    "Total",
    "Transaction",
    "WastefulConversation",
    "add_bill",
    "audit_ledger",
    "back_up",
    "bill_days",
    "bill_files",
    "billed_charges",
    "checked",
    "close_month",
    "count_calls",
    "count_events",
    "count_gaps",
    "count_unreplayed",
    "file_state",
    "greatest_label",
    "holds_demo_data",
    "known_events",
    "label_trouble",
    "ledger_file",
    "ledger_record",
    "line_of",
    "move_aside",
    "net_lines",
    "open_ledger",
    "put_back",
    "read_bill_line",
    "read_bodies",
    "read_chains",
    "read_charges",
    "read_charges_of",
    "read_closings",
    "read_conversation_page",
    "read_conversations",
    "read_dead_letters",
    "read_doubts",
    "read_event_body",
    "read_evidence",
    "read_gaps",
    "read_hourly_totals",
    "read_labels",
    "read_mark",
    "read_page",
    "read_places",
    "read_quality",
    "read_record",
    "read_records",
    "read_remarks",
    "read_source_statuses",
    "read_sums",
    "read_time_range",
    "read_totals",
    "read_usage_of_calls",
    "read_usage_of_days",
    "read_wasteful_conversations",
    "require_known",
    "require_open",
    "sku_texts",
    "sum_bill",
    "sum_charges",
    "sum_results",
    "sum_usage",
    "upgrade_ledger",
    "was_touched",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """What a name stands for, from then on without asking here (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
