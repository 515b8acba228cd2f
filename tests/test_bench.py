"""The benchmark's own parts: its upstream and load agree, the kernel is read right, and the table says what was found."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import answers, table
from tests.bench.processes import cpu_us, free_port, kill, pss_mib, start, tree
from tests.bench.stage import HERE, UPLOAD, Scenario, Stage, compiler, write_files

BUSY = (
    "import subprocess, sys\nsum(range(3_000_000))\nsubprocess.run([sys.executable, '-c', 'sum(range(20_000_000))'])\n"
)
SERVED = "import socket, time\ns = socket.create_server(('127.0.0.1', {port}))\n"


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    if compiler() is None:
        pytest.skip("no C compiler is here")
    folder = tmp_path_factory.mktemp("bench")
    for name in ("upstream", "load"):
        strict = [compiler(), "-O2", "-Wall", "-Wextra", "-Werror", "-o", folder / name, HERE / f"{name}.c"]
        subprocess.run(strict, check=True)
    write_files(folder)
    port = free_port()
    command = [str(folder / "upstream"), str(port), str(folder / "answer"), str(folder / "events")]
    leader = start(0, command, port, folder / "log", {})
    yield Stage(folder, port, 0, leader)
    kill(leader)
    assert (folder / "log").read_text() == ""


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario("json"),
        Scenario("stream", answers.STREAM, connections=3),
        Scenario("gaps", answers.GAPS, connections=2),
        Scenario("upload", body=UPLOAD, connections=2),
        Scenario("by the clock", connections=4, rate=100),
    ],
    ids=lambda scenario: scenario.name,
)
def test_each_call_of_the_load_is_answered_in_full(stage, scenario):
    ids = stage.folder / "ids"
    text, _ = stage.begin_load(scenario, stage.port, 0.3, ids=ids).communicate(timeout=60)
    assert '"errors": 0' in text
    numbers = ids.read_text().split()
    if scenario.path == answers.GENERATE:
        assert len(numbers) == len(set(numbers)) > 0
        assert f'"answered": {len(numbers)},' in text


def test_an_answer_of_another_length_is_an_error(stage):
    class Longer(Scenario):
        length = len(answers.answer()) + 1

    result = stage.load(Longer("json", connections=1), stage.port, 0.2)
    assert (result["answered"], result["errors"] > 0) == (0, True)


def test_cpu_counts_children_that_have_ended(tmp_path):
    port = free_port()
    code = SERVED.format(port=port) + BUSY + "open('done', 'w').close()\ntime.sleep(60)"
    leader = start(
        0, [sys.executable, "-c", f"import os\nos.chdir({str(tmp_path)!r})\n{code}"], port, tmp_path / "log", {}
    )
    try:
        while not (tmp_path / "done").exists():
            subprocess.run(["sleep", "0.05"], check=True)
        assert tree(leader) == [leader]
        own, ended = cpu_us([leader]), int(Path(f"/proc/{leader}/stat").read_text().rsplit(")", 1)[1].split()[13])
        assert ended > 0
        assert own > ended * 10_000
        assert pss_mib([leader]) > 1
    finally:
        kill(leader)
    assert cpu_us([leader]) == 0


def sample(scenario, contestant, number, cpu, **more):
    usual = {"alone": cpu / 2, "p50": 500, "p99": 4000, "first_p50": 100, "upstream": 5.0, "pss": 0, "pss_alone": 0}
    return {"scenario": scenario, "contestant": contestant, "round": number, "cpu": cpu, **usual, **more}


def test_the_table_has_medians_of_ratios_and_says_who_recorded(tmp_path):
    scenario = "JSON, 32 at once"
    samples = [sample(scenario, "nginx", n, cpu) for n, cpu in enumerate((10, 20, 30))]
    samples += [sample(scenario, "gembill", n, cpu, pss=60.4, pss_alone=30) for n, cpu in enumerate((90, 100, 300))]
    rate = "100 calls a second"
    samples += [sample(rate, name, 0, 50, p50=p50) for name, p50 in (("nginx", 300), ("gembill", 700), ("direct", 100))]
    kills = [
        {"contestant": "nginx", "answered": 1500, "found": None, "doubled": 0},
        {"contestant": "gembill", "answered": 700, "found": 700, "doubled": 0},
        {"contestant": "gembill", "answered": 800, "found": 799, "doubled": 2},
    ]
    result = {"conditions": "Now.", "recording": {"nginx": "off", "gembill": "on"}, "samples": samples, "kills": kills}
    result["counts"] = {"gembill": (12_345, 12_345)}
    text = table.markdown(result)
    assert "| recording | off | on |" in text
    assert "| JSON, 32 at once: CPU us a call (nginx = 1) | 20.0 | 100 (9.00) |" in text
    assert "| &nbsp; of it the proxy process |  | 50.0 (4.50) |" in text
    assert "added p50 / p99, us | 200 / 0 | 600 / 0 |" in text
    assert "| PSS, MiB (of it the proxy process) | - | 60 (30) |" in text
    assert "| calls in the store / calls served in all of these runs | - | 12,345 / 12,345 |" in text
    assert "after `kill -9` | none / 1,500 | 1,499 / 1,500, 2 of them twice |" in text
    document = tmp_path / "performance.md"
    document.write_text(f"Before\n{table.BEGIN}\nold\n{table.END}\nAfter\n")
    table.write(text, document)
    assert document.read_text() == f"Before\n{table.BEGIN}\n{text}{table.END}\nAfter\n"
    document.write_text("no marks")
    with pytest.raises(ValueError, match="no marks"):
        table.write(text, document)
