"""Every POST that the official SDKs can send is free by the closed list or a call: none is silent.

Read from the installed packages: the pinned Python one, and the JavaScript one that `javascript` installs. The table is
frozen, so that a verb of a newer SDK is a difference in review: decide there whether it costs nothing.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import google.genai
import pytest

from gembill.capture.admission import admit
from gembill.model import Api
from gembill.wire.routes import Role, route
from gembill.wire.surfaces import FREE
from tests.e2e.javascript import installed
from tests.e2e.player import Player, Reply
from tests.gembill.capture.test_proxy import request

POSTS = {
    "agents": "free",
    "auth_tokens": "free",
    "batchPredictionJobs": "batch_prediction",
    "batchPredictionJobs/n:cancel": "free",
    "batches/n:cancel": "free",
    "cachedContents": "notice: cache_storage",
    "credentials": "free",
    "decisions": "decisions",
    "environments": "free",
    "fileSearchStores": "free",
    "fileSearchStores/s:importFile": "import_file",
    "files:register": "free",
    "interactions": "interactions",
    "interactions/i/auth_tokens": "free",
    "interactions/i/cancel": "answer: interactions",
    "models/m:asyncBatchEmbedContent": "embed_content",
    "models/m:batchEmbedContents": "embed_content",
    "models/m:batchGenerateContent": "notice: batch",
    "models/m:computeTokens": "free",
    "models/m:countTokens": "free",
    "models/m:embedContent": "embed_content",
    "models/m:generateContent": "generate_content",
    "models/m:predict": "predict",
    "models/m:predictLongRunning": "generate_videos",
    "models/m:streamGenerateContent": "generate_content",
    "publishers/google/models/m:fetchPredictOperation": "answer: generate_videos",
    "triggers": "free",
    "triggers/t/executions": "executions",
    "tunedModels": "tuned_models",
    "tuningJobs": "tuning_jobs",
    "tuningJobs/t:cancel": "free",
    "tuningJobs:validateReinforcementTuningReward": "validate_reinforcement_tuning_reward",
    "upload/fileSearchStores/s:uploadToFileSearchStore": "import_file",
    "upload/files": "free",
    "voices": "voices",
    "webhooks": "free",
    "webhooks/i:ping": "free",
    "webhooks/i:rotateSigningSecret": "free",
}  # the path behind version, project and location: what it is to the ledger
ONLY_VERTEX = ("batchPredictionJobs", "tuningJobs")
ONLY_PYTHON = {"interactions/i/auth_tokens"}
VERSIONS = {Api.GEMINI: "v1beta", Api.VERTEX: "v1beta1/projects/p-1/locations/europe-west4"}
NAMES = {
    "{file_search_store_name}": "fileSearchStores/s",
    "{parent}/": "",  # project and location
    "{resourceName}": "publishers/google/models/m",
}  # what the SDKs put there; every other placeholder is an id


def python_posts() -> set[str]:
    """The path templates of the Python SDK, those of its generated clients included."""
    folder = Path(google.genai.__file__).parent
    templates: set[str] = set()
    for file in folder.glob("*.py"):
        functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, _FUNCTIONS)]
        templates.update(path for function in functions if _posts(function) for path in _assigned(function))
    for file in (folder / "_gaos").glob("*.py"):
        templates.update(_generated(ast.parse(file.read_text())))
    return templates


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _texts(nodes: Iterable[ast.AST]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _posts(function: ast.AST) -> bool:
    return any("post" in _texts(call.args) for call in _calls(function))


def _assigned(function: ast.AST) -> Iterator[str]:
    """The texts that are assigned to `path` or to a part of it, `x` and `x.format_map(...)` alike."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("path", "endpoint_url"):
            value = (
                node.value.func.value
                if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute)
                else node.value
            )
            yield from _texts([value])


def _generated(tree: ast.AST) -> Iterator[str]:
    for call in _calls(tree):
        given = {word.arg: _texts([word.value]) for word in call.keywords}
        if given.get("method") == ["POST"]:
            yield from given["path"]


