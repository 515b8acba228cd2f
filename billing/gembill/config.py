"""Where gembill keeps its files and which settings it was given.

Owns: the settings and their precedence: flag, then `GEMBILL_*`, then `./gembill.toml` or `[tool.gembill]` of
`./pyproject.toml`, then the user's config file, then the default. Not here: any use of a setting.
Invariant: a `Settings` is frozen and was checked when it was made; a value that cannot be used is a ConfigurationError.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from gembill.address import of_file
from gembill.errors import ConfigurationError
from gembill.toml_values import Kind, checked, line_of, written

PUBLIC_API = "https://generativelanguage.googleapis.com"

_Text = Annotated[str, Meta(min_length=1)]
_HostName = Annotated[
    str,
    Meta(
        pattern=r"\A(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?)\Z"
    ),
]
_WebOrigin = Annotated[str, Meta(pattern=r"\A[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9._\[\]:-]*\Z")]
_Count = Annotated[int, Meta(ge=0)]
_Port = Annotated[int, Meta(ge=0, le=65535)]


def _data_folder() -> Path:
    from platformdirs import user_data_path

    try:
        return user_data_path("gembill", appauthor=False)
    except RuntimeError:  # this user has no home, as in many containers; older versions of platformdirs give `~/...`
        return Path("~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, checked. Sizes in bytes, durations in seconds."""

    data_dir: Path = field(default_factory=_data_folder)
    database_url: str | None = field(default=None, repr=False)  # it may hold a password
    host: str = "127.0.0.1"
    port: int = 8787
    hosts: tuple[str, ...] = ()  # names the proxy answers to besides loopback and `host`
    origins: tuple[str, ...] = ()  # web pages that may send calls through it
    caller_token: str | None = field(default=None, repr=False)  # what callers from other machines show
    upstream: str = PUBLIC_API
    vertex_upstream: str | None = None  # for paths of Vertex; without it they go to `upstream` too
    upstream_proxy: str | None = field(default=None, repr=False)  # it may hold a password
    upstream_ca: Path | None = None  # authorities (PEM) trusted besides the machine's
    tls: str | None = None  # "self": the proxy speaks TLS with a certificate of its own making
    tls_cert: Path | None = None  # the certificate it speaks TLS with (PEM), and its key unless that is in the file too
    tls_key: Path | None = None
    on_record_failure: str = "closed"
    fingerprint_secret: str | None = field(default=None, repr=False)
    keys: dict[str, str] = field(default_factory=dict)
    spool_min_free_bytes: int = 32 << 20
    spool_keep_hours: int = 192  # posted events, so that a backup of a week ago can be filled up
    pump_seconds: int = 600
    pump_bytes: int = 64 << 20
    pump_calls: int = 1_000
    answer_seconds: int = 900
    connections: int = 4_096  # of callers at once
    connections_per_address: int = 1_024  # of one address of another machine
    stop_seconds: int = 30  # that answers under way have to end after SIGTERM
    prices: Path | None = None  # a price list in the form of billing/gembill/prices.toml that counts before all others
    long_context_counts: str = "prompt"
    tool_tokens_with_grounding: str = "input"
    results_as_output: str = "reported"
    free_tier_keys: tuple[str, ...] = ()  # names or fingerprints of keys whose calls cost nothing
    webhook_url: str | None = field(default=None, repr=False)  # where alerts about budgets go
    webhook_secret: str | None = field(default=None, repr=False)
    notify_urls: tuple[str, ...] = field(default=(), repr=False)  # addresses of apprise, which may hold passwords
    ready_seconds: int = 300  # age of the oldest unposted record from which on the proxy is not ready
    budget_seconds: int = 60  # between two looks at the budgets
    log_format: str = "text"
    log_file: Path | None = None  # without it stderr
    access_log: Path | None = None  # a file for a line a request, `-` for stderr

    @property
    def ledger_url(self) -> str:
        """The database: as given, else a SQLite file in the data folder."""
        return self.database_url or of_file(self.data_folder / "ledger.db")

    @property
    def spool_dir(self) -> Path:
        """The folder that holds one spool per process."""
        return self.data_folder / "spool"

    @property
    def data_folder(self) -> Path:
        """The data folder. ConfigurationError where none was named and this user has no home, as in many containers."""
        if self.data_dir.parts[:1] == ("~",):
            raise ConfigurationError("this user has no home folder; name a data folder in GEMBILL_DATA_DIR")
        return self.data_dir


def _path(value: object) -> Path:
    if not isinstance(value, str | Path) or value == "":
        raise ValueError
    try:
        return Path(value).expanduser()
    except RuntimeError:  # the home folder of `~name` is not known
        raise ValueError from None


def _web_address(text: str) -> str:
    parts = urlsplit(text)  # ValueError, as the port's is
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    return text


def _proxy_address(text: str) -> str:
    return text if text == "none" else _web_address(text)


