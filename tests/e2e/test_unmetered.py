"""Surfaces nobody described to us: such a paid call has a record, and reports, budgets and strict checks are loud."""

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.player import Player, Reply
from tests.recording import Recording
from tests.surroundings import clean

INVENTED = "/v1beta/models/gemini-9:dream"
RAW = "/v1/projects/p/locations/us-central1/publishers/anthropic/models/claude-x:rawPredict"
USAGE = {"model": "claude-x", "usage": {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 5}}
BUDGET = '[[budget]]\nname = "all"\nlimit_usd = "100"\nperiod = "total"\n'


def gembill(proxy: Recording, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gembill", *words, "--database-url", proxy.settings.ledger_url]
    return subprocess.run(command, cwd=folder, env=clean(), capture_output=True, text=True, timeout=100, check=False)


def test_a_verb_of_the_future_is_recorded_and_loud_and_a_known_usage_is_read(recording, tmp_path):
    replies = [Reply([b'{"dream": "of sheep"}']), Reply([json.dumps(USAGE).encode()])]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        assert proxy.post(INVENTED)[0] == 200
        assert proxy.post(RAW)[0] == 200
    read, dreamt = proxy.records()
    assert (read.record.operation, read.record.model, read.record.location) == (
        "raw_predict",
        "claude-x",
        "us-central1",
    )
    assert (read.record.tokens.input, read.record.tokens.cached, read.record.tokens.output) == (7 + 3, 3, 5)
    assert (dreamt.record.operation, dreamt.record.status) == ("dream", "unknown")
    assert (dreamt.record.anomalies, dreamt.priced) == (("unmetered_surface",), False)

    report = json.loads(gembill(proxy, tmp_path, "report", "monthly", "--by", "location", "--format", "json").stdout)
    assert (report["total"]["unpriced_calls"], report["total"]["incomplete_calls"]) == (2, 1)
    assert {row["location"]: row["calls"] for row in report["rows"]} == {"us-central1": 1, None: 1}
    assert "gemini-9: 1" in gembill(proxy, tmp_path, "report", "monthly").stdout

    (tmp_path / "gembill.toml").write_text(BUDGET)
    checked = gembill(proxy, tmp_path, "budget", "check")
    assert (checked.returncode, "UNKNOWN" in checked.stdout) == (0, True), checked.stderr
    assert gembill(proxy, tmp_path, "budget", "check", "--strict").returncode == 12
