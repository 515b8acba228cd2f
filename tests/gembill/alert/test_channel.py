"""The channels of the settings, and how often one is tried."""

import pytest

from gembill.alert.channel import PAUSES, configured, with_retries
from gembill.alert.message import Message, trial
from gembill.config import Settings
from gembill.errors import ConfigurationError, Undelivered


class Deaf:
    name = "deaf"

    def __init__(self, failures: int) -> None:
        self.failures, self.tries = failures, 0

    def send(self, message: Message) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise Undelivered("not now")


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_message_is_tried_again_after_a_pause(failures):
    channel, pauses = Deaf(failures), []
    with_retries(channel, trial(), pauses.append)
    assert channel.tries == failures + 1
    assert pauses == list(PAUSES[:failures])


def test_after_the_last_try_it_is_undelivered():
    channel = Deaf(99)
    with pytest.raises(Undelivered, match="not now"):
        with_retries(channel, trial(), lambda _: None)
    assert channel.tries == len(PAUSES) + 1


def test_nothing_is_set_so_nobody_is_told(tmp_path):
    assert configured(Settings(data_dir=tmp_path)) == []


def test_a_webhook_without_a_secret_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="GEMBILL_WEBHOOK_SECRET"):
        configured(Settings(data_dir=tmp_path, webhook_url="http://127.0.0.1:1/"))
    (webhook,) = configured(Settings(data_dir=tmp_path, webhook_url="http://127.0.0.1:1/", webhook_secret="s"))
    assert webhook.name == "webhook"
