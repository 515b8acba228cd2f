"""The command `gembill simulate`.

Owns: its flags. Not here: the behaviour of the simulator. Invariant: only loopback addresses are served.
"""

import click

from gembill.cli.groups import NearGroup
from gembill.cli.options import together
from gembill.cli.simulate_bill import bill
from gembill_simulator import Options, parse_fault, run
from gembill_simulator.faults import OTHERS, STATUSES, InjectedFault

_FAULTS = ", ".join((*STATUSES, *OTHERS))


def _faults(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[InjectedFault, ...]:
    return tuple(parse_fault(text) for text in texts)


_OPTIONS = (  # named as the fields of `Options`
    click.option(
        "--seed",
        type=int,
        help="Other seeds give other answers. With a seed ids repeat at each start, without one they do not.",
    ),
    click.option("--latency-ms", default=0.0, show_default=True, help="Time before each answer begins."),
    click.option("--chunk-ms", default=0.0, show_default=True, help="Time between the chunks of a stream."),
    click.option(
        "--polls", default=2, show_default=True, help="Polls that find a background interaction or a batch pending."
    ),
    click.option("--pending-ms", default=0.0, show_default=True, help="Time that these are pending, whoever polls."),
    click.option(
        "--fault",
        "faults",
        multiple=True,
        metavar="NAME[:RATE]",
        callback=_faults,
        help="Misbehave for this share of the requests (429:0.1; without a rate: all). May be repeated. "
        f"Names: {_FAULTS}.",
    ),
    click.option("--require-key", is_flag=True, help="Answer 403 to requests without an API key; any key will do."),
)


@click.group(cls=NearGroup, invoke_without_command=True)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on; others are refused."
)
@click.option(
    "--port", default=8788, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@together("options", Options, _OPTIONS)
@click.pass_context
def simulate(ctx: click.Context, /, host: str, port: int, options: Options) -> None:
    """Serve a look-alike of the Gemini API, with code execution and true-to-life token counts.

    It knows generateContent, interactions, batches, files, cached contents and the OpenAI-compatible chat completions.

    Nothing leaves this machine and no key is needed. Point a client at it with
    GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8788, or the proxy with gembill proxy --upstream http://127.0.0.1:8788.
    """
    if ctx.invoked_subcommand is None:
        run(port, options, host=host, on_start=_announce)


simulate.add_command(bill)


def _announce(url: str) -> None:
    click.echo(f"Simulated Gemini API on {url} (Ctrl-C stops it).", err=True)