def javascript_posts() -> set[str]:
    """The path templates of the JavaScript SDK: those that stand before each method that is POST."""
    templates: set[str] = set()
    waiting: set[str] = set()
    source = (installed() / "@google" / "genai" / "dist" / "index.mjs").read_text()
    for path, choice, method in _JAVASCRIPT.findall(source):
        if path or choice:
            waiting.add(path or choice)
        else:
            templates |= waiting if method == "POST" else set()
            waiting = set()
    return templates


_JAVASCRIPT = re.compile(
    r"""(?:formatMap\(|pathToFunc\()['"]([^'"]+)['"]|[?:] '(\{\w+\}:\w+)'|(?:httpMethod|method): ['"]([A-Z]+)['"]"""
)


def filled(template: str) -> str:
    """The path behind the version, with plausible names and without a query."""
    path = template.replace("{{", "{").replace("}}", "}").partition("?")[0]
    path = re.sub(r"^\{name\}:cancel", "tuningJobs/t:cancel", path)
    for name, value in NAMES.items():
        path = path.replace(name, value, 1)
    path = path.removeprefix("/").replace("{model}", "models/m")
    path = re.sub(r"\{api_version\}/", "", path)
    return re.sub(r"\{(\w)\w*\}", r"\1", path)


def target(rest: str, api: Api) -> str:
    """The whole path of a POST, as the SDK sends it to this family of endpoints."""
    if rest.startswith("upload/"):
        return f"/upload/{VERSIONS[Api.GEMINI]}/{rest.removeprefix('upload/')}"
    model = "publishers/google/models/" if api is Api.VERTEX else "models/"
    return f"/{VERSIONS[api]}/{re.sub('^models/', model, rest)}"


def meaning(rest: str, api: Api) -> str:
    """`free`, the operation of the call, or the role of what explains or completes one."""
    path = target(rest, api)
    known = route("POST", path)
    if known is None:
        behind = path.partition(f"{VERSIONS[api]}/")[2] or path.partition(f"{VERSIONS[Api.GEMINI]}/")[2]
        return "free" if any(pattern.fullmatch(behind) for pattern in FREE) else "silent"
    return str(known.operation) if known.role is Role.CALL else f"{known.role}: {known.operation}"


def meanings(templates: set[str]) -> dict[str, str]:
    """What each path is, the same in both families."""
    read = {}
    for rest in sorted(map(filled, templates)):
        gemini, vertex = (meaning(rest, api) for api in Api)
        assert gemini == vertex, rest
        read[rest] = gemini
    return read


def test_every_post_of_the_python_sdk_is_free_or_a_call():
    assert meanings(python_posts()) == POSTS


def test_every_post_of_the_javascript_sdk_is_free_or_a_call():
    assert meanings(javascript_posts()) == {rest: what for rest, what in POSTS.items() if rest not in ONLY_PYTHON}


def posts_to(api: Api) -> list[str]:
    return [rest for rest in POSTS if api is Api.VERTEX or not rest.startswith(ONLY_VERTEX)]


@pytest.mark.parametrize(("api", "rest"), [(api, rest) for api in Api for rest in posts_to(api)])
def test_every_post_of_the_sdks_may_pass(api, rest):
    path = target(rest, api).encode()
    assert admit("POST", path).target == path


@pytest.mark.parametrize("api", Api)
def test_each_call_among_them_and_an_invented_verb_makes_a_record(api, recording):
    called = {rest: POSTS[rest] for rest in posts_to(api)}
    called |= {"models/m:dreamContent": "dream_content", "decisions/d:revise": "revise"}  # nobody has these
    with Player(answer=lambda _: Reply([b"{}"])).serving() as player, (proxy := recording(player.url)).running():
        for rest in called:
            assert request(proxy.port, "POST", target(rest, api)).startswith(b"HTTP/1.1 200")
    assert len(player.requests) == len(called)
    made = Counter(entry.record.operation for entry in proxy.records())
    calls = Counter(what for what in called.values() if what != "free" and ":" not in what)
    others = Counter(what.partition(": ")[2] for what in called.values() if ":" in what)
    assert calls <= made, "each call has a record"
    assert made <= calls + others, "what is free has none"
