"""Which requests are calls, told by method and path alone.

Owns: the paths that generate content (gemini-api.md 5.1). Owns no allow-list of what may pass (the front door's) and
looks at no body. Invariant: a path that is no call gives None.
"""

import re
from dataclasses import dataclass

from billing.model import Api, Operation

_VERSION = r"/v\d+(?:alpha|beta)?\d*"
_METHOD = r":(generateContent|streamGenerateContent)"
_GEMINI = re.compile(rf"{_VERSION}/(?:models/([^/:]+)|((?:tunedModels|dynamic)/[^/:]+)){_METHOD}")
_VERTEX = re.compile(
    rf"{_VERSION}/(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/models/([^/:]+)|(endpoints/[^/:]+)){_METHOD}"
)


@dataclass(frozen=True, slots=True)
class Route:
    """What a path says of a call."""

    api: Api
    operation: Operation
    model: str | None
    streamed: bool


def route(method: str, path: str) -> Route | None:
    """The call that `method` on `path` (no query) makes, or None if it makes none."""
    if method != "POST":
        return None
    for api, pattern in ((Api.GEMINI, _GEMINI), (Api.VERTEX, _VERTEX)):
        if found := pattern.fullmatch(path):
            model = found[1] or found[2]
            return Route(api, Operation.GENERATE_CONTENT, model, found[3] == "streamGenerateContent")
    return None
