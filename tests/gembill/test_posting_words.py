"""The messages between the proxy's process and the posting process."""

import msgspec
import pytest

from gembill.config import Settings
from gembill.posting_progress import StuckSpool
from gembill.posting_words import More, Report, Spools, Start, line, read


def test_settings_arrive_as_they_were(tmp_path):
    settings = Settings(
        data_dir=tmp_path,
        database_url="postgresql://u:p@h/d",
        keys={"k": "team"},
        free_tier_keys=("a", "b"),
        prices=tmp_path / "prices.toml",
        notify_urls=("slack://x",),
    )
    sent = line(Start(settings, 20))
    assert sent.endswith(b"\n")
    assert sent.count(b"\n") == 1
    assert read(Start, sent) == Start(settings, 20)


@pytest.mark.parametrize(
    "message",
    [
        Spools("/a", 5, {"/b": 2**62}),
        More(7),
        Report(usage={"requests_total": {'model="a"': 2}}, lag_seconds=0.5),
        Report(posted={"/a": 3}, count=1, last_error="a\nb", asks=True, stuck={"/b": StuckSpool("x", 5)}),
    ],
)
def test_a_message_is_one_line(message):
    sent = line(message)
    assert sent.index(b"\n") == len(sent) - 1
    assert read(type(message), sent) == message


def test_what_is_no_message_is_an_error():
    with pytest.raises(msgspec.MsgspecError):
        read(More, b"nonsense")
