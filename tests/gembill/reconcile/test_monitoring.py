"""Numbers of calls from Cloud Monitoring: what is read, and what is no number of calls."""

import json
from pathlib import Path

import pytest

from gembill.errors import ConfigurationError
from gembill.reconcile.monitoring import Counted, read_calls
from gembill.reconcile.numerals import day

SERVICE = "generativelanguage.googleapis.com"
METHOD = "google.ai.generativelanguage.v1beta.GenerativeService."
METRIC = "serviceruntime.googleapis.com/api/request_count"


def series(method: str = "GenerateContent", code: str = "200", key: str = "apikey:1", **changes: object):
    points = [("2026-11-10T08:00:00Z", 3), ("2026-11-10T07:00:00Z", 2)]  # newest first, midnight in between
    return {
        "metric": {"type": METRIC, "labels": {"response_code": code}},
        "resource": {
            "type": "consumed_api",
            "labels": {"service": SERVICE, "method": METHOD + method, "credential_id": key},
        },
        "points": [
            {
                "interval": {
                    "startTime": at.replace(":00:00Z", ":00:00.5Z"),
                    "endTime": at.replace(":00:00Z", ":59:00Z"),
                },
                "value": {"int64Value": str(number)},
            }
            for at, number in points
        ],
        **changes,
    }


def read(tmp_path: Path, text: str) -> dict[Counted, int]:
    path = tmp_path / "calls"
    path.write_text(text, encoding="utf-8")
    return dict(read_calls(path))


def test_pages_are_added_up_by_pacific_day_credential_operation_and_success(tmp_path: Path) -> None:
    pages = [
        {"timeSeries": [series(), series("StreamGenerateContent")], "nextPageToken": "x"},
        {"timeSeries": [series(code="429"), series("ListModels"), series("CreateInteraction", key="apikey:2")]},
    ]
    first, second = day("2026-11-09"), day("2026-11-10")
    wanted = {
        Counted(second, "apikey:1", "generate_content", ok=True): 6,
        Counted(first, "apikey:1", "generate_content", ok=True): 4,
        Counted(second, "apikey:1", "generate_content", ok=False): 3,
        Counted(first, "apikey:1", "generate_content", ok=False): 2,
        Counted(second, "apikey:2", "interactions", ok=True): 3,
        Counted(first, "apikey:2", "interactions", ok=True): 2,
    }
    for text in ("\n".join(json.dumps(page, indent=1) for page in pages), json.dumps(pages)):
        assert read(tmp_path, text) == wanted


def test_other_services_and_empty_answers_count_nothing(tmp_path: Path) -> None:
    drive = series()
    drive["resource"]["labels"]["service"] = "drive.googleapis.com"
    assert read(tmp_path, json.dumps({"timeSeries": [drive]})) == {}
    assert read(tmp_path, "{}") == {}


CSV = f"""TimeSeries ID,a,b
resource.labels.credential_id,apikey:1,apikey:2
resource.labels.method,{METHOD}GenerateContent,{METHOD}GenerateContent
metric.labels.response_code,200,200
Tue Nov 10 2026 00:00:00 GMT-0800 (Pacific Standard Time),5,undefined
Tue Nov 10 2026 01:00:00 GMT-0800 (Pacific Standard Time),7.0,1
"""


def test_a_csv_of_metrics_explorer_has_a_column_for_each_series(tmp_path: Path) -> None:
    assert read(tmp_path, CSV) == {
        Counted(day("2026-11-09"), "apikey:1", "generate_content", ok=True): 5,
        Counted(day("2026-11-10"), "apikey:1", "generate_content", ok=True): 7,
        Counted(day("2026-11-10"), "apikey:2", "generate_content", ok=True): 1,
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (json.dumps({"timeSeries": [series(metric={"type": "x/quota/y/usage"})]}), "does not count calls once"),
        (json.dumps({"timeSeries": [{"metric": {"type": METRIC}, "points": [{}]}]}), "without labels, times or values"),
        (json.dumps({"error": {}}), "not what Monitoring's timeSeries.list answers"),
        ('{"timeSeries": []} {', "not JSON from its character 20 on"),
        (CSV.replace(",5,", ",0.25,"), "has rates"),
        (CSV.replace("01:00:00", "06:00:00"), "more than an hour"),
        (CSV.replace("metric.labels.response_code", "metric.labels.limit_name"), "does not count calls once"),
        (CSV.replace("Tue Nov 10 2026 01", "soon 01"), "where a time should be"),
        ("a,b\n1,2\n", "begins with TimeSeries ID"),
        ("", "begins with TimeSeries ID"),
    ],
)
def test_what_counts_no_calls_is_refused_in_a_sentence(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_calls(tmp_path / "none")
