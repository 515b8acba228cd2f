"""Settings: who wins, and one clear sentence for each value that cannot be obeyed."""

import os
from pathlib import Path

import pytest

from gembill.config import PUBLIC_API, Settings, budget_text, database_url, load
from gembill.errors import ConfigurationError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; the user's config folder is `home` inside of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home" / "gembill").mkdir(parents=True)
    return tmp_path


def configured(**variables: str) -> Settings:
    return load(environ={"XDG_CONFIG_HOME": "home", **variables})


def write(user: str | None = None, project: str | None = None, pyproject: str | None = None) -> None:
    for path, text in (("home/gembill/gembill.toml", user), ("gembill.toml", project), ("pyproject.toml", pyproject)):
        if text is not None:
            Path(path).write_text(text)


def test_defaults_are_safe():
    settings = configured()
    assert (settings.host, settings.port, settings.upstream, settings.on_record_failure) == (
        "127.0.0.1",
        8787,
        PUBLIC_API,
        "closed",
    )
    assert (settings.database_url, settings.fingerprint_secret, settings.keys) == (None, None, {})
    assert settings.ledger_url == f"sqlite:///{settings.data_dir / 'ledger.db'}"
    assert settings.spool_dir == settings.data_dir / "spool"


def test_without_a_home_only_what_was_named_is_used():
    nameless = Path("~/.local/share/gembill")  # what platformdirs gives, where it does not raise
    assert Settings(data_dir=nameless, database_url="sqlite:///x").ledger_url == "sqlite:///x"
    for attribute in ("ledger_url", "spool_dir", "data_folder"):
        with pytest.raises(ConfigurationError, match="GEMBILL_DATA_DIR"):
            getattr(Settings(data_dir=nameless), attribute)


def test_each_layer_wins_over_the_one_below():
    everyone = "port = {}\n"
    flags = {"port": 6, "host": None}
    environ = {"XDG_CONFIG_HOME": "home"}
    assert load(environ=environ).port == 8787
    write(user=everyone.format(2))
    assert load(environ=environ).port == 2
    write(pyproject="[tool.gembill]\n" + everyone.format(3))
    assert load(environ=environ).port == 3
    write(project=everyone.format(4))
    assert load(environ=environ).port == 4
    environ["GEMBILL_PORT"] = "5"
    assert load(environ=environ).port == 5
    assert load(flags, environ=environ).port == 6
    assert load({"port": None}, environ=environ).port == 5


def test_layers_mix_but_a_project_has_one_file():
    write(
        user="host = 'localhost'\nport = 1",
        project="port = 2",
        pyproject="[tool.gembill]\nanswer_seconds = 3\n[tool.other]\nx = 1",
    )
    settings = configured(GEMBILL_PUMP_CALLS="7")
    assert (settings.host, settings.port, settings.pump_calls, settings.answer_seconds) == ("localhost", 2, 7, 900)


def test_an_empty_variable_is_not_given():
    assert configured(GEMBILL_PORT="", GEMBILL_DATABASE_URL="").port == 8787


def test_tables_of_other_commands_and_other_tools_are_left_alone():
    write(project="[[budget]]\nname = 'x'\n[[price]]\nmodel = 'y'\n", user="[budget]\n")
    assert configured() == configured()
    write(pyproject="[project]\nname = 'x'\n")
    Path("gembill.toml").unlink()
    assert configured().port == 8787


def test_named_keys_come_from_a_table():
    write(project="[keys]\nk_0123456789ab = 'search-team'\n")
    assert configured().keys == {"k_0123456789ab": "search-team"}
    assert configured(GEMBILL_KEYS="x").keys == {"k_0123456789ab": "search-team"}


def test_folders_may_start_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert configured(GEMBILL_DATA_DIR="~/ledgers").data_dir == Path("/home/someone/ledgers")
    assert load({"data_dir": Path("x")}, environ={"XDG_CONFIG_HOME": "home"}).ledger_url == "sqlite:///x/ledger.db"


def test_a_user_without_a_home_needs_none(monkeypatch):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert load(environ={}).port == 8787


def test_the_process_environment_counts_where_none_is_given(monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "home")
    monkeypatch.setenv("GEMBILL_PORT", "4242")
    monkeypatch.delenv("GEMBILL_DATABASE_URL", raising=False)
    assert load().port == 4242
    assert database_url("postgresql://h/d") == "postgresql://h/d"
    assert database_url().startswith("sqlite:///")


