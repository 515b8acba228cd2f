"""Every alert rule fires on its ill proxy and on no well one: worked out here, and by promtool where it is installed."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "gembill.rules.yml"
ALERTS = {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
MINUTES = 90
BREAKS_AT = 20  # the minute at which an ill proxy falls ill
WELL = {
    "up": 1,
    "gembill_recording": 1,
    "gembill_ready": 1,
    "gembill_ledger_available": 1,
    "gembill_oldest_unposted_age_seconds": 0.2,
    "gembill_dead_letters": 0,
    "gembill_ledger_gaps": 0,
    "gembill_stuck_spools": 0,
    "gembill_spool_damage": 0,
    "gembill_spool_missing_records": 0,
    "gembill_spool_free_bytes": 1 << 40,
    "gembill_posting_restarts_total": 1,
    "gembill_unknown_records_total": 5,
    "gembill_unmetered_records_total": 5,
    "gembill_clock_jumps_total": 0,
    "gembill_ledger_wal_bytes": 4_200_000,
    'gembill_budget_used_ratio{budget="team"}': 0.9,
    'gembill_record_errors_total{kind="refused"}': 5,
    'gembill_record_errors_total{kind="unrecorded"}': 5,
    'gembill_record_errors_total{kind="late"}': 5,
}
ILL = {
    "GembillDown": ("up", 0),
    "GembillNotRecording": ("gembill_recording", 0),
    "GembillUnrecordedCalls": ('gembill_record_errors_total{kind="unrecorded"}', 6),
    "GembillRecordsMissing": ("gembill_spool_missing_records", 1),
    "GembillNotReady": ("gembill_ready", 0),
    "GembillPostingLags": ("gembill_oldest_unposted_age_seconds", 301),
    "GembillLedgerAway": ("gembill_ledger_available", 0),
    "GembillStuckSpool": ("gembill_stuck_spools", 1),
    "GembillDeadLetters": ("gembill_dead_letters", 1),
    "GembillLedgerGaps": ("gembill_ledger_gaps", 1),
    "GembillSpoolDamage": ("gembill_spool_damage", 1),
    "GembillCallsRefused": ('gembill_record_errors_total{kind="refused"}', 6),
    "GembillLateRecords": ('gembill_record_errors_total{kind="late"}', 6),
    "GembillDiskAlmostFull": ("gembill_spool_free_bytes", 1_000_000_000),
    "GembillPostingRestarts": ("gembill_posting_restarts_total", 5),
    "GembillUnknownUsage": ("gembill_unknown_records_total", 6),
    "GembillUnmeteredCalls": ("gembill_unmetered_records_total", 6),
    "GembillUnpricedCalls": ('gembill_unpriced_requests_total{model="m"}', 1),
    "GembillLedgerWalGrows": ("gembill_ledger_wal_bytes", 300_000_000),
    "GembillBudgetUsedUp": ('gembill_budget_used_ratio{budget="team"}', 1.01),
    "GembillClockSet": ("gembill_clock_jumps_total", 1),
}
"""By alert, the one series that is ill from `BREAKS_AT` on, and its value."""

_EXPRESSION = re.compile(
    r"(?P<increase>increase\()?(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})?(?:\[(?P<range>\d+[mh])\]\))? "
    r"(?P<compare>==|<|>) (?P<limit>[\d.]+)"
)
Series = dict[str, list[float | None]]


def series(alert: str | None) -> Series:
    """A value a minute for each series, of a well proxy or of one that this alert is for."""
    values: Series = {name: [value] * MINUTES for name, value in WELL.items()}
    if alert:
        name, value = ILL[alert]
        before = values.get(name, [None] * MINUTES)
        values[name] = before[:BREAKS_AT] + [value] * (MINUTES - BREAKS_AT)
    return values


@dataclass
class Rule:
    """A rule of the few forms that ours have."""

    name: str

    def __post_init__(self) -> None:
        rule = ALERTS[self.name]
        self.waits = minutes(rule.get("for", "0m"))
        self.match = _EXPRESSION.fullmatch(rule["expr"])
        assert self.match, rule["expr"]

    def fires(self, values: Series, at: int) -> bool:
        return all(self._holds(values, minute) for minute in range(at - self.waits, at + 1))

    def _holds(self, values: Series, at: int) -> bool:
        limit = float(self.match["limit"])
        compare = {"==": float.__eq__, "<": float.__lt__, ">": float.__gt__}[self.match["compare"]]
        chosen = [own for name, own in values.items() if self._chooses(name) and own[at] is not None]
        return any(compare(float(self._value(own, at)), limit) for own in chosen)

    def _value(self, own: list[float | None], at: int) -> float:
        if not self.match["increase"]:
            return own[at]
        window = [value for value in own[max(0, at - minutes(self.match["range"])) : at + 1] if value is not None]
        return window[-1] - window[0]

    def _chooses(self, name: str) -> bool:
        family, _, labels = name.rstrip("}").partition("{")
        wanted = set(filter(None, (self.match["labels"] or "").split(",")))
        return family == self.match["name"] and wanted <= {*labels.split(","), 'job="gembill"'}


def minutes(text: str) -> int:
    return int(text[:-1]) * {"m": 1, "h": 60}[text[-1]]


def test_every_rule_has_its_ill_proxy():
    assert set(ILL) == set(ALERTS)


@pytest.mark.parametrize("alert", ILL)
def test_a_rule_fires_on_its_ill_proxy_not_before_and_never_on_a_well_one(alert):
    rule = Rule(alert)
    assert not rule.fires(series(alert), BREAKS_AT - 1)
    assert rule.fires(series(alert), BREAKS_AT + rule.waits)
    if rule.waits:
        assert not rule.fires(series(alert), BREAKS_AT + rule.waits - 1)
    assert not any(rule.fires(series(None), minute) for minute in range(rule.waits, MINUTES))


@pytest.mark.parametrize("alert", ALERTS)
def test_a_rule_says_what_it_is_and_what_to_do(alert):
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert "$labels.instance" in rule["annotations"]["summary"]
    assert all(text.endswith(".") for text in rule["annotations"].values())


def test_promtool_says_the_same(tmp_path):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: the rules were worked out by the small evaluator alone")
    cases = [case(alert) for alert in [None, *ILL]]
    (tmp_path / "rules.yml").write_text(RULES.read_text())
    plan = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": cases}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(plan))
    done = subprocess.run(
        [promtool, "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def case(alert: str | None) -> dict:
    """A test of promtool: this alert fires once it should, or none of them does."""
    ill = [alert] if alert else list(ALERTS)
    at = BREAKS_AT + Rule(alert).waits if alert else 80
    return {
        "interval": "1m",
        "input_series": [
            {"series": identified(name), "values": " ".join("_" if value is None else str(value) for value in own)}
            for name, own in series(alert).items()
        ],
        "alert_rule_test": [
            {"eval_time": f"{at}m", "alertname": each, "exp_alerts": [expected(each)] if alert else []} for each in ill
        ],
    }


def identified(name: str) -> str:
    family, _, labels = name.rstrip("}").partition("{")
    return f"{family}{{{','.join(filter(None, [labels, INSTANCE, JOB]))}}}"


INSTANCE, JOB = 'instance="p:1"', 'job="gembill"'


def expected(alert: str) -> dict:
    rule = ALERTS[alert]
    labels = dict(re.findall(r'(\w+)="([^"]*)"', identified(ILL[alert][0])))
    texts = {
        name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], text)
        for name, text in rule["annotations"].items()
    }
    return {"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": texts}
