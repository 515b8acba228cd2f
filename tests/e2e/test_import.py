"""Traffic that never met the proxy, by `gembill import` alone: counted as if it had, and counted once."""

import base64
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import corpus
from tests.e2e.player import Player, Reply

AT = "2026-11-10T12:00:00Z"
PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
CALLS = ("generateContent", "streamGenerateContent", "interactions", "interactions-stream")
NO_CALLS = ("countTokens", "live")
KEY = "AIzaSyThis-is-a-canary-that-must-not-be-kept"


class Gembill:
    """The command with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {"PATH": "", "HOME": str(home), "GEMBILL_DATABASE_URL": f"sqlite:///{home / 'ledger.db'}"}

    def run(self, *arguments: str, code: int = 0, **more: object) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "gembill", *arguments],
            env=self.environment, cwd=self.home, capture_output=True, text=True, timeout=100, check=False, **more,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def imported(self, *arguments: str, code: int = 0) -> str:
        """The last line of what an import says."""
        return self.run("import", *arguments, code=code).stderr.splitlines()[-1].removeprefix("gembill: ")

    def records(self) -> list[dict]:
        return json.loads(self.run("records", "--format", "json").stdout)["records"]

    def write(self, name: str, *lines: object) -> str:
        (self.home / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
        return name


@pytest.fixture
def gembill(tmp_path: Path) -> Gembill:
    return Gembill(tmp_path)


@corpus.needed
def test_every_recorded_call_gives_the_numbers_of_its_row_and_gives_them_once(gembill):
    chosen, rows = corpus.cases(*CALLS), corpus.rows()
    file = gembill.write("traffic.jsonl", *(corpus.line(name, case, AT) for name, case in chosen.items()))
    assert len(chosen) > 130
    assert gembill.imported(file) == f"imported {len(chosen)} calls ({len(chosen)} new, 0 known)"
    records = {record["labels"]["case"]: record for record in gembill.records()}
    assert sorted(records) == sorted(chosen)
    for name, record in records.items():
        assert corpus.shown(record) == corpus.counts(rows[name]), name
        assert record["status"] == corpus.STATES.get(name[:3], "complete"), name
    assert gembill.imported(file) == f"imported {len(chosen)} calls (0 new, {len(chosen)} known)"
    assert {record["labels"]["case"]: record for record in gembill.records()} == records
    gembill.run("audit")


@corpus.needed
def test_an_export_of_every_recorded_call_is_the_same_elsewhere(gembill, tmp_path):
    file = gembill.write("t.jsonl", *(corpus.line(name, case, AT) for name, case in corpus.cases(*CALLS).items()))
    gembill.imported(file)
    text = gembill.run("export", "--format", "jsonl").stdout
    (tmp_path / "elsewhere").mkdir()
    other = Gembill(tmp_path / "elsewhere")
    (other.home / "export.jsonl").write_text(text)
    new = len(text.splitlines())
    assert other.imported("export.jsonl") == f"imported {new} calls ({new} new, 0 known)"
    assert other.run("export", "--format", "jsonl").stdout == text
    assert other.imported("export.jsonl") == f"imported {new} calls (0 new, {new} known)"
    other.run("audit")


@corpus.needed
def test_every_recorded_refusal_is_an_error_without_cost(gembill):
    chosen = corpus.cases("error")
    gembill.imported(gembill.write("e.jsonl", *(corpus.line(name, case, AT) for name, case in chosen.items())))
    records = {record["labels"]["case"]: record for record in gembill.records()}
    assert sorted(records) == sorted(chosen)
    for name, record in records.items():
        assert (record["status"], record["cost_usd"], record["http_status"]) == (
            "error",
            "0.000000000000",
            chosen[name]["status"],
        )
        assert record["tokens"]["input"] is None
    assert records["291-error-rubyllm-chat-real-error-scenarios-gemini-gemini-2-5"]["error"]["class"] == "rate"


@corpus.needed
def test_results_of_a_batch_are_a_record_for_each_entry_at_the_batch_tier(gembill):
    chosen, rows = corpus.cases("batch"), corpus.rows()
    lines = [corpus.line(name, case, AT) for name, case in chosen.items()]
    later = [line | {"occurred_at": "2026-11-10T13:00:00Z"} for line in lines]
    gembill.imported(gembill.write("b.jsonl", *lines, *later))
    records = [record for record in gembill.records() if record["operation"] == "batch"]
    counted = sorted(row[0] for row in rows.values() if row[1] == "batch" and row[4])
    assert counted == ["307-batch-rubyllm-batch-gemini-2-5-flash-answers-staged-chats-26"]
    assert len(records) == 2  # its metadata counts 2 requests; read twice they are still two
    assert {record["service_tier"] for record in records} == {"batch"}
    assert corpus.counts(rows[counted[0]]) in [corpus.shown(record) for record in records]


@corpus.needed
def test_the_files_of_the_corpus_can_be_imported_as_they_are(gembill):
    """In one piece each, with the time of their recording, else the one that is given."""
    files = sorted(str(path) for path in corpus.FOLDER.glob("*.json"))
    done = gembill.run("import", "--occurred-at", AT, *files, code=1)
    *refused, summary = done.stderr.splitlines()
    (pathless,) = (name for name, case in corpus.cases("error").items() if case["path"] is None)
    assert refused == [f"gembill: {corpus.FOLDER / pathless}.json: it has no path, so nothing says which call it is"]
    assert "1 line refused" in summary
    times = {record["occurred_at"] for record in gembill.records()}
    assert "2026-11-10T12:00:00.000000Z" in times
    assert "2026-07-07T13:34:24.268000Z" in times  # case 123, an ISO instant
    assert "2026-08-19T14:35:20.000000Z" in times  # case 051, a date as headers have it
    before = gembill.records()
    assert "(0 new," in gembill.imported("--occurred-at", AT, *files, code=1)
    assert gembill.records() == before


@corpus.needed
def test_what_is_not_a_call_is_counted_and_reported(gembill):
    chosen = [str(corpus.FOLDER / f"{name}.json") for name in corpus.cases(*NO_CALLS)]
    assert gembill.imported("--occurred-at", AT, *chosen) == (
        f"imported 0 calls (0 new, 0 known), skipped {len(chosen)} that are not calls"
    )


def usage(prompt: int) -> dict:
    return {
        "usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt},
        "modelVersion": "gemini-2.5-flash",
    }


def har(*entries: dict) -> dict:
    return {"log": {"version": "1.2", "creator": {"name": "a browser"}, "entries": list(entries)}}


def entry(
    content: dict, url: str = f"https://generativelanguage.googleapis.com{PATH}?key={KEY}", **response: object
) -> dict:
    request = {"method": "POST", "url": url, "headers": [{"name": "x-goog-api-key", "value": KEY}],
               "postData": {"text": json.dumps({"contents": [{"parts": [{"text": KEY}]}]})}}  # fmt: skip
    headers = [{"name": "content-encoding", "value": "br"}]
    answer = {"status": 200, "headers": headers, "content": content} | response
    return {"startedDateTime": "2026-11-10T12:00:00.123Z", "time": 25, "request": request, "response": answer}


def test_a_har_file_gives_its_calls_with_a_fingerprint_and_no_key_anywhere(gembill):
    stream = "".join(f"data: {json.dumps(usage(n))}\r\n\r\n" for n in (1, 2, 3))
    encoded = base64.b64encode(json.dumps(usage(4) | {"responseId": KEY}).encode()).decode()
    streamed = f"https://example.org/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse&key={KEY}"
    whole = har(
        entry({"text": stream, "mimeType": "text/event-stream"}, streamed),
        entry({"text": encoded, "encoding": "base64"}),
        entry({"text": "<html>"}, "https://example.org/index.html"),
        entry({}, status=0),
    )
    (gembill.home / "t.har").write_text(json.dumps(whole, indent=2))
    done = gembill.run("import", "t.har")
    assert done.stderr == "gembill: imported 3 calls (3 new, 0 known), skipped 1 that is not a call\n"
    records = gembill.records()
    assert sorted((r["tokens"]["input"] or 0, r["streamed"], r["status"]) for r in records) == [
        (0, False, "unknown"), (3, True, "complete"), (4, False, "complete"),
    ]  # fmt: skip
    (key,) = {record["key"] for record in records}
    assert key.startswith("k_")
    assert {record["occurred_at"] for record in records} == {"2026-11-10T12:00:00.123000Z"}
    kept = [path for path in gembill.home.rglob("*") if path.is_file() and path.name != "t.har"]
    assert kept
    assert not [path for path in kept if KEY.encode() in path.read_bytes()]


def test_a_har_file_and_a_line_that_tell_one_call_meet_the_same_row(gembill):
    call = entry({"text": json.dumps(usage(4))})
    (gembill.home / "t.har").write_text(json.dumps(har(call)))
    request = json.loads(call["request"]["postData"]["text"])
    line = {
        "occurred_at": "2026-11-10T12:00:00.123Z",
        "path": PATH,
        "status": 200,
        "request": request,
        "response": usage(4),
    }
    assert gembill.imported(gembill.write("t.jsonl", line)) == "imported 1 call (1 new, 0 known)"
    assert gembill.imported("t.har") == "imported 1 call (0 new, 1 known)"


def test_an_interaction_polled_fifty_times_is_one_call_and_a_fuller_answer_completes_it(gembill):
    counts = {"total_input_tokens": 30, "total_output_tokens": 20, "total_tokens": 50}
    made = {"id": "v1_x", "object": "interaction", "model": "gemini-2.5-flash", "status": "in_progress"}
    done = made | {"status": "completed", "usage": counts}
    create = {"occurred_at": AT, "path": "/v1beta/interactions", "status": 200, "response": made, "labels": {"team": "a"},
              "request": {"model": "gemini-2.5-flash", "input": "hi", "background": True}}  # fmt: skip
    polls = [
        {"occurred_at": f"2026-11-10T12:00:{n:02d}Z", "method": "GET", "path": "/v1beta/interactions/v1_x",
         "status": 200, "response": made if n < 25 else done}
        for n in range(50)
    ]  # fmt: skip
    file = gembill.write("t.jsonl", create, *polls)
    assert gembill.imported(file).startswith("imported 26 calls (1 new, 25 known), skipped 25")
    (record,) = gembill.records()
    assert (record["status"], record["tokens"]["input"], record["tokens"]["output"]) == ("complete", 30, 20)
    assert (record["labels"], record["occurred_at"]) == ({"team": "a"}, "2026-11-10T12:00:00.000000Z")
    gembill.imported(file)
    assert gembill.records() == [record]


def interaction(name: str, before: str | None = None) -> tuple[dict, dict]:
    """Request and answer of a turn."""
    counts = {"total_input_tokens": 30, "total_output_tokens": 20, "total_tokens": 50}
    request = {"model": "gemini-2.5-flash", "input": "hi"} | ({"previous_interaction_id": before} if before else {})
    return request, {"id": name, "model": "gemini-2.5-flash", "status": "completed", "usage": counts}


def test_turns_of_a_chain_are_one_conversation(gembill):
    turns = [interaction("v1_a"), interaction("v1_b", "v1_a"), interaction("v1_c", "v1_b")]
    lines = [
        {"occurred_at": f"2026-11-10T12:00:0{n}Z", "path": "/v1beta/interactions", "status": 200, "request": request,
         "response": answer}
        for n, (request, answer) in enumerate(turns)
    ]  # fmt: skip
    gembill.imported(gembill.write("a.jsonl", *lines[:1]))
    gembill.imported(gembill.write("b.jsonl", *lines[1:]))
    assert {record["conversation_id"] for record in gembill.records()} == {"v1_a"}


def test_an_interaction_that_passed_the_proxy_is_known_to_an_import(recording, gembill):
    request, answer = interaction("v1_p")
    with Player([Reply([json.dumps(answer).encode()])]).serving() as player, (proxy := recording(player.url)).running():
        assert proxy.post("/v1beta/interactions", request, {"x-gembill-label-team": "a"})[0] == 200
    gembill.environment["GEMBILL_DATABASE_URL"] = proxy.settings.ledger_url
    before = gembill.records()
    line = {"occurred_at": AT, "path": "/v1beta/interactions", "status": 200, "request": request, "response": answer}
    assert gembill.imported(gembill.write("t.jsonl", line)) == "imported 1 call (0 new, 1 known)"
    assert (len(before), gembill.records()) == (1, before)


def test_bad_lines_of_every_kind_are_named_and_the_rest_goes_on(gembill):
    good = json.dumps({"occurred_at": AT, "path": PATH, "status": 200, "response": usage(7)}).encode()
    hostile = [
        b"\xff\xfe", b"\0\0\0", b"[" * 100_000, b'{"a":' * 100_000, good[:-1], b"null", b'{"path": "\\ud800", "status": 200}',
        good.replace(b"200", b"1e400"), good.replace(AT.encode(), b"9999-99-99"), b"{}",
    ]  # fmt: skip
    (gembill.home / "t.jsonl").write_bytes(b"\n".join((*hostile, good, b"")))
    done = gembill.run("import", "t.jsonl", code=1)
    *refused, summary = done.stderr.splitlines()
    assert [text.split(":")[1].strip() for text in refused] == [
        f"t.jsonl, line {n}" for n in range(1, len(hostile) + 1)
    ]
    assert all(len(text) < 200 for text in refused)
    assert summary == f"gembill: imported 1 call (1 new, 0 known), {len(hostile)} lines refused"


def test_a_line_of_a_hundred_megabytes_is_refused_within_bounded_memory(gembill):
    good = {"occurred_at": AT, "path": PATH, "status": 200, "response": usage(7)}
    with (gembill.home / "t.jsonl").open("w") as file:
        file.write('{"path": "')
        for _ in range(100):
            file.write("x" * 1_000_000)
        file.write(f'"}}\n{json.dumps(good)}\n')
    limit = 400 << 20  # of address space beyond what the program itself maps
    done = gembill.run("import", "t.jsonl", code=1, preexec_fn=lambda: _limit(limit))
    assert "t.jsonl, line 1: it has more than 64 MiB" in done.stderr
    assert "imported 1 call (1 new" in done.stderr


def _limit(more: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (more, more))


@corpus.needed
def test_a_cached_content_that_was_made_is_a_record_of_what_it_keeps(gembill):
    chosen = [str(corpus.FOLDER / f"{name}.json") for name in corpus.cases("cachedContents")]
    assert gembill.imported("--occurred-at", AT, *chosen) == "imported 2 calls (2 new, 0 known)"
    assert {(r["operation"], r["status"], r["tokens"]["input"]) for r in gembill.records()} == {
        ("cache_storage", "complete", None)
    }
