"""Where gembill keeps its files and what it was told to do.

Owns: the settings and their precedence: flag, then `GEMBILL_*`, then `./gembill.toml` or `[tool.gembill]` of
`./pyproject.toml`, then the user's config file, then the default. Owns no use of a setting.
Invariant: a `Settings` is frozen and was checked when it was made; a value nobody understands is a ConfigurationError.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gembill.errors import ConfigurationError

PUBLIC_API = "https://generativelanguage.googleapis.com"


def _one_of(*words: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:  # noqa: ANN401
        if value not in words:
            raise ConfigurationError(f"{name} is '{value}'; it can be {' or '.join(words)}")
        return str(value)

    return check


def _number(name: str, value: Any) -> int:  # noqa: ANN401
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if type(number) is not int:
        raise ConfigurationError(f"{name} is '{value}', which is no whole number")
    if number < 0:
        raise ConfigurationError(f"{name} is {number}; it cannot be negative")
    return number


def _port(name: str, value: Any) -> int:  # noqa: ANN401
    if (number := _number(name, value)) > 65535:
        raise ConfigurationError(f"{name} is {number}; ports end at 65535")
    return number


def _text(name: str, value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str) or not value:
        found = type(value).__name__ if value != "" else "empty"
        raise ConfigurationError(f"{name} is {found}; it must be a text")  # not shown: it may be a secret
    return value


def _path(name: str, value: Any) -> Path:  # noqa: ANN401
    try:
        return value if isinstance(value, Path) else Path(_text(name, value)).expanduser()
    except RuntimeError:
        raise ConfigurationError(f"{name} is '{value}', whose home folder is not known; write the whole path") from None


def _names(name: str, value: Any) -> dict[str, str]:  # noqa: ANN401
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise ConfigurationError(f"{name} must be a table of fingerprint = name, like k_0123456789ab = 'search-team'")
    return dict(value)


def _list(name: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Names: a list in a file, with commas in a variable."""
    names = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) and one for one in names):
        raise ConfigurationError(f"{name} must be a list of names, like ['k_0123456789ab', 'search-team']")
    return tuple(names)


