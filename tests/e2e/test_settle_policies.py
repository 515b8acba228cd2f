"""The recipe of docs/settle_policies.py makes calls that tell Google's policies apart."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gembill.config import Settings
from gembill.ledger import open_ledger
from gembill.posting_thread import PostingThread
from gembill.reconcile.cell import Naming
from gembill.reconcile.hypothesis import Policy, Sides, infer
from gembill.rules.prices import bundled
from gembill.service import ProxyService
from gembill_reports.analysis.reconciliation import charged
from gembill_simulator import Options, simulator_in_thread
from tests.surroundings import clean

PROGRAM = Path(__file__).parents[2] / "docs" / "settle_policies.py"


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    folder = tmp_path_factory.mktemp("settle")
    settings = replace(Settings(), data_dir=folder, database_url=f"sqlite:///{folder / 'l.db'}", port=0)
    environment = clean(GEMINI_API_KEY="k", MODEL="gemini-2.5-flash", TIMES="3", WAIT="0.05")
    with (
        simulator_in_thread(Options(seed=7)) as simulator,
        ProxyService(
            replace(settings, upstream=simulator, upstream_proxy="none"), PostingThread(settings)
        ).running() as url,
    ):
        subprocess.run([sys.executable, str(PROGRAM), url], env=environment, check=True, timeout=60)
    ledger = open_ledger(settings.ledger_url)
    ours = charged(ledger)
    ledger.close()
    return Sides(*([(usage.day, usage) for usage in some] for some in (ours.usages, ours.results)))


@pytest.mark.parametrize("policy", [Policy.INTERMEDIATE_FREE, Policy.RESULTS_BILLED, Policy.BATCH_CACHED_STANDARD])
def test_a_policy_is_recovered_from_the_calls(sides: Sides, policy: Policy) -> None:
    naming = Naming(bundled())
    result = infer(naming, sides.amounts(naming, frozenset((policy,))), sides)
    assert result.is_decided
    assert result.best.policies == {policy}
