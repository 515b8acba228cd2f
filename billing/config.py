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

from billing.errors import ConfigurationError

PUBLIC_API = "https://generativelanguage.googleapis.com"


def _one_of(*words: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:  # noqa: ANN401
        if value not in words:
            raise ConfigurationError(f"{name} is '{value}'; it can be {' or '.join(words)}")
        return str(value)

    return check


def _number(name: str, value: Any) -> int:  # noqa: ANN401
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise ConfigurationError(f"{name} is '{value}', which is no whole number") from None
    if number < 0:
        raise ConfigurationError(f"{name} is {number}; it cannot be negative")
    return number


def _text(name: str, value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{name} is '{value}', which is no text")
    return value


def _folder(name: str, value: Any) -> Path:  # noqa: ANN401
    return value if isinstance(value, Path) else Path(_text(name, value)).expanduser()


def _names(name: str, value: Any) -> dict[str, str]:  # noqa: ANN401
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise ConfigurationError(f"{name} must be a table of fingerprint = name, such as k_0123456789ab = 'search-team'")
    return dict(value)


def _url(name: str, value: Any) -> str:  # noqa: ANN401
    url = _text(name, value)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{name} is no http or https address; write it like {PUBLIC_API}")
    return url


def _data_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("gembill", appauthor=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a command may be told, checked. Sizes in bytes, durations in seconds."""

    data_dir: Path = field(default_factory=_data_folder)
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8787
    upstream: str = PUBLIC_API
    on_record_failure: str = "closed"
    fingerprint_secret: str | None = field(default=None, repr=False)
    keys: dict[str, str] = field(default_factory=dict)
    spool_min_free_bytes: int = 32 << 20
    pump_seconds: int = 600
    pump_bytes: int = 64 << 20
    pump_calls: int = 100
    answer_seconds: int = 900

    @property
    def ledger_url(self) -> str:
        """The database: as told, else a SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'ledger.db'}"

    @property
    def spool_dir(self) -> Path:
        """The folder that holds one spool per process."""
        return self.data_dir / "spool"


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "data_dir": _folder,
    "database_url": _text,
    "host": _text,
    "port": _number,
    "upstream": _url,
    "on_record_failure": _one_of("closed", "open"),
    "fingerprint_secret": _text,
    "keys": _names,
    "spool_min_free_bytes": _number,
    "pump_seconds": _number,
    "pump_bytes": _number,
    "pump_calls": _number,
    "answer_seconds": _number,
}
_NOT_OURS = {"budget", "price"}  # tables of the same file that other commands read


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force; flags that are None were not given. ConfigurationError names the source of a bad value."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for where, layer in (*_files(environ), ("", _environment(environ)), ("", flags or {})):
        for name, value in layer.items():
            if value is not None:
                values[name] = _checked(where, name, value)
    return Settings(**values)


def database_url(flag: str | None = None) -> str:
    """The ledger's address for commands that need nothing else."""
    return load({"database_url": flag}).ledger_url


def _checked(where: str, name: str, value: Any) -> Any:  # noqa: ANN401
    label = f"{name} in {where}" if where else name
    check = _CHECKS.get(name)
    if check is None:
        raise ConfigurationError(f"{label} is no setting of gembill; known are {', '.join(sorted(_CHECKS))}")
    return check(label, value)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    names = (f.name for f in fields(Settings) if f.name != "keys")
    return {name: environ[key] for name in names if environ.get(key := f"GEMBILL_{name.upper()}")}


def _files(environ: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """The user's file, then the project's: later ones win."""
    found = []
    user = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "gembill" / "gembill.toml"
    for path, table in ((user, ()), (Path("gembill.toml"), ()), (Path("pyproject.toml"), ("tool", "gembill"))):
        if (path == Path("pyproject.toml") and Path("gembill.toml").exists()) or not path.is_file():
            continue
        content = _parse(path)
        for key in table:
            content = content.get(key, {})
        found.append((str(path), {k: v for k, v in content.items() if k not in _NOT_OURS}))
    return found


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
