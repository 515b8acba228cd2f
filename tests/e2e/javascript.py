"""Node programs for the tests: the official JavaScript SDK in a folder of its own, and a run of a program.

Owns: the installation (outside of the checkout, once per version and machine) and the environment of a run. Not here:
tests. Invariant: where node, npm or the package cannot be had, the test is skipped and says why.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

VERSION = "3.3.0"  # asks for Node 22, and runs with 20
_PACKAGE = {"name": "gembill-programs", "private": True, "dependencies": {"@google/genai": VERSION}}
_INSTALL = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]


def installed() -> Path:
    """The folder `node_modules` with the SDK; skips the test where there is none to be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("SKIPPED JAVASCRIPT: node or npm is not installed")
    home = Path(tempfile.gettempdir()) / f"gembill-node-{os.getuid()}-{VERSION}"
    if not _ours(home):
        made = Path(tempfile.mkdtemp(prefix="gembill-node-"))
        (made / "package.json").write_text(json.dumps(_PACKAGE))
        try:
            done = subprocess.run([npm, *_INSTALL], cwd=made, capture_output=True, text=True, timeout=100, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"SKIPPED JAVASCRIPT: npm did not install @google/genai {VERSION} within 100 s")
        if done.returncode:
            pytest.skip(f"SKIPPED JAVASCRIPT: npm cannot install @google/genai {VERSION}: {done.stderr[-300:]}")
        try:
            made.rename(home)
        except OSError:  # another process was first
            shutil.rmtree(made)
    if not _ours(home):
        pytest.skip(f"SKIPPED JAVASCRIPT: {home} belongs to another user")
    return home / "node_modules"


def _ours(home: Path) -> bool:
    return (home / "node_modules").is_dir() and home.stat().st_uid == os.getuid()


def run(program: str, url: str, folder: Path) -> str:
    """Run an ES module of a user's, led to the proxy by the one variable of the README; returns what it printed."""
    modules = installed()
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(modules, target_is_directory=True)
    script = folder / "program.mjs"
    script.write_text(program)
    names = ("GEMBILL_", "GEMINI_", "GOOGLE_", "NODE_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(names)}
    environment |= {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "an-ordinary-key", "HOME": str(folder)}
    done = subprocess.run(
        ["node", str(script)], env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
