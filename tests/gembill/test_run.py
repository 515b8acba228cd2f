"""One run: its labels, its environment and what it cost."""

import dataclasses
import threading

import pytest

from gembill.config import Settings
from gembill.errors import ConfigurationError, GembillError, LedgerError
from gembill.ledger import read_totals
from gembill.rules.budgets import BudgetState
from gembill.run import Run, environment, limit, new_id, replaced_addresses, unread
from tests.e2e.player import Player, Reply
from tests.recording import Recording

ANSWER = b'{"modelVersion": "gemini-2.5-flash", "usageMetadata": {"promptTokenCount": 1000, "totalTokenCount": 1000}}'
PRICE = 300_000  # pico-dollars a token: 0.30 dollars per million


def test_ids_sort_by_the_time_they_were_made():
    ids = [new_id() for _ in range(50)]
    assert sorted(ids, key=lambda one: one[:23]) == ids
    assert len(set(ids)) == 50


def test_a_program_is_given_where_to_call_past_any_proxy():
    variables = environment("http://127.0.0.1:5", "r", {"no_proxy": "a.example", "PATH": "/bin"})
    assert variables["GOOGLE_GEMINI_BASE_URL"] == variables["GOOGLE_VERTEX_BASE_URL"] == "http://127.0.0.1:5"
    assert (variables["no_proxy"], variables["NO_PROXY"]) == ("a.example,127.0.0.1", "127.0.0.1")
    assert (variables["GEMBILL_RUN"], variables["PATH"]) == ("r", "/bin")


def test_an_address_that_a_run_replaces_is_named_where_calls_go_elsewhere(tmp_path):
    settings = Settings(data_dir=tmp_path, upstream="http://127.0.0.1:8788", vertex_upstream="https://vertex.example")
    same = {"GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:8788/", "GOOGLE_VERTEX_BASE_URL": "https://VERTEX.example"}
    assert replaced_addresses(settings, same) == replaced_addresses(settings, {"GEMBILL_RUN": "r"}) == []
    (sentence,) = replaced_addresses(
        settings, {**same, "GOOGLE_GEMINI_BASE_URL": "https://me:secret@gateway.example/v1"}
    )
    assert sentence.startswith("GOOGLE_GEMINI_BASE_URL was https://me:")
    assert "@gateway.example/v1 and is replaced: calls of this run go to http://127.0.0.1:8788, unless" in sentence
    assert "secret" not in sentence
    (sentence,) = replaced_addresses(settings, {"GOOGLE_VERTEX_BASE_URL": "http://127.0.0.1:9", "GEMBILL_RUN": "r"})
    assert sentence.startswith(
        "GOOGLE_VERTEX_BASE_URL was http://127.0.0.1:9 and is replaced: calls of this run go to https"
    )
    assert sentence.endswith("a run around this one, which sees none of these calls.")


def test_batches_whose_results_were_not_read_are_one_sentence(tmp_path):
    assert unread(()) == []
    (one,) = unread(("batches/a",))
    assert one.startswith(
        "A batch was made whose results were not read here (batches/a): what that costs is in no sum,"
    )
    (many,) = unread([f"batches/{n}" for n in range(1200)])
    assert many.startswith(
        "1,200 batches were made whose results were not read here (batches/0, batches/1, batches/2, ...)"
    )
    with Player(answer=lambda _: Reply([b'{"name": "batches/a"}'])).serving() as player:
        run = Run(Settings(data_dir=tmp_path, upstream=player.url), {})
        proxy = Recording(Settings(data_dir=tmp_path))
        with run.recording() as proxy.url:
            proxy.post("/v1beta/models/gemini-2.5-flash:batchGenerateContent", {"batch": {}})
    assert run.unread_batches == ("batches/a",)


@pytest.mark.parametrize("labels", [{"run": "x"}, {"n" * 65: "x"}, {"n": "x" * 257}, {"n": "\0"}, {"": "x"}])
def test_labels_no_call_can_carry_are_refused(labels, tmp_path):
    with pytest.raises(ConfigurationError, match="label"):
        Run(Settings(data_dir=tmp_path), labels)


def test_every_call_has_the_runs_labels_and_is_counted_with_it(tmp_path):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        settings = Settings(data_dir=tmp_path, upstream=player.url)
        run, other = Run(settings, {"job": "nightly"}), Run(settings, {})
        proxy = Recording(settings)
        with run.recording() as proxy.url:
            proxy.post(headers={"x-gembill-label-job": "own", "x-gembill-label-team": "search"})
            run.label({"test": "a"})
            proxy.post()
            run.settle()
            ledger = run.ledger()
            (total,) = read_totals(ledger, run.selection())
            (tested,) = read_totals(ledger, run.selection({"test": "a"}))
            (status,) = run.budget_statuses([limit(2 * 1000 * PRICE)], ledger)
            (nothing,) = other.budget_statuses([limit(0)], ledger)
            ledger.close()
    assert (total.calls, total.cost_pico, tested.calls) == (2, 2 * 1000 * PRICE, 1)
    assert (status.state, status.used) == (BudgetState.PASS, 2 * 1000 * PRICE)
    assert (nothing.state, nothing.calls) == (BudgetState.PASS, 0)
    given = [stored.record.labels for stored in proxy.records()]
    assert given == [
        {"job": "nightly", "run": run.id, "test": "a"},
        {"job": "nightly", "run": run.id, "team": "search"},
    ]


def test_a_run_is_not_started_without_a_ledger(tmp_path):
    settings = dataclasses.replace(Settings(data_dir=tmp_path), database_url="sqlite:////proc/none/ledger.db")
    with pytest.raises((GembillError, OSError)), Run(settings, {}).recording():
        pytest.fail("it was started")


def test_calls_that_are_under_way_are_not_forgotten(tmp_path):
    with Player(answer=lambda _: Reply([ANSWER], silent=True)).serving() as player:
        settings = Settings(data_dir=tmp_path, upstream=player.url, answer_seconds=1)
        run, proxy = Run(settings, {}), Recording(settings)
        with run.recording() as proxy.url:
            caller = threading.Thread(target=proxy.post)
            caller.start()
            while not player.requests:
                pass
            with pytest.raises(LedgerError, match="1 call is not in the ledger"):
                run.settle(0.05)
            caller.join()
