"""Which budgets a command works with."""

import pytest

from gembill.cli.budgets import chosen, load
from gembill.errors import ConfigurationError

TEXT = "".join(f'[[budget]]\nname = "{name}"\nlimit_usd = "1"\nperiod = "day"\n' for name in "ab")


def names(budgets: tuple[str, list]) -> tuple[str, list[str]]:
    return budgets[0], [budget.name for budget in budgets[1]]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def test_the_projects_file_comes_before_the_users(folder):
    assert names(load()) == ("gembill.toml", [])
    user = folder / "config/gembill/gembill.toml"
    user.parent.mkdir(parents=True)
    user.write_text(TEXT)
    assert names(load()) == (str(user), ["a", "b"])
    (folder / "pyproject.toml").write_text('[[tool.gembill.budget]]\nname = "p"\nlimit_usd = "1"\nperiod = "day"\n')
    assert names(load()) == ("pyproject.toml", ["p"])
    (folder / "gembill.toml").write_text(TEXT.replace('"a"', '"c"'))
    assert names(load()) == ("gembill.toml", ["c", "b"])


def test_a_file_can_be_named(folder):
    file = folder / "other.toml"
    file.write_text(TEXT)
    assert names(load(file)) == (str(file), ["a", "b"])
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(folder / "none.toml")


def test_names_choose_and_a_wrong_one_is_refused(folder):
    (folder / "gembill.toml").write_text(TEXT)
    assert names(chosen(None, ())) == ("gembill.toml", ["a", "b"])
    assert names(chosen(None, ("b", "b"))) == ("gembill.toml", ["b"])
    with pytest.raises(ConfigurationError, match="no budget 'c'; it has a, b"):
        chosen(None, ("c",))


def test_a_file_without_budgets_is_refused():
    with pytest.raises(ConfigurationError, match=r"begin one with \[\[budget\]\]"):
        chosen(None, ())
