"""What the proxy's own three pages say, each from the value and from a running service."""

import json
import time
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gembill import __version__
from gembill.budget_gauges import BudgetGauge
from gembill.config import Settings
from gembill.health import HealthReport
from gembill.ledger import open_ledger
from gembill.posting_progress import PostingProgress
from gembill.posting_supervisor import PostingSupervisor
from gembill.service import ProxyService
from gembill.spool import Damage, Spool
from tests.e2e.player import Player, Reply
from tests.gembill.calls import answered
from tests.recording import Recording

ANSWER = b'{"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}'
WELL = HealthReport(
    trouble=None,
    unposted=0,
    oldest_age_seconds=None,
    limit_seconds=300.0,
    last_error=None,
    last_error_us=None,
    ledger_available=True,
    calls_under_way=0,
    refused_calls=0,
    unrecorded_calls=0,
    late_records=0,
    posted=7,
    unknown_records=0,
    unmetered_records=0,
    posting_restarts=0,
    dead_letters=0,
    stuck_spools=(),
    damage=(),
    free_bytes=1 << 40,
)


def scraped(text: bytes) -> dict[str, float]:
    """Samples by name and labels, read by Prometheus's own parser."""
    assert text.endswith(b"\n")
    families = list(text_string_to_metric_families(text.decode("ascii")))
    assert len({family.name for family in families}) == len(families), "a family comes once"
    assert all(family.documentation and family.type in ("counter", "gauge", "histogram") for family in families)
    samples: dict[str, float] = {}
    for family in families:
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total")
            labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
            name = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert name not in samples
            samples[name] = sample.value
    return samples


class Idle:
    """Posts nothing, and says what it is given to say."""

    def __init__(self) -> None:
        self.progress = PostingProgress()

    def begin(self, spool, adopted):
        pass

    def end(self, timeout):
        pass


class Watched(Recording):
    """A proxy whose posting is idle."""

    def __init__(self, folder, upstream: str, **settings: object) -> None:
        super().__init__(Settings(data_dir=folder, port=0, upstream=upstream, **settings))
        self.posting = Idle()

    def serving(self):
        return ProxyService(self.settings, self.posting).running()

    def ready(self) -> int:
        return self.get("/_gembill/ready")[0]

    def metrics(self) -> dict[str, float]:
        status, text = self.get("/_gembill/metrics")
        assert status == 200
        return scraped(text)


@pytest.mark.parametrize(
    ("change", "ready"),
    [
        ({}, True),
        ({"trouble": "the disk is full"}, False),
        ({"unposted": 1, "oldest_age_seconds": 299.9}, True),
        ({"unposted": 1, "oldest_age_seconds": 300.0}, False),
        ({"dead_letters": 3, "damage": ("a gap",), "ledger_available": False}, True),
    ],
)
def test_it_is_ready_while_calls_can_be_recorded_and_nothing_waits_too_long(change, ready):
    report = replace(WELL, **change)
    assert report.ready is ready
    assert report.page(b"/_gembill/ready").status == (200 if ready else 503)
    assert report.page(b"/_gembill/health").status == 200
    assert report.page(b"/_gembill/ready").body == report.page(b"/_gembill/health").body
    assert scraped(report.metrics())["gembill_ready"] == ready


def test_another_path_is_not_a_page_of_ours():
    assert WELL.page(b"/_gembill/other") is None


def test_an_error_has_its_time_in_utc_with_microseconds():
    report = replace(WELL, last_error="the ledger is away", last_error_us=1_700_000_000_000_005)
    health = json.loads(report.json())
    assert (health["last_error"], health["last_error_at"]) == ("the ledger is away", "2023-11-14T22:13:20.000005Z")
    assert scraped(report.metrics())["gembill_last_error_timestamp_seconds"] == 1_700_000_000.000005
    assert json.loads(WELL.json())["last_error_at"] is None


