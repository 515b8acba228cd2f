"""A look-alike of the Gemini API on loopback: for the demo, for tests and for offline work.

Owns: `generateContent`, `streamGenerateContent` (server-sent events and JSON array), `countTokens` and `models`, on the
paths of the Developer API and of Vertex AI; interactions, batches, files and cached contents; embeddings, pictures and
films; OpenAI-compatible chat completions, embeddings and pictures; Live sessions in text; with code execution, search,
functions, chats, faults and latency. Not here: anything of the ledger; of ours it imports `gembill.errors` alone.
Invariant: usage obeys the laws of the recorded corpus, and the same seed and request give the same answer.

    async with Simulator(Options(seed=7)).serve() as running:     # in the running loop
        client = genai.Client(api_key="any", http_options=HttpOptions(base_url=running.url))

    with simulator_in_thread(Options(latency_ms=20)) as url:      # in a synchronous program
        ...

What an answer contains follows from the request: code runs when `tools` has `codeExecution` and the prompt asks for
something to compute; "plot" draws, "twice" runs two rounds, "by zero" fails first, "forever" runs into the deadline.
A search is made when `googleSearch` is declared and the prompt asks for news, weather and the like; a function is
called when its name shares a word with the prompt. Control headers (`gembill_simulator.options`) decide these things
for one request, and also: hops of a long answer, polls of a background run, the old schema of interactions.

What is made (interactions, caches, files, batches) is kept in memory, the latest few thousand of each kind.
"""

from gembill_simulator.faults import InjectedFault
from gembill_simulator.faults import parse as parse_fault
from gembill_simulator.launch import in_thread, run, simulator_in_thread
from gembill_simulator.options import Options
from gembill_simulator.server import Running, Served, Simulator

__all__ = [
    "InjectedFault",
    "Options",
    "Running",
    "Served",
    "Simulator",
    "in_thread",
    "parse_fault",
    "run",
    "simulator_in_thread",
]
