"""Forty calls that show what Google bills of code execution. They cost about ten US cents on a Flash model.

    GEMINI_API_KEY=... python docs/settle_policies.py http://127.0.0.1:8787

Run it through `gembill proxy`, with the key of a project that nobody else uses that day. Two days later get the bill
and say `gembill reconcile FILE --infer`. Owns: which calls they are. Invariant: ten
have large printed results, ten none, ten declare code execution and do not use it, ten are a batch with a cached
prompt, so that each policy moves another sum.
"""

import json
import os
import sys
import time
import urllib.request
from typing import Any

MODEL = os.environ.get("MODEL", "gemini-3.7-flash")
PRINTS = "Run Python that prints the numbers from 1 to {n}, one a line, and then answer with their sum."
QUIET = "Run Python that computes the sum of the numbers from 1 to {n} and prints nothing. Then answer done."
PLAIN = "Answer with one word and do not run code: what is the opposite of number {n}?"
LONG_TEXT = "The shelf of this library holds books about rivers, bridges and boats. " * 400
CODE = {"tools": [{"codeExecution": {}}]}
TIMES = int(os.environ.get("TIMES", "10"))


def main(base: str) -> None:
    """Make the calls through the proxy at `base`."""
    for number in range(TIMES):
        for question in (PRINTS, QUIET, PLAIN):
            asked = question.format(n=400 + 20 * number)
            send(base, f"models/{MODEL}:generateContent", {"contents": contents(asked), **CODE})
    batch(base)


def batch(base: str) -> None:
    """A batch whose entries share a cached prompt, and its results, which have to pass the proxy to be recorded."""
    body = {"model": f"models/{MODEL}", "contents": contents(LONG_TEXT), "ttl": "3600s", **CODE}
    cache = send(base, "cachedContents", body)["name"]
    requests = [
        {"request": {"contents": contents(PRINTS.format(n=300 + n)), "cachedContent": cache}} for n in range(TIMES)
    ]
    order = {"batch": {"displayName": "settle", "inputConfig": {"requests": {"requests": requests}}}}
    name = send(base, f"models/{MODEL}:batchGenerateContent", order)["name"]
    while not send(base, name).get("done"):
        time.sleep(float(os.environ.get("WAIT", "30")))


def contents(text: str) -> list[dict[str, Any]]:
    """A single turn."""
    return [{"role": "user", "parts": [{"text": text}]}]


def send(base: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One call; an error of the API stops the program, because a call that is missing spoils the sums."""
    headers = {"x-goog-api-key": os.environ["GEMINI_API_KEY"], "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{base}/v1beta/{path}", data, headers)  # noqa: S310 - the user's own address
    with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310
        result: dict[str, Any] = json.load(answer)
        return result


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
