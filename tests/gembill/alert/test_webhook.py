"""The signed POST."""

import hashlib
import hmac
import json

import pytest

from gembill.alert.message import trial
from gembill.alert.webhook import Webhook
from gembill.errors import Undelivered
from tests.e2e.player import Player, Reply


def test_the_receiver_can_check_who_wrote_it_from_the_raw_body():
    with Player(replies=[Reply(status=204)]).serving() as player:
        Webhook(f"{player.url}/hook?a=b", "s3cret").send(trial())
    (request,) = player.requests
    expected = "sha256=" + hmac.new(b"s3cret", request.body, hashlib.sha256).hexdigest()
    assert request.header("x-gembill-signature") == [expected]
    assert request.header("content-type") == ["application/json"]
    assert request.target == "/hook?a=b"
    assert json.loads(request.body).items() >= trial().body.items()


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_anything_but_a_success_is_undelivered(status):
    replies = [Reply(status=status, headers=(("Location", "/elsewhere"),)), Reply()]
    with Player(replies=replies).serving() as player, pytest.raises(Undelivered, match=str(status)):
        Webhook(player.url, "s").send(trial())
    assert len(player.requests) == 1, "a redirect is not followed"


def test_an_address_where_nobody_listens_is_undelivered_and_named_without_its_path():
    with pytest.raises(Undelivered) as caught:
        Webhook("http://127.0.0.1:9/services/T0/secret", "s").send(trial())
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_address_that_never_answers_is_left_after_its_seconds():
    with Player(replies=[Reply(silent=True)]).serving() as player, pytest.raises(Undelivered, match="timed out"):
        Webhook(player.url, "s", seconds=0.2).send(trial())
