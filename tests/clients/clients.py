"""All clients of the table, tried on this machine; the table of what came of it.

Run by `make clients`: `python -m tests.clients.clients [NAME...]`. Owns: the order of work, the table that is printed, and
docs/clients.md. Not here: one client (`tried`). Invariant: what cannot be had, or not in time, is skipped, aloud;
docs/clients.md is written only by a run of all clients in which none that ran failed, and rows of clients that were
skipped stay as they were. What is installed is gone after the run, but for the package managers' own caches.
"""

import os
import re
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree

from tests.clients.table import CLIENTS, Client
from tests.clients.tried import ROOT, Installed, NotHereError, Verdict, install, tried

LIMIT_SECONDS = int(os.environ.get("GEMBILL_CLIENTS_SECONDS", "540"))  # what is not begun by then is skipped
PAGE = ROOT / "docs" / "clients.md"
_INSTALLERS = 3
_HEAD = ("client", "version", "program unchanged", "calls made", "recorded", "counts equal", "set-up")


def main(names: list[str]) -> int:
    """Try the clients whose name has one of `names` in it, or all; 1 where one of a known version does not work.

    A newest one that fails is named as loudly, but a stranger's release is no fault of the tree that is checked.
    """
    chosen = [client for client in CLIENTS if not names or any(name in client.name for name in names)]
    began = time.monotonic()
    verdicts: list[Verdict] = []
    skipped: list[Client] = []
    with tempfile.TemporaryDirectory(prefix="gembill-clients-") as home, ThreadPoolExecutor(_INSTALLERS) as pool:
        for client, future in [(client, pool.submit(install, client, Path(home))) for client in chosen]:
            verdict = None if _is_late(client, future, began) else _verdict(client, future)
            if verdict is None:
                skipped.append(client)
            else:
                verdicts.append(verdict)
    failed = [verdict for verdict in verdicts if not verdict.works]
    print("\n" + "\n".join(_table([row(verdict) for verdict in verdicts])))
    print(f"\n{len(verdicts) - len(failed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    print(f"in {time.monotonic() - began:.0f} s", file=sys.stderr)
    if not failed and not names:
        PAGE.write_text(page(PAGE.read_text() if PAGE.exists() else "", verdicts))
    return verdict_of(failed)


def verdict_of(failed: list[Verdict]) -> int:
    """The exit code of a run in which these failed."""
    for verdict in failed:
        if verdict.client.newest:
            print(
                f"LOOK: {verdict.client.name} does not work in its newest version, {verdict.version}", file=sys.stderr
            )
    return int(any(not verdict.client.newest for verdict in failed))


def _is_late(client: Client, future: "Future[Installed]", began: float) -> bool:
    late = time.monotonic() - began > LIMIT_SECONDS
    if late:
        future.cancel()
        print(f"SKIPPED {client.name}: {LIMIT_SECONDS} s are over", flush=True)
    return late


def _verdict(client: Client, future: "Future[Installed]") -> Verdict | None:
    try:
        installed = future.result()
    except NotHereError as reason:
        print(f"SKIPPED {client.name}: {reason}", flush=True)
        return None
    verdict = tried(installed)
    rmtree(installed.folder)
    print(
        f"{'ok' if verdict.works else 'FAILED'} {client.name} {verdict.version} {verdict.trouble}".rstrip(), flush=True
    )
    return verdict


def row(verdict: Verdict) -> tuple[str, ...]:
    """A line of the table."""
    client, equal = verdict.client, "yes" if verdict.equal else "no"
    unchanged = "yes" if client.variables else "no"
    return (
        client.name,
        verdict.version,
        unchanged,
        str(verdict.calls),
        str(verdict.recorded),
        equal,
        f"`{client.setup}`",
    )


def page(before: str, verdicts: list[Verdict]) -> str:
    """The page: its words, and a row for each client, that of the page before where a client was skipped."""
    kept = {cells[0]: tuple(cells) for line in before.splitlines() if len(cells := _cells(line)) == len(_HEAD)}
    new = {verdict.client.name: row(verdict) for verdict in verdicts}
    rows = [known for client in CLIENTS if (known := new.get(client.name) or kept.get(client.name))]
    absent = [client.name for client in CLIENTS if client.name not in {cells[0] for cells in rows}]
    return _WORDS + "\n".join(_table(rows)) + "\n" + (f"\nCould not be had: {', '.join(absent)}.\n" if absent else "")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (_HEAD, ("---",) * len(_HEAD), *rows)]


_WORDS = """# Clients

Real clients, each in an environment of its own, run twice by `make clients`: directly against the simulator, and through
the proxy to it. A client is in this table if it printed the same both times, every call that reached the API is a
complete record, and no record's counts differ from what the API sent.

"Program unchanged" means that a variable of the environment is all that leads it to the proxy. The programs are in
`tests/clients/programs/`; the libraries that Python clients bring along are pinned with hashes in
`requirements/clients.txt` and `requirements/clients-old.txt`, but for the newest and oldest SDKs.

"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
