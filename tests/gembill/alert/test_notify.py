"""The channels of the settings, how often one is tried, and apprise, with the library and without."""

import builtins
import importlib.util
import json
import subprocess
import sys

import pytest

from gembill.alert.message import Message, trial
from gembill.alert.notify import PAUSES, Notify, configured, with_retries
from gembill.config import Settings
from gembill.errors import ConfigurationError, Undelivered
from tests.e2e.player import Player, Reply

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise's own
installed = pytest.mark.skipif(
    importlib.util.find_spec("apprise") is None, reason="the extra `notify` is not installed"
)


def test_without_the_extra_the_message_says_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name == "apprise":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigurationError, match=r"pip install 'gembill\[notify\]'"):
        Notify(["json://127.0.0.1"])


def test_importing_the_module_imports_no_apprise():
    code = "import gembill.alert.notify, gembill.alert.watch, sys; assert 'apprise' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@installed
def test_an_address_gets_title_and_text():
    with Player(replies=[Reply([b"{}"])]).serving() as player:
        Notify([player.url.replace("http", "json")]).send(trial())
    assert json.loads(player.requests[0].body)["message"] == trial().text


@installed
def test_what_does_not_arrive_is_undelivered():
    with pytest.raises(Undelivered):
        Notify(["json://127.0.0.1:9/"]).send(trial())


@installed
def test_an_address_of_no_known_kind_is_refused_without_being_shown():
    with pytest.raises(ConfigurationError) as caught:
        Notify(["json://127.0.0.1", "nosuch://password"])
    assert "address 2" in str(caught.value)
    assert "password" not in str(caught.value)


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


def test_without_settings_there_are_no_channels(tmp_path):
    assert configured(Settings(data_dir=tmp_path)) == []


def test_a_webhook_without_a_secret_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="GEMBILL_WEBHOOK_SECRET"):
        configured(Settings(data_dir=tmp_path, webhook_url="http://127.0.0.1:1/"))
    (webhook,) = configured(Settings(data_dir=tmp_path, webhook_url="http://127.0.0.1:1/", webhook_secret="s"))
    assert webhook.name == "webhook"
