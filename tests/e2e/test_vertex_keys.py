"""Programs on Vertex, whose OAuth tokens live an hour: who they are outlives the token."""

import json

from gembill_simulator import Simulator, in_thread

TURNS = [{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": [{"text": "hello"}]}]
CHAT = {"contents": [*TURNS, {"role": "user", "parts": [{"text": "and now?"}]}]}


def path(project: str) -> str:
    model = "publishers/google/models/gemini-2.5-flash"
    return f"/v1beta1/projects/{project}/locations/global/{model}:generateContent"


def test_a_new_token_is_the_same_key_and_the_same_conversation(recording):
    with (
        in_thread(Simulator()) as upstream,
        (proxy := recording(upstream.url, keys={"named": "search-team"})).running(),
    ):
        for token in ("ya29.first-token", "ya29.second-token"):
            who = {"authorization": f"Bearer {token}", "x-goog-api-key": ""}
            assert proxy.post(path("my-project"), CHAT, who)[0] == 200
            assert proxy.post(path("my-project") + "?quotaUser=u7", CHAT, who)[0] == 200
            assert proxy.post(path("named"), CHAT, who)[0] == 200
        assert proxy.post(path("my-project"), CHAT)[0] == 200  # with an API key
    stored = [one.record for one in proxy.records()]
    keys = [record.key for record in stored]
    assert sorted(keys)[1:] == ["my-project"] * 2 + ["my-project/u7"] * 2 + ["search-team"] * 2
    assert min(keys).startswith("k_")
    assert len({record.conversation for record in stored if record.key == "my-project"}) == 1
    assert "ya29" not in json.dumps([str(one) for one in stored])