def test_metrics_have_every_number_under_its_name():
    report = replace(
        WELL,
        unposted=2,
        oldest_age_seconds=1.5,
        calls_under_way=3,
        refused_calls=4,
        unrecorded_calls=5,
        late_records=6,
        unknown_records=8,
        unmetered_records=9,
        posting_restarts=10,
        dead_letters=11,
        gaps=16,
        stuck_spools=({"spool": "s", "reason": "r", "since": "t"},),
        damage=("a", "b"),
        missing=12,
        lag_seconds=0.25,
        clock_jumps=13,
        prices_age_seconds=14.5,
        wal_bytes=15,
        budgets=(BudgetGauge(name="team", limit_usd=10.0, used_ratio=0.25),),
        ledger_available=False,
    )
    assert scraped(report.metrics()) == {
        "gembill_recording": 1,
        "gembill_ready": 1,
        "gembill_queue_depth": 2,
        "gembill_oldest_unposted_age_seconds": 1.5,
        "gembill_open_intents": 3,
        "gembill_ledger_available": 0,
        "gembill_dead_letters": 11,
        "gembill_ledger_gaps": 16,
        "gembill_stuck_spools": 1,
        "gembill_spool_damage": 2,
        "gembill_spool_missing_records": 12,
        "gembill_posting_lag_seconds": 0.25,
        "gembill_clock_jumps_total": 13,
        "gembill_price_table_age_seconds": 14.5,
        "gembill_ledger_wal_bytes": 15,
        'gembill_budget_limit_usd{budget="team"}': 10,
        'gembill_budget_used_ratio{budget="team"}': 0.25,
        "gembill_spool_free_bytes": 1 << 40,
        "gembill_posted_total": 7,
        "gembill_unknown_records_total": 8,
        "gembill_unmetered_records_total": 9,
        "gembill_posting_restarts_total": 10,
        'gembill_record_errors_total{kind="refused"}': 4,
        'gembill_record_errors_total{kind="unrecorded"}': 5,
        'gembill_record_errors_total{kind="late"}': 6,
        f'gembill_build_info{{version="{__version__}"}}': 1,
    }


def test_what_is_not_known_is_left_out_of_metrics_and_null_in_json():
    report = replace(WELL, dead_letters=None, free_bytes=None)
    assert not {
        "gembill_dead_letters",
        "gembill_ledger_gaps",
        "gembill_spool_free_bytes",
        "gembill_posting_lag_seconds",
    } & set(scraped(report.metrics()))
    shape = json.loads(report.json())
    assert (shape["dead_letters"], shape["ledger_gaps"]) == (None, None)
    assert json.loads(replace(WELL, gaps=3).json())["ledger_gaps"] == 3


def test_a_proxy_that_cannot_record_is_alive_and_not_ready(tmp_path):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        proxy = Watched(tmp_path, player.url, spool_min_free_bytes=2**60)
        with proxy.serving() as proxy.url:
            assert proxy.post()[0] == 503
            status, body = proxy.get("/_gembill/health")
            health, metrics = json.loads(body), proxy.metrics()
            assert (status, proxy.ready()) == (200, 503)
    assert (health["recording"], health["ready"]) == (False, False)
    assert "bytes free" in health["last_error"]
    assert health["last_error_at"].endswith("Z")
    assert (metrics["gembill_recording"], metrics['gembill_record_errors_total{kind="refused"}']) == (0, 1)


def test_a_record_that_waits_too_long_ends_readiness(tmp_path):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        proxy = Watched(tmp_path, player.url, ready_seconds=0)
        with proxy.serving() as proxy.url:
            assert proxy.ready() == 200
            assert proxy.post()[0] == 200
            assert proxy.ready() == 503
            assert proxy.metrics()["gembill_queue_depth"] == 1


def test_what_a_dead_process_left_counts_as_unposted(tmp_path):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        first, second = Watched(tmp_path, player.url), Watched(tmp_path, player.url)
        with first.serving() as first.url, second.serving() as second.url:
            assert first.post()[0] == second.post()[0] == 200
        with first.serving() as first.url:
            assert first.health()["unposted"]["records"] == 2


def test_an_error_of_posting_is_gone_when_it_is_over_and_damage_and_dead_letters_stay(tmp_path):
    with Player().serving() as player:
        proxy = Watched(tmp_path, player.url)
        with proxy.serving() as proxy.url:
            progress = proxy.posting.progress
            progress.fail("the ledger is away")
            progress.dead_letters = 2
            progress.damage = {Damage(1, 3, "a record is damaged", 3): None}
            ill = proxy.health()
            progress.recover()
            well, metrics = proxy.health(), proxy.metrics()
    assert (ill["last_error"], ill["ledger_available"]) == ("the ledger is away", False)
    assert (well["last_error"], well["last_error_at"], well["ledger_available"]) == (None, None, True)
    assert well["spool_damage"] == {"count": 1, "missing_records": 3, "last": ["a record is damaged"]}
    assert (well["dead_letters"], metrics["gembill_dead_letters"], metrics["gembill_spool_damage"]) == (2, 2, 1)


def test_a_folder_of_spools_that_cannot_be_read_is_said_and_the_page_is_there(tmp_path, monkeypatch):
    def closed(_root):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    with Player().serving() as player:
        proxy = Watched(tmp_path, player.url)
        with proxy.serving() as proxy.url:
            monkeypatch.setattr(Spool, "left_alone", closed)
            status, body = proxy.get("/_gembill/health")
            metrics = proxy.metrics()
    (stuck,) = json.loads(body)["stuck_spools"]
    assert (status, metrics["gembill_stuck_spools"]) == (200, 1)
    assert "cannot be read: Permission denied" in stuck["reason"]


