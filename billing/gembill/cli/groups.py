"""Groups of commands that know what was meant.

Owns: the sentence about a command or option that does not exist, with the nearest one. Not here: commands. Invariant:
whatever is wrong with the words of a command is one line that names the help to read.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import click

_MONTH = re.compile(r"unexpected extra argument \(([0-9]{4}-[0-9]{2})\)")


class NearGroup(click.Group):
    """A group of commands; for a word that is none of them it names the nearest.

    `other_words` are what people call commands that have another name here.
    """

    def __init__(self, *arguments: Any, other_words: Mapping[str, str] | None = None, **more: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **more)
        self._other_words = other_words or {}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the words begin with. UsageError if there is none."""
        wrong = args[0]
        if wrong.startswith("-") or self.get_command(ctx, wrong) is not None:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        meant = self._other_words.get(wrong.lower())
        near = [meant] if meant else get_close_matches(wrong.lower(), self.list_commands(ctx), 2)
        raise click.UsageError(
            f"there is no command '{wrong}'{did_you_mean(f'`{ctx.command_path} {name}`' for name in near)}", ctx
        )


def did_you_mean(near: Iterable[str]) -> str:
    """What may have been meant, as the end of a sentence; empty where nothing is near."""
    words = " or ".join(near)
    return f"; did you mean {words}?" if words else ""


def usage_sentence(error: click.UsageError) -> str:
    """What was wrong with the words of a command, in one line, and where the help for them is."""
    from difflib import get_close_matches

    sentence = " ".join(error.format_message().split()).rstrip(".")
    if isinstance(error, click.NoSuchOption):
        near = get_close_matches(error.option_name, error.possibilities or (), 1)
        sentence = f"there is no option {error.option_name}{did_you_mean(near)}"
    elif error.ctx is not None and (month := _MONTH.search(sentence)) and _takes_month(error.ctx.command):
        sentence += did_you_mean([f"--month {month[1]}"])
    return sentence if error.ctx is None else f"{sentence} (see `{error.ctx.command_path} --help`)"


def _takes_month(command: click.Command) -> bool:
    return any("--month" in parameter.opts for parameter in command.params)
