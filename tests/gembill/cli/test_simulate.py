"""The flags of `gembill simulate`."""

import signal
import subprocess
import sys
import urllib.request

import pytest
from click.testing import CliRunner

from gembill.cli.simulate import simulate
from gembill.errors import ConfigurationError


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--host", "0.0.0.0"], "loopback"),
        (["--fault", "teapot"], "teapot"),
        (["--fault", "503:2"], "503:2"),
        (["--latency-ms", "-1"], "latency"),
        (["--polls", "-1"], "polls"),
        (["--pending-ms", "-1"], "pending"),
    ],
)
def test_flags_that_cannot_be_obeyed_are_a_configuration_error(flags: list[str], told: str) -> None:
    result = CliRunner().invoke(simulate, flags)
    assert isinstance(result.exception, ConfigurationError)
    assert told in str(result.exception)


def test_help_names_the_faults() -> None:
    result = CliRunner().invoke(simulate, ["--help"])
    assert result.exit_code == 0
    assert "error_chunk" in result.output
    assert "--chunk-ms" in result.output
    assert "--polls" in result.output


def test_the_command_serves_says_where_on_stderr_and_stops_on_a_signal() -> None:
    command = [sys.executable, "-m", "gembill", "simulate", "--port", "0", "--seed", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        url = process.stderr.readline().split()[4]
        with urllib.request.urlopen(url + "/v1/models", timeout=60) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stdout.read() == ""