def _comma_separated(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


_COUNT = Kind(_Count, "a whole number that is not negative", from_text=int)
_TEXT = Kind(_Text, "a text that is not empty")
_SECRET = replace(_TEXT, secret=True)
_PATH = Kind(Any, "a path, and begin with ~ only where that home folder is known", _path)
_WEB = Kind(_Text, f"an http or https address, such as {PUBLIC_API}", _web_address, secret=True)
_KINDS = {
    "data_dir": _PATH,
    "database_url": _SECRET,
    "host": _TEXT,
    "hosts": Kind(
        tuple[_HostName, ...], "a list of host names without ports, such as ['gembill.lan']", from_text=_comma_separated
    ),
    "origins": Kind(
        tuple[_WebOrigin, ...],
        "a list of origins (scheme, host and port), such as ['http://localhost:5173']",
        from_text=_comma_separated,
    ),
    "caller_token": _SECRET,
    "port": Kind(_Port, "a whole number from 0 to 65535", from_text=int),
    "upstream": _WEB,
    "vertex_upstream": _WEB,
    "upstream_proxy": Kind(
        _Text, "none, or the http or https address of a proxy, such as http://host:3128", _proxy_address, secret=True
    ),
    "upstream_ca": _PATH,
    "tls": Kind(Literal["self"], "self, or left out"),
    "tls_cert": _PATH,
    "tls_key": _PATH,
    "on_record_failure": Kind(Literal["closed", "open"], "closed or open"),
    "fingerprint_secret": _SECRET,
    "keys": Kind(dict[str, str], "a table of fingerprint = name, such as k_0123456789ab = 'search-team'", secret=True),
    "spool_min_free_bytes": _COUNT,
    "spool_keep_hours": _COUNT,
    "pump_seconds": _COUNT,
    "pump_bytes": _COUNT,
    "pump_calls": _COUNT,
    "answer_seconds": _COUNT,
    "connections": _COUNT,
    "connections_per_address": _COUNT,
    "stop_seconds": _COUNT,
    "prices": _PATH,
    "long_context_counts": Kind(Literal["prompt", "prompt_and_intermediate"], "prompt or prompt_and_intermediate"),
    "tool_tokens_with_grounding": Kind(Literal["input", "free"], "input or free"),
    "results_as_output": Kind(Literal["reported", "estimate"], "reported or estimate"),
    "free_tier_keys": Kind(
        tuple[_Text, ...],
        "a list of names, such as ['k_0123456789ab', 'search-team']",
        from_text=_comma_separated,
        secret=True,
    ),
    "webhook_url": _WEB,
    "webhook_secret": _SECRET,
    "notify_urls": Kind(tuple[_Text, ...], "a list of addresses", from_text=str.split, secret=True),
    "ready_seconds": _COUNT,
    "budget_seconds": _COUNT,
    "log_format": Kind(Literal["text", "json"], "text or json"),
    "log_file": _PATH,
    "access_log": _PATH,
}
FILE_ONLY = ("keys",)
"""Settings that no variable has, because they are tables."""

_NOT_OURS = {"budget", "price"}  # tables of the same file that other commands read


def allowed(name: str) -> str:
    """What a setting can be, in words. KeyError if there is none of this name."""
    return _KINDS[name].words


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force; flags that are None were not given. ConfigurationError says where a wrong one is from."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for path, table in ((_user_file(environ), ()), _project_file()):
        values |= _from_file(path, table)
    try:
        values |= {name: _checked(_variable(name), name, value) for name, value in _environment(environ).items()}
        for name, value in (flags or {}).items():
            if value is not None:
                values[name] = _checked("--" + name.replace("_", "-"), name, value)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    return Settings(**values)


def database_url(flag: str | None = None) -> str:
    """The ledger's address for commands that need nothing else."""
    return load({"database_url": flag}).ledger_url


def budget_text(environ: Mapping[str, str] | None = None) -> tuple[str, str, tuple[str, ...]] | None:
    """The file that has budgets: its name, its text and the table they are in. The project's file, else the user's;
    None where neither has any."""
    environ = os.environ if environ is None else environ
    for path, table in (_project_file(), (_user_file(environ), ())):
        content: Any = _parse(path)
        for key in table:
            content = content.get(key, {}) if isinstance(content, dict) else {}
        if isinstance(content, dict) and "budget" in content:
            return str(path), path.read_text(encoding="utf-8-sig"), table
    return None


def _checked(called: str, name: str, value: Any) -> Any:  # noqa: ANN401
    """The value of a setting; ValueError in a sentence."""
    return checked(_KINDS, name, value, called=called, among="a setting of gembill")


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    names = (f.name for f in fields(Settings) if f.name not in FILE_ONLY)
    return {name: environ[key] for name in names if environ.get(key := _variable(name))}


def _variable(name: str) -> str:
    return f"GEMBILL_{name.upper()}"


def _from_file(path: Path, table: tuple[str, ...]) -> dict[str, Any]:
    """The settings in a table of a file; none where there is no such file."""
    content: Any = _parse(path)
    for key in table:
        content = content.get(key, {}) if isinstance(content, dict) else None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} has no table at [{'.'.join(table)}] but a single value")
    values: dict[str, Any] = {}
    for name, value in content.items():
        place = (*table, name)
        try:
            values |= {} if name in _NOT_OURS else {name: _checked(written(place), name, value)}
        except ValueError as error:
            line = line_of(path.read_text(encoding="utf-8-sig"), place)
            raise ConfigurationError(f"{path}:{line}: {error}") from None
    return values


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
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
