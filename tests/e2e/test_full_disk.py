"""The spool's disk is full, for real: calls are refused before they are forwarded, and it recovers by itself."""

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.player import Player, Reply

ANSWER = b'{"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}'


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB where the spool will be."""
    folder = tmp_path / "spool"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_means_503_and_nothing_forwarded_until_there_is_space_again(small_disk, recording):
    with (
        Player(answer=lambda _: Reply([ANSWER])).serving() as player,
        (proxy := recording(player.url, spool_min_free_bytes=256 << 10)).running(),
    ):
        assert proxy.post()[0] == 200
        ballast = small_disk / "ballast"
        fill(ballast)
        until = time.monotonic() + 60
        while (answer := proxy.post())[0] != 503:
            assert time.monotonic() < until
        forwarded = len(player.requests)
        assert json.loads(answer[1])["error"]["status"] == "UNAVAILABLE"
        assert [proxy.post()[0] for _ in range(5)] == [503] * 5
        assert len(player.requests) == forwarded, "nothing was forwarded while it could not be recorded"
        assert proxy.health()["recording"] is False
        ballast.unlink()
        while proxy.post()[0] != 200:
            assert time.monotonic() < until + 60
            time.sleep(0.1)
        assert proxy.health()["recording"] is True
        served = len(player.requests)
    assert len(proxy.records()) == served


def fill(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"\0" * 16_384):
            pass
