"""The clients that are tried, and what each of them needs to be led to the proxy.

Owns: the rows. Not here: installing and running (`tried`), the texts made of them (`clients`). Invariant: a row's set-up is
all that its program has of the proxy: variables of its environment, or the option that its program gets from `BASE`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

PROXY = "http://127.0.0.1:8787"  # as texts have it
GEMINI = "GOOGLE_GEMINI_BASE_URL"
LOCK, OLD_LOCK = "requirements/clients.txt", "requirements/clients-old.txt"


@dataclass(frozen=True, slots=True)
class Client:
    """A program of a user's. `calls` is how many paid calls it makes.

    `packages` are of PyPI, npm or Go, by the ending of `program`; `lock` pins what the first of them brings along.
    `variables` name the proxy, `{url}` being its address; else `option` is the one line that does. Without `packages`
    the program needs `command` alone.
    """

    name: str
    program: str
    calls: int
    packages: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    option: str = ""
    lock: str | None = None
    command: str = ""

    @property
    def newest(self) -> bool:
        """Whether its version is whatever was released last: then another's release can make it fail, and not us."""
        first = self.packages[0] if self.packages and self.lock is None else ""
        return first.endswith("@latest") or (self.program.endswith(".py") and bool(first) and "==" not in first)

    @property
    def slug(self) -> str:
        """The name of its folder."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.name.lower().replace("@", "npm-"))

    @property
    def setup(self) -> str:
        """The one line of set-up."""
        shown = " ".join(f"{name}={value.format(url=PROXY)}" for name, value in self.variables.items())
        return shown or self.option


def _python(name: str, program: str, calls: int, package: str, *more: str, **own: str) -> Client:
    return Client(name, program, calls, (package, *more), {GEMINI: "{url}"}, lock=own.get("lock", LOCK))


CLIENTS = (
    Client("google-genai, newest", "google_genai.py", 4, ("google-genai",), {GEMINI: "{url}"}),
    Client("google-genai, newest, asynchronous", "google_genai_async.py", 3, ("google-genai",), {GEMINI: "{url}"}),
    Client(
        "google-genai 1.13, the oldest that reads the variable",
        "google_genai.py",
        4,
        ("google-genai==1.13.0",),
        {GEMINI: "{url}"},
    ),
    Client(
        "google-genai 1.0",
        "google_genai_option.py",
        2,
        ("google-genai==1.0.0",),
        option=f'genai.Client(http_options={{"base_url": "{PROXY}"}})',
    ),
    Client(
        "google-generativeai 0.8, deprecated",
        "google_generativeai.py",
        2,
        ("google-generativeai",),
        option=f'genai.configure(transport="rest", client_options={{"api_endpoint": "{PROXY}"}})',
        lock=OLD_LOCK,
    ),
    _python("google-adk", "adk_agent.py", 1, "google-adk"),
    _python("LangChain", "langchain_google.py", 2, "langchain-google-genai"),
    _python("LlamaIndex", "llama_index_calls.py", 2, "llama-index-llms-google-genai"),
    _python("pydantic-ai", "pydantic_ai_agent.py", 3, "pydantic-ai-slim[google]"),
    _python("instructor", "instructor_model.py", 1, "instructor[google-genai]", "jsonref"),
    _python("Haystack", "haystack_chat.py", 1, "google-genai-haystack"),
    _python("agno", "agno_agent.py", 1, "agno", "google-genai"),
    _python("Strands", "strands_agent.py", 1, "strands-agents[gemini]"),
    _python("Semantic Kernel", "semantic_kernel_chat.py", 2, "semantic-kernel[google]", lock=OLD_LOCK),
    Client(
        "LiteLLM, and DSPy by it", "litellm_calls.py", 2, ("litellm",), {"GEMINI_API_BASE": "{url}/v1beta"}, lock=LOCK
    ),
    Client(
        "OpenAI SDK, Python", "openai_chat.py", 2, ("openai",), {"OPENAI_BASE_URL": "{url}/v1beta/openai"}, lock=LOCK
    ),
    Client(
        "smolagents",
        "smolagents_model.py",
        1,
        ("smolagents[openai]",),
        option=f'OpenAIModel("gemini-2.5-flash", api_base="{PROXY}/v1beta/openai")',
        lock=LOCK,
    ),
    Client("@google/genai, newest", "genai.mjs", 4, ("@google/genai@latest",), {GEMINI: "{url}"}),
    Client("@google/genai, newest, Live session", "live.mjs", 2, ("@google/genai@latest",), {GEMINI: "{url}"}),
    Client("@google/genai 1.0", "genai.mjs", 4, ("@google/genai@1.0.0",), {GEMINI: "{url}"}),
    Client(
        "@google/generative-ai, deprecated",
        "generative_ai.mjs",
        2,
        ("@google/generative-ai@0.24.1",),
        option=f'ai.getGenerativeModel({{model}}, {{baseUrl: "{PROXY}"}})',
    ),
    Client(
        "Vercel AI SDK",
        "vercel.mjs",
        2,
        ("ai@7.0.173", "@ai-sdk/google@4.0.121", "zod@4"),
        option=f'createGoogleGenerativeAI({{baseURL: "{PROXY}/v1beta"}})',
    ),
    Client("OpenAI SDK, JavaScript", "openai.mjs", 2, ("openai@7.55.0",), {"OPENAI_BASE_URL": "{url}/v1beta/openai"}),
    Client(
        "Genkit",
        "genkit.mjs",
        2,
        ("genkit@1.42.0", "@genkit-ai/google-genai@1.42.0"),
        option=f'googleAI({{baseUrl: "{PROXY}"}})',
    ),
    Client(
        "LangChain.js",
        "langchain.mjs",
        2,
        ("@langchain/google-genai@2.3.2", "@langchain/core@1"),
        option=f'new ChatGoogleGenerativeAI({{model, baseUrl: "{PROXY}"}})',
    ),
    Client("gemini-cli", "gemini_cli.mjs", 2, ("@google/gemini-cli@0.61.0",), {GEMINI: "{url}"}),
    Client("fetch", "fetch.mjs", 2, option=f'fetch("{PROXY}/v1beta/models/...")', command="node"),
    Client(
        "Java's HttpClient, sized and chunked",
        "Calls.java",
        2,
        option=f'URI.create("{PROXY}/v1beta/models/...")',
        command="java",
    ),
    Client("Go SDK", "genai.go", 2, ("google.golang.org/genai@latest",), {GEMINI: "{url}"}),
    Client(
        "Go's net/http", "http.go", 2, ("std",), option=f'http.NewRequest("POST", "{PROXY}/v1beta/models/...", body)'
    ),
    Client("curl", "curl.sh", 2, option=f"curl {PROXY}/v1beta/models/...", command="curl"),
    Client("curl --http2", "curl_http2.sh", 1, option=f"curl --http2 {PROXY}/v1beta/models/...", command="curl"),
)
