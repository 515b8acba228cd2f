"""Programs on Vertex, whose OAuth tokens live an hour: who they are outlives the token."""

import json

from gembill_simulator import Simulator, in_thread

HELLO = {"role": "user", "parts": [{"text": "hi"}]}
MORE = {"role": "user", "parts": [{"text": "and now?"}]}


def path(project: str) -> str:
    model = "publishers/google/models/gemini-2.5-flash"
    return f"/v1beta1/projects/{project}/locations/global/{model}:generateContent"


def test_a_new_token_is_the_same_key_and_the_same_conversation(recording):
    with (
        in_thread(Simulator()) as upstream,
        (proxy := recording(upstream.url, keys={"named": "search-team"})).running(),
    ):
        said = [HELLO]
        for token in ("ya29.first-token", "ya29.second-token"):
            who = {"authorization": f"Bearer {token}", "x-goog-api-key": ""}
            status, answer = proxy.post(path("my-project"), {"contents": said}, who)
            assert status == 200
            said = [*said, json.loads(answer)["candidates"][0]["content"], MORE]
            assert proxy.post(path("my-project") + "?quotaUser=u7", {"contents": [HELLO]}, who)[0] == 200
            assert proxy.post(path("named"), {"contents": [HELLO]}, who)[0] == 200
        assert proxy.post(path("my-project"), {"contents": [HELLO]})[0] == 200  # with an API key
    stored = [one.record for one in proxy.records()]
    keys = [record.key for record in stored]
    assert sorted(keys)[1:] == ["my-project"] * 2 + ["my-project/u7"] * 2 + ["search-team"] * 2
    assert min(keys).startswith("k_")
    assert len({record.conversation for record in stored if record.key == "my-project"}) == 1
    assert "ya29" not in json.dumps([str(one) for one in stored])