COUNT = "it must be a whole number"
ADDRESS = f"it must be an http or https address, such as {PUBLIC_API}"
BAD = [
    ("port", "'high'", "is 'high'; it must be a whole number from 0 to 65535"),
    ("port", "8787.9", f"is 8787.9; {COUNT}"),
    ("port", "true", f"is true; {COUNT}"),
    ("port", "inf", f"is inf; {COUNT}"),
    ("port", "[1]", f"is [1]; {COUNT}"),
    ("port", "-1", "is -1; it must be a whole number from 0 to 65535"),
    ("port", "65536", "is 65536; it must be a whole number from 0 to 65535"),
    ("pump_seconds", "'-5'", "is '-5'; it must be a whole number that is not negative"),
    ("answer_seconds", "nan", f"is nan; {COUNT}"),
    ("host", "5", "is 5; it must be a text"),
    ("host", "''", "is ''; it must be a text that is not empty"),
    ("database_url", "{ password = 'canary-password' }", "is not shown, because it may be a secret; it must be a text"),
    ("fingerprint_secret", "4242424242424242424", "is not shown, because it may be a secret; it must be a text"),
    ("data_dir", "7", "is 7; it must be a path"),
    ("data_dir", "''", "is ''; it must be a path"),
    ("data_dir", "'~nobody-of-this-name/x'", "begin with ~ only where that home folder is known"),
    ("on_record_failure", "'ajar'", "is 'ajar'; it must be closed or open"),
    ("on_record_failure", "true", "is true; it must be closed or open"),
    ("upstream", "'ftp://host'", f"is not shown, because it may be a secret; {ADDRESS}"),
    ("upstream", "'generativelanguage.googleapis.com'", ADDRESS),
    ("upstream", "'https://'", ADDRESS),
    ("upstream", "'http://[::1'", ADDRESS),
    ("upstream", "'http://host:99999'", ADDRESS),
    ("upstream", "'http://host:port'", ADDRESS),
    ("keys", "{ canary-password = 5 }", "is not shown, because it may be a secret; it must be a table"),
    (
        "free_tier_keys",
        "['canary-password', 5]",
        "is not shown, because it may be a secret; it must be a list of names",
    ),
    ("keys", "['a']", "it must be a table of fingerprint = name"),
    ("keys", "{ k_1 = 5 }", "it must be a table of fingerprint = name"),
    ("prot", "8787", "is not a setting of gembill; is 'port' meant?"),
    ("zzz", "8787", "is not a setting of gembill; known are data_dir, database_url, host"),
]


def refused(**variables: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        configured(**variables)
    text = str(caught.value)
    assert "\n" not in text
    assert not [secret for secret in ("canary-password", "4242424242424242424") if secret in text]
    return text


@pytest.mark.parametrize(("name", "value", "says"), BAD)
def test_a_bad_value_in_a_file_is_one_sentence_with_its_line_and_path(name, value, says):
    for source, text, place in (
        ("gembill.toml", f"{name} = {value}", f"1: $.{name} "),
        ("pyproject.toml", f"[tool.gembill]\n\n{name} = {value}", f"3: $.tool.gembill.{name} "),
        ("home/gembill/gembill.toml", f"# mine\n{name} = {value}", f"2: $.{name} "),
    ):
        Path(source).write_text(text)
        said = refused()
        assert said.startswith(f"{source}:{place}")
        assert says in said
        Path(source).unlink()


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [("GEMBILL_PORT", "high", "is 'high'"), ("GEMBILL_ON_RECORD_FAILURE", "ajar", "must be closed or open"), ("GEMBILL_UPSTREAM", "x", "an http or https"), ("GEMBILL_PUMP_BYTES", "9" * 5_000, "a whole number")],
)  # fmt: skip
def test_a_bad_variable_is_named_as_it_is_set(variable, value, says):
    said = refused(**{variable: value})
    assert said.startswith(variable + " ")
    assert says in said


@pytest.mark.parametrize(
    ("flags", "says"),
    [({"port": 70_000}, "--port is 70000; it must be a whole number from 0 to 65535"), ({"on_record_failure": "ajar"}, "--on-record-failure is 'ajar'"), ({"colour": "red"}, "--colour is not a setting")],
)  # fmt: skip
def test_a_bad_flag_is_named_as_it_is_typed(flags, says):
    with pytest.raises(ConfigurationError, match=says):
        load(flags, environ={"XDG_CONFIG_HOME": "home"})


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"port = ", "cannot be read"), (b"\xff\xfe", "cannot be read"), (b"port = 1\nport = 2", "cannot be read")],
)
def test_a_file_that_is_no_toml_is_named(content, says):
    Path("gembill.toml").write_bytes(content)
    assert refused().startswith("gembill.toml cannot be read: ")


def test_the_mark_that_some_editors_put_before_a_text_is_passed_over():
    Path("gembill.toml").write_text("port = 4242\n[[budget]]\n", encoding="utf-8-sig")
    assert configured().port == 4242
    assert budget_text() == ("gembill.toml", "port = 4242\n[[budget]]\n", ())
    Path("gembill.toml").write_text("\nprot = 4242\n", encoding="utf-8-sig")
    assert refused().startswith("gembill.toml:2: ")


