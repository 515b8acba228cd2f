"""What a request asks for.

Owns: reading the JSON of a generateContent request, in camelCase and snake_case (wire.md 3 and 4), and the tokens by
which an answer that stopped at the limit of one hop goes on (wire.md 1.5 and 2.7). Not here: answers. Invariant: any
JSON gives a `ParsedRequest` or a `Refusal` with Google's status 400; nothing else is raised. A continuation token that
was given out is read back as it was.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from gembill_simulator.calls import Function
from gembill_simulator.fields import Json, Object, bad, entries, entry, integer, text, value
from gembill_simulator.tokens import NOTHING, TokenTally, count, count_media

NO_CACHES: Mapping[str, Object] = {}
_MARK = "hop"


@dataclass(frozen=True, slots=True)
class Continuation:
    """`left` hops are still to come, the one that presents it included; `spent` tokens were put out before it."""

    left: int
    spent: int

    @classmethod
    def read(cls, token: str) -> "Continuation":
        """The meaning of a token; raises `Refusal` (400) for one that was never given out."""
        try:
            mark, left, spent = b64decode(token, altchars=b"-_", validate=True).decode("ascii").split(":")
        except ValueError as reason:  # of base64, of ASCII and of the number of parts
            raise bad("The continuation token is not one of this simulator's.") from reason
        if mark != _MARK or not (left.isdigit() and spent.isdigit() and len(left) < 4 and len(spent) < 13):
            raise bad("The continuation token is not one of this simulator's.")
        return cls(int(left), int(spent))

    def token(self) -> str:
        """Its opaque text."""
        return b64encode(f"{_MARK}:{self.left}:{self.spent}".encode()).decode()


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request, read.

    `prompt` counts contents and system instruction; `question` is the last user text. `held` are the tokens of a cache
    that the simulator knows, `cached_content` the name of any cache. `answered` says that the last content brings the
    result of a function, `forced` that a function must be called.
    """

    prompt: TokenTally
    question: str
    code_allowed: bool
    cached_content: str | None = None
    held: TokenTally = NOTHING
    search_allowed: bool = False
    functions: tuple[Function, ...] = ()
    answered: bool = False
    forced: bool = False
    thinks: bool | None = None
    shows_thoughts: bool = False
    most_tokens: int | None = None
    candidates: int = 1
    tier: str = "standard"
    continues: Continuation | None = None


def read(document: Object, caches: Mapping[str, Object] = NO_CACHES) -> ParsedRequest:
    """The meaning of a generateContent body; raises `Refusal` (400) where a field has the wrong shape.

    `caches` are the bodies that known caches were made from, by the end of their names.
    """
    contents = entries(document, "contents")
    if not contents:
        raise bad("* GenerateContentRequest.contents: contents is not specified")
    config = entry(document, "generationConfig")
    thinking = entry(config, "thinkingConfig")
    budget = integer(thinking, "thinkingBudget")
    name = text(document, "cachedContent")
    cache = caches.get(name.rpartition("/")[2])
    _check_beside(name, document)
    tools = entries(document if cache is None else cache, "tools")
    token = text(document, "continuationToken")
    return ParsedRequest(
        prompt=_count_all(document),
        question=_question(contents),
        # A cache that is not known is taken to hold the tool: a request cannot bring tools beside a cache.
        code_allowed=(bool(name) and cache is None) or _declares(tools, "codeExecution"),
        cached_content=name or None,
        held=NOTHING if cache is None else count_content(cache),
        search_allowed=_declares(tools, "googleSearch"),
        functions=_functions(tools),
        answered=any(entry(part, "functionResponse") for part in entries(contents[-1], "parts")),
        forced=_mode(document).upper() == "ANY",
        thinks=None if budget is None else budget != 0,
        shows_thoughts=value(thinking, "includeThoughts") is True,
        most_tokens=integer(config, "maxOutputTokens") or None,
        candidates=_candidates(config),
        tier=tier(document),
        continues=Continuation.read(token) if token else None,
    )


def count_prompt(document: Object) -> TokenTally:
    """The tokens that countTokens reports: of `generateContentRequest` if there is one, else of the body."""
    inner = entry(document, "generateContentRequest") or document
    if not entries(inner, "contents"):
        raise bad("* CountTokensRequest.contents: contents is not specified")
    return _count_all(inner)


def count_content(cache: Object) -> TokenTally:
    """The tokens that a cache holds, made from this body: contents, system instruction and tools."""
    tools = entries(cache, "tools")
    return _count_all(cache) + TokenTally(text=count(msgspec.json.encode(tools).decode()) if tools else 0)


def tier(document: Object) -> str:
    """The service tier asked for, in the old or the new names; `standard` for any other."""
    tier_name = text(document, "serviceTier").lower().removeprefix("service_tier_")
    return tier_name if tier_name in ("flex", "priority") else "standard"


def _check_beside(name: str, document: Object) -> None:
    beside = [field for field in ("tools", "toolConfig", "systemInstruction") if value(document, field)]
    if name and beside:
        raise bad(f"CachedContent can not be used with a request that sets {', '.join(beside)}; put it into the cache.")


def _count_all(document: Object) -> TokenTally:
    contents = [entry(document, "systemInstruction"), *entries(document, "contents")]
    return sum((_count_content(content) for content in contents), TokenTally())


def _declares(tools: list[Object], name: str) -> bool:
    # A null beside other tools means that the tool is off.
    return any(value(tool, name) is not None for tool in tools)


def _functions(tools: list[Object]) -> tuple[Function, ...]:
    declarations = [declared for tool in tools for declared in entries(tool, "functionDeclarations")]
    return tuple(
        Function(text(one, "name"), entry(one, "parameters") or entry(one, "parametersJsonSchema"))
        for one in declarations
    )


def _candidates(config: Object) -> int:
    wanted = integer(config, "candidateCount") or 1
    if not 0 < wanted < 9:
        raise bad("candidateCount must be from 1 to 8.")
    return wanted


def _mode(document: Object) -> str:
    return text(entry(entry(document, "toolConfig"), "functionCallingConfig"), "mode")


def _question(contents: list[Object]) -> str:
    for content in reversed(contents):
        if text(content, "role") in ("", "user"):
            return " ".join(text(part, "text") for part in entries(content, "parts"))
    return ""


def _count_content(content: Object) -> TokenTally:
    return sum((_count_part(part) for part in entries(content, "parts")), TokenTally())


def _count_part(part: Object) -> TokenTally:
    for key in ("inlineData", "fileData"):
        if data := entry(part, key):
            return count_media(text(data, "mimeType"))
    for key in ("functionCall", "functionResponse"):
        if call := entry(part, key):
            return TokenTally(text=_count_json(call))
    code, result = entry(part, "executableCode"), entry(part, "codeExecutionResult")
    return TokenTally(text=count(text(part, "text")) + count(text(code, "code")) + count(text(result, "output")))


def _count_json(document: Json) -> int:
    return count(msgspec.json.encode(document).decode())