def _addresses(name: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Addresses: a list in a file, with spaces in a variable. Never shown: they may hold passwords."""
    found = value.split() if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) and one for one in found):
        raise ConfigurationError(f"{name} must be a list of addresses")
    return tuple(found)


def _url(name: str, value: Any) -> str:  # noqa: ANN401
    url = _text(name, value)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(f"{name} is no http or https address; write it like {PUBLIC_API}")
    return url


def _data_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("gembill", appauthor=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a command may be told, checked. Sizes in bytes, durations in seconds."""

    data_dir: Path = field(default_factory=_data_folder)
    database_url: str | None = field(default=None, repr=False)  # it may hold a password
    host: str = "127.0.0.1"
    port: int = 8787
    upstream: str = PUBLIC_API
    vertex_upstream: str | None = None  # for paths of Vertex; without it they go to `upstream` too
    on_record_failure: str = "closed"
    fingerprint_secret: str | None = field(default=None, repr=False)
    keys: dict[str, str] = field(default_factory=dict)
    spool_min_free_bytes: int = 32 << 20
    pump_seconds: int = 600
    pump_bytes: int = 64 << 20
    pump_calls: int = 1_000
    answer_seconds: int = 900
    prices: Path | None = None  # a price list in the form of billing/gembill/prices.toml that counts before all others
    long_context_counts: str = "prompt"
    tool_tokens_with_grounding: str = "input"
    results_as_output: str = "reported"
    free_tier_keys: tuple[str, ...] = ()  # names or fingerprints of keys whose calls cost nothing
    webhook_url: str | None = field(default=None, repr=False)  # where alerts about budgets go
    webhook_secret: str | None = field(default=None, repr=False)
    notify_urls: tuple[str, ...] = field(default=(), repr=False)  # addresses of apprise, which may hold passwords
    budget_seconds: int = 60  # between two looks at the budgets

    @property
    def ledger_url(self) -> str:
        """The database: as told, else a SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'ledger.db'}"

    @property
    def spool_dir(self) -> Path:
        """The folder that holds one spool per process."""
        return self.data_dir / "spool"


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "data_dir": _path,
    "database_url": _text,
    "host": _text,
    "port": _port,
    "upstream": _url,
    "vertex_upstream": _url,
    "on_record_failure": _one_of("closed", "open"),
    "fingerprint_secret": _text,
    "keys": _names,
    "spool_min_free_bytes": _number,
    "pump_seconds": _number,
    "pump_bytes": _number,
    "pump_calls": _number,
    "answer_seconds": _number,
    "prices": _path,
    "long_context_counts": _one_of("prompt", "prompt_and_intermediate"),
    "tool_tokens_with_grounding": _one_of("input", "free"),
    "results_as_output": _one_of("reported", "estimate"),
    "free_tier_keys": _list,
    "webhook_url": _url,
    "webhook_secret": _text,
    "notify_urls": _addresses,
    "budget_seconds": _number,
}
_NOT_OURS = {"budget", "price"}  # tables of the same file that other commands read


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force; flags that are None were not given. ConfigurationError names the source of a bad value."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for path, layer in _files(environ):
        values |= {name: _checked(f"{name} in {path}", name, value) for name, value in layer.items()}
    values |= {name: _checked(_variable(name), name, value) for name, value in _environment(environ).items()}
    for name, value in (flags or {}).items():
        if value is not None:
            values[name] = _checked("--" + name.replace("_", "-"), name, value)
    return Settings(**values)


def database_url(flag: str | None = None) -> str:
    """The ledger's address for commands that need nothing else."""
    return load({"database_url": flag}).ledger_url


def budget_text(environ: Mapping[str, str] | None = None) -> tuple[str, str, tuple[str, ...]] | None:
    """The file that has budgets: its name, its text and the table they stand in. The project's file, else the user's;
    None where neither has any."""
    environ = os.environ if environ is None else environ
    for path, table in (_project_file(), (_user_file(environ), ())):
        content: Any = _parse(path)
        for key in table:
            content = content.get(key, {}) if isinstance(content, dict) else {}
        if isinstance(content, dict) and "budget" in content:
            return str(path), path.read_text(encoding="utf-8"), table
    return None


def _checked(label: str, name: str, value: Any) -> Any:  # noqa: ANN401
    check = _CHECKS.get(name)
    if check is None:
        raise ConfigurationError(f"{label} is no setting of gembill; known are {', '.join(sorted(_CHECKS))}")
    return check(label, value)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    names = (f.name for f in fields(Settings) if f.name != "keys")
    return {name: environ[key] for name in names if environ.get(key := _variable(name))}


def _variable(name: str) -> str:
    return f"GEMBILL_{name.upper()}"


def _files(environ: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """The user's file, then the project's: later ones win."""
    found = []
    for path, table in ((_user_file(environ), ()), _project_file()):
        content: Any = _parse(path)
        for key in table:
            content = content.get(key, {}) if isinstance(content, dict) else None
        if not isinstance(content, dict):
            raise ConfigurationError(f"{path} has no table at [{'.'.join(table)}] but a single value")
        found.append((str(path), {k: v for k, v in content.items() if k not in _NOT_OURS}))
    return found


def _project_file() -> tuple[Path, tuple[str, ...]]:
    """The file of this folder and the table in it."""
    if Path("gembill.toml").exists():
        return Path("gembill.toml"), ()
    return Path("pyproject.toml"), ("tool", "gembill")


def _user_file(environ: Mapping[str, str]) -> Path:
    try:
        folder = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    except RuntimeError:  # this user has no home, as in many containers
        folder = Path("/nonexistent")
    return folder / "gembill" / "gembill.toml"


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
