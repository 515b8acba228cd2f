"""The command `gembill simulate`.

Owns: its flags. Owns no behaviour of the simulator. Invariant: only loopback addresses are served.
"""

from typing import Any

import click

from gembill_simulator import Options, parse_fault, run
from gembill_simulator.faults import OTHERS, STATUSES

_FAULTS = ", ".join((*STATUSES, *OTHERS))


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on; others are refused."
)
@click.option(
    "--port", default=8788, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option(
    "--seed",
    type=int,
    help="Other seeds give other answers. With a seed ids repeat at each start, without one they do not.",
)
@click.option("--latency-ms", default=0.0, show_default=True, help="Time before each answer begins.")
@click.option("--chunk-ms", default=0.0, show_default=True, help="Time between the chunks of a stream.")
@click.option(
    "--polls", default=2, show_default=True, help="Polls that find a background interaction or a batch pending."
)
@click.option("--pending-ms", default=0.0, show_default=True, help="Time that these are pending, whoever polls.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:RATE]",
    help=f"Misbehave for this share of the requests (429:0.1; without a rate: all). May be repeated. Names: {_FAULTS}.",
)
@click.option("--require-key", is_flag=True, help="Answer 403 to requests without an API key; any key will do.")
def simulate(*, host: str, port: int, faults: tuple[str, ...], **settings: Any) -> None:  # noqa: ANN401
    """Serve a look-alike of the Gemini API, with code execution and true-to-life token counts.

    It knows generateContent, interactions, batches, files, cached contents and the OpenAI-compatible chat completions.

    Nothing leaves this machine and no key is needed. Point a client at it with
    GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8788, or the proxy with gembill proxy --upstream http://127.0.0.1:8788.
    """
    told = Options(faults=tuple(parse_fault(text) for text in faults), **settings)  # the flags are named as its fields
    run(port, told, host=host, on_start=_announce)


def _announce(url: str) -> None:
    click.echo(f"Simulated Gemini API on {url} (Ctrl-C stops it).", err=True)