def test_a_dead_letter_of_an_earlier_start_is_on_the_pages(recording, tmp_path):
    spool = Spool.claim(tmp_path / "spool")
    spool.append_wait("0199a0b0-0000-7000-8000-00000000dead", b"no event at all")
    spool.close(5)
    with Player().serving() as player:
        for _ in range(2):
            proxy = recording(player.url)
            with ProxyService(proxy.settings, PostingSupervisor(proxy.settings)).running() as proxy.url:
                until = time.monotonic() + 60
                while proxy.health()["dead_letters"] != 1:
                    assert time.monotonic() < until
                    time.sleep(0.01)
                assert scraped(proxy.get("/_gembill/metrics")[1])["gembill_dead_letters"] == 1


def test_damage_of_a_spool_on_the_disk_is_on_the_pages(recording, tmp_path):
    spool = Spool.claim(tmp_path / "spool")
    for number in range(1, 4):
        spool.append_wait(*answered(number))
    spool.close(5)
    (segment,) = (tmp_path / "spool").glob("*/*.seg")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    with Player().serving() as player:
        proxy = recording(player.url)
        with ProxyService(proxy.settings, PostingSupervisor(proxy.settings)).running() as proxy.url:
            until = time.monotonic() + 60
            while (health := proxy.health())["spool_damage"]["missing_records"] != 1:
                assert time.monotonic() < until, health
                time.sleep(0.01)
            metrics = scraped(proxy.get("/_gembill/metrics")[1])
    assert health["spool_damage"]["count"] == metrics["gembill_spool_damage"] > 0
    assert metrics["gembill_spool_missing_records"] == 1


def test_gaps_in_the_ledger_are_in_the_metrics_after_a_restart(recording):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        proxy = recording(player.url)
        for gaps in (0, 1):
            with ProxyService(proxy.settings, PostingSupervisor(proxy.settings)).running() as proxy.url:
                assert [proxy.post()[0] for _ in range(2)] == [200, 200]
                until = time.monotonic() + 60
                while scraped(proxy.get("/_gembill/metrics")[1]).get("gembill_ledger_gaps") != gaps:
                    assert time.monotonic() < until
                    time.sleep(0.01)
            ledger = open_ledger(proxy.settings.ledger_url)
            with ledger.engine.begin() as connection:
                connection.exec_driver_sql("DELETE FROM event WHERE seq = 1")
            ledger.close()


def test_the_wal_of_the_ledger_is_on_the_pages(recording):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        proxy = recording(player.url)
        with ProxyService(proxy.settings, PostingSupervisor(proxy.settings)).running() as proxy.url:
            assert proxy.post()[0] == 200
            until = time.monotonic() + 60
            while not proxy.health()["ledger_wal_bytes"]:
                assert time.monotonic() < until
                time.sleep(0.05)


def test_a_clock_that_was_set_is_on_the_pages(tmp_path):
    with Player().serving() as player:
        proxy = Watched(tmp_path, player.url)
        service = ProxyService(proxy.settings, proxy.posting)
        with service.running() as proxy.url:
            service._clock._offset -= 3_600 * 10**9
            service._clock.look()
            health, metrics = proxy.health(), proxy.metrics()
    assert health["clock_jumps"]["count"] == metrics["gembill_clock_jumps_total"] == 1
    assert "forward by 3600 s" in health["clock_jumps"]["last"]


def test_metrics_count_what_was_posted_by_model(recording):
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player, (proxy := recording(player.url)).running():
        for _ in range(3):
            assert proxy.post()[0] == 200
        until = time.monotonic() + 60
        while (metrics := scraped(proxy.get("/_gembill/metrics")[1])).get("gembill_posted_total") != 3:
            assert time.monotonic() < until
            time.sleep(0.01)
    assert metrics['gembill_requests_total{model="gemini-2.5-flash",api="gemini",status="complete"}'] == 3
    assert metrics['gembill_tokens_total{model="gemini-2.5-flash",kind="prompt"}'] == 9
    assert metrics['gembill_request_duration_seconds_count{model="gemini-2.5-flash",stream="false"}'] == 3
    assert metrics["gembill_posting_lag_seconds"] >= 0
    assert metrics["gembill_price_table_age_seconds"] > 0


def test_budgets_of_the_file_are_metrics_without_any_channel_for_alerts(recording, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gembill.toml").write_text('[[budget]]\nname = "team"\nlimit_usd = "2"\nperiod = "day"\n')
    with Player(answer=lambda _: Reply([ANSWER])).serving() as player:
        proxy = recording(player.url, budget_seconds=1)
        with ProxyService(proxy.settings, PostingSupervisor(proxy.settings)).running() as proxy.url:
            until = time.monotonic() + 60
            while "gembill_budget_used_ratio" not in (text := proxy.get("/_gembill/metrics")[1].decode()):
                assert time.monotonic() < until
                assert proxy.post()[0] == 200  # what was looked at is said after the next call, or in half a minute
                time.sleep(0.2)
    assert 'gembill_budget_limit_usd{budget="team"} 2.0' in text