@pytest.mark.parametrize("content", ["tool = 5", "[tool]\ngembill = 5", "[tool]\ngembill = [1]"])
def test_a_table_that_is_a_value_is_named(content):
    write(pyproject=content)
    assert refused() == "pyproject.toml has no table at [tool.gembill] but a single value"


def test_a_path_that_is_a_folder_is_named():
    Path("gembill.toml").mkdir()
    assert refused().startswith("gembill.toml cannot be read: ")


def test_settings_are_frozen_and_show_no_secret():
    settings = load(
        {"fingerprint_secret": "canary-secret-0123", "database_url": "postgresql://u:canary-password@h/d"},
        environ={"XDG_CONFIG_HOME": "home"},
    )
    assert "canary" not in repr(settings)
    assert settings.ledger_url == "postgresql://u:canary-password@h/d"
    with pytest.raises(AttributeError):
        settings.port = 1  # type: ignore[misc]


def test_loading_makes_no_file(folder):
    configured()
    assert sorted(os.listdir(folder)) == ["home"]


def test_prices_and_policies_are_settings_too():
    write(project='free_tier_keys = ["k_1", "team"]\nresults_as_output = "estimate"\nprices = "own.toml"')
    settings = configured(GEMBILL_LONG_CONTEXT_COUNTS="prompt_and_intermediate")
    assert (settings.free_tier_keys, settings.results_as_output) == (("k_1", "team"), "estimate")
    assert (settings.prices, settings.long_context_counts) == (Path("own.toml"), "prompt_and_intermediate")
    assert configured(GEMBILL_FREE_TIER_KEYS="k_1, k_2").free_tier_keys == ("k_1", "k_2")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("free_tier_keys = [1]", "must be a list of names"),
        ('free_tier_keys = ""', "must be a list of names"),
        ('results_as_output = "yes"', "it must be reported or estimate"),
        ('tool_tokens_with_grounding = "x"', "it must be input or free"),
    ],
)
def test_a_policy_nobody_knows_is_refused(text, error):
    write(project=text)
    with pytest.raises(ConfigurationError, match=error):
        configured()


def test_addresses_of_alerts_are_split_at_spaces_and_never_shown():
    settings = load(
        environ={"GEMBILL_NOTIFY_URLS": "slack://a,b mailto://c", "GEMBILL_WEBHOOK_URL": "https://hook/secret"}
    )
    assert settings.notify_urls == ("slack://a,b", "mailto://c")
    assert "secret" not in repr(settings)
    assert "slack" not in repr(settings)
    with pytest.raises(ConfigurationError, match="list of addresses"):
        load({"notify_urls": [5]}, {})


def test_budgets_come_with_the_table_they_are_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert budget_text(environ) is None
    (tmp_path / "pyproject.toml").write_text("[[tool.gembill.budget]]\nname = 'x'\n")
    assert budget_text(environ) == ("pyproject.toml", "[[tool.gembill.budget]]\nname = 'x'\n", ("tool", "gembill"))
    (tmp_path / "gembill.toml").write_text("port = 1\n")
    assert budget_text(environ) is None, "gembill.toml takes the place of pyproject.toml"
    assert load(environ=environ).port == 1


def test_the_way_out_is_none_or_a_proxy_and_is_not_shown():
    assert configured().upstream_proxy is None
    assert configured(GEMBILL_UPSTREAM_PROXY="none").upstream_proxy == "none"
    settings = configured(GEMBILL_UPSTREAM_PROXY="http://user:SECRET@proxy.example:3128")
    assert "SECRET" not in repr(settings)
    for wrong in ("socks5://u:SECRET@proxy.example:1", "proxy.example:3128"):
        with pytest.raises(
            ConfigurationError, match="it must be none, or the http or https address of a proxy"
        ) as caught:
            configured(GEMBILL_UPSTREAM_PROXY=wrong)
        assert "SECRET" not in str(caught.value)


def test_authorities_of_our_own_are_a_path():
    write(project='upstream_ca = "~/ca.pem"')
    assert configured().upstream_ca == Path("~/ca.pem").expanduser()


def test_names_and_origins_of_the_proxy_are_lists_and_checked():
    given = {"GEMBILL_HOSTS": "gembill.lan, 10.1.2.3,[fd00::1]", "GEMBILL_ORIGINS": "http://localhost:5173, app://-"}
    settings = load({}, given)
    assert settings.hosts == ("gembill.lan", "10.1.2.3", "[fd00::1]")
    assert settings.origins == ("http://localhost:5173", "app://-")
    for name in ("gembill.lan:8787", "http://gembill.lan", "*", "a b", "a@b", "a.", ""):
        with pytest.raises(ConfigurationError, match="host names without ports"):
            load({"hosts": [name]}, {})
    for origin in ("localhost:5173", "http://localhost/", "null", "*", "http://a@b", ""):
        with pytest.raises(ConfigurationError, match="a list of origins"):
            load({"origins": [origin]}, {})
