"""The reference of all settings, policies and keys of budgets: docs/settings.md is made of it.

Owns: what each of them means, in a sentence. Not here: their values, bounds and defaults, which come from where they
are checked. Invariant: every setting and every key of a budget has its sentence, and nothing else has one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

from gembill.config import FILE_ONLY, Settings, allowed
from gembill.rules.budgets.toml import BUDGET_KEYS

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Where things are": {
        "database_url": "The ledger; `postgresql://...` where proxies share one (run `gembill db upgrade` first).",
        "data_dir": "The folder of spool, secret and embedded ledger.",
        "fingerprint_secret": "What keys are fingerprinted with; proxies that share a ledger need the same.",
        "keys": "Names for keys in reports: fingerprint = name (of Vertex calls with OAuth: project = name).",
    },
    "The proxy": {
        "host": "Where the proxy listens; another address than loopback needs `--allow-remote`.",
        "port": "The port it listens on; 0 takes a free one.",
        "hosts": "Names it answers to besides loopback's and `host`; without any, and on another address: all names.",
        "origins": "Web pages of your own that may send calls; a page of any other origin is refused.",
        "caller_token": "What callers from other machines show in the header `X-Gembill-Token`, at least 16 "
        "characters; without it the proxy makes one when it first listens on another address than loopback.",
        "upstream": "The one origin that calls go to.",
        "vertex_upstream": "The origin that Vertex paths go to; without it they go to `upstream`.",
        "upstream_proxy": "The forward proxy on the way to the API, `http://user:password@host:3128`; `none`: none. "
        "Without it `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` decide.",
        "upstream_ca": "A PEM file of authorities to trust besides the machine's (or `SSL_CERT_FILE`).",
        "tls": "`self`: the proxy speaks TLS with a certificate that it makes, and says how to trust it.",
        "tls_cert": "The certificate (PEM) that the proxy speaks TLS with.",
        "tls_key": "Its key, unless that is in the same file.",
        "on_record_failure": "When a call cannot be recorded: `closed` refuses it, `open` serves and counts it.",
        "answer_seconds": "How long the API may take to begin an answer, in seconds.",
        "connections": "How many connections of callers there may be at once; silent ones give way; 0: any number.",
        "connections_per_address": "How many of them from one address of another machine; 0: any number.",
        "stop_seconds": "How long answers under way are waited for at SIGTERM, in seconds; then they are broken off.",
        "pump_seconds": "How long an answer is read on after its client left, in seconds.",
        "pump_bytes": "How far it is read on, in bytes.",
        "pump_calls": "How many such answers at once.",
        "spool_min_free_bytes": "Calls are refused when the spool's disk has less free, in bytes.",
        "spool_keep_hours": "How long posted events are kept for `gembill replay`; longer than from backup to backup.",
        "ready_seconds": "From what age of the oldest unposted record on `/_gembill/ready` is 503, in seconds.",
    },
    "Logs": {
        "log_format": "`json`: every line of the log is a JSON object.",
        "log_file": "The file that the proxy's log goes to; without it stderr. It may be moved away at any time.",
        "access_log": "A file for a line a request (method, path without query, status, bytes, seconds); `-`: stderr.",
    },
    "Prices and policies": {
        "prices": "A price list of your own, in the form of `billing/gembill/prices.toml`, before all others.",
        "long_context_counts": "What is held against the long-prompt threshold: the prompt, or intermediate too.",
        "tool_tokens_with_grounding": "`free`: intermediate tokens of a call that also searched cost nothing.",
        "results_as_output": "`estimate`: execution results are charged as output, estimated.",
        "free_tier_keys": "Names or fingerprints of keys whose calls cost nothing.",
    },
    "Alerts about budgets": {
        "webhook_url": "The address that gets them as JSON.",
        "webhook_secret": "What they are signed with.",
        "notify_urls": "Addresses of apprise that get them (mail, chat and others).",
        "budget_seconds": "Time between two looks at the budgets, in seconds.",
    },
}

BUDGETS: Mapping[str, str] = {
    "name": "What it is called in every report and alert.",
    "limit_usd": "What may be spent in a period; a budget has this or `limit_tokens`.",
    "limit_tokens": "How many tokens may be used: input, intermediate and output.",
    "period": "How long it counts before it begins again; `run` is about one `gembill run`.",
    "timezone": "The calendar of its days and months.",
    "models": "Only these models; `*` stands for anything.",
    "labels": "Only calls with all these labels.",
    "keys": "Only these API keys, by name or fingerprint.",
    "code_execution": "Only calls in which code ran.",
    "warn_at": "Shares of the limit at which it warns.",
    "forecast_at": "It warns when the forecast for the period reaches this share.",
    "on_unpriced": "What calls without a price make of it.",
}

VARIABLES: Mapping[str, str] = {
    "GEMBILL_TZ": "The calendar of dates and months, as `--tz`.",
    "GEMBILL_RUN": "The run that budgets with the period `run` are about.",
    "GEMBILL_DASHBOARD_TOKEN": "The token that the dashboard asks for; needed on other addresses than loopback.",
    "NO_COLOR": "Set to anything: no colours.",
    "COLUMNS": "The width of tables.",
    "PYTHONTZPATH": "Time zones of the machine in place of the package tzdata.",
}
"""Variables that are not settings of a file."""


def settings_markdown() -> str:
    """The tables of docs/settings.md."""
    known = {field.name: field for field in fields(Settings)}
    return "\n".join(_pieces(known))


def _pieces(known: Mapping[str, Field[Any]]) -> Iterator[str]:
    for title, meanings in SECTIONS.items():
        yield f"## {title}\n"
        rows = [
            (f"`{name}`", _variable(name), _default(known[name]), allowed(name), meanings[name]) for name in meanings
        ]
        yield _table(("setting", "variable", "default", "allowed", "meaning"), rows)
    yield "## Budgets\n\nKeys of a `[[budget]]` ([ci.md](ci.md)).\n"
    yield _table(("key", "allowed", "meaning"), [(f"`{key}`", BUDGET_KEYS[key], BUDGETS[key]) for key in BUDGETS])
    yield "## Variables that are not settings\n"
    yield _table(("variable", "meaning"), [(f"`{name}`", meaning) for name, meaning in VARIABLES.items()])


def _row(field: Field[Any], meaning: str) -> tuple[str, ...]:
    return f"`{field.name}`", _variable(field.name), _default(field), allowed(field.name), meaning


def _variable(name: str) -> str:
    return "" if name in FILE_ONLY else f"`GEMBILL_{name.upper()}`"


def _default(field: Field[Any]) -> str:
    """A default that is the same on every machine; words for one that is not."""
    special = {"data_dir": "the user's data folder", "database_url": "a SQLite file in the data folder"}
    special |= {"fingerprint_secret": "a 0600 file in the data folder"}
    if field.name in special:
        return special[field.name]
    value = field.default_factory() if field.default_factory is not MISSING else field.default
    if value in (None, (), {}):
        return ""
    return f"{value:,}" if isinstance(value, int) and value >= 10_000 else f"`{value}`"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
