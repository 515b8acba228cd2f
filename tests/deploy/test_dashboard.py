"""The Grafana dashboard: it shows metrics that there are, and its panels lie beside each other."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from gembill.budget_gauges import BudgetGauge
from gembill.usage_counters import UsageCounters
from tests.deploy.test_alerts import RULES
from tests.gembill.test_health import WELL, scraped
from tests.gembill.test_usage_counters import rated

DEPLOY = Path(__file__).parents[2] / "deploy"
BOARD = json.loads((DEPLOY / "grafana" / "gembill.json").read_text())
EXPRESSIONS = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
METRIC = re.compile(r"\bgembill_\w+")


def exported() -> set[str]:
    """The names of all that a proxy can export."""
    counters = UsageCounters()
    record, rating = rated(seen={"outline": ()})
    counters.add_call(record, rating)
    families = ("code_executions_total", "failed_execution_cost_usd_total", "unpriced_requests_total")
    counts = counters.counts | {family: {'model="m"': 1} for family in families}
    budget = BudgetGauge(name="b", limit_usd=1.0, spent_usd=0.5, forecast_usd=0.9, used_ratio=0.5)
    known = {"lag_seconds": 0.1, "last_error_us": 1, "prices_age_seconds": 1.0, "wal_bytes": 1, "gaps": 1}
    report = replace(WELL, **known, usage=counts, budgets=(budget,))
    return {name.partition("{")[0] for name in scraped(report.metrics())}


@pytest.mark.parametrize("text", [*EXPRESSIONS, RULES.read_text()])
def test_what_is_asked_for_is_exported(text):
    assert METRIC.findall(text)
    assert set(METRIC.findall(text)) <= exported()


def test_panels_lie_beside_each_other_and_use_the_chosen_source():
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert {panel["datasource"]["uid"] for panel in BOARD["panels"]} == {"${datasource}"}
    assert [each["name"] for each in BOARD["templating"]["list"]] == ["datasource", "instance"]
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(places)


def test_the_provider_is_of_the_form_that_grafana_reads():
    provider = yaml.safe_load((DEPLOY / "grafana" / "provider.yml").read_text())
    assert provider["apiVersion"] == 1
    assert [each["type"] for each in provider["providers"]] == ["file"]


def test_prometheus_reads_every_question_of_the_dashboard(tmp_path):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: the questions of the dashboard were not parsed")
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$instance", ".*")}
        for number, expression in enumerate(EXPRESSIONS)
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
