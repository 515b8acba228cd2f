"""The environment of a program under test. Owns: what of this machine's settings it must not see."""

import os

_SETTINGS = ("GEMBILL_", "GEMINI_", "GOOGLE_", "GITHUB_", "RUNNER_", "XDG_")


def clean(**own: str) -> dict[str, str]:
    """This process's environment without settings of ours, of the SDKs, of a CI job and of a desktop; then `own`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)} | own
