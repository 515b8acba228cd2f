"""Saved views: names that lead to pages of ours, in a file with a limit."""

from pathlib import Path

import pytest

from gembill.errors import ConfigurationError
from gembill_reports.dashboard.frame import is_page
from gembill_reports.dashboard.saved_views import MOST, SavedViews, link_of


@pytest.fixture
def views(tmp_path: Path) -> SavedViews:
    return SavedViews(tmp_path / "folder" / "views.json", is_page)


def kept_in(views: SavedViews) -> Path:
    assert views.path is not None
    return views.path


def test_a_name_leads_to_its_newest_address_in_the_order_of_names(views: SavedViews) -> None:
    views.save(" search  team ", "/calls?label=team%3Dsearch")
    views.save("Budget", "/budgets")
    views.save("search team", "/models?label=team%3Dsearch")
    again = SavedViews(views.path, is_page)
    assert list(again.read().items()) == [("Budget", "/budgets"), ("search team", "/models?label=team%3Dsearch")]
    assert kept_in(views).stat().st_mode & 0o777 == 0o600


def test_a_deleted_name_is_gone_and_can_be_deleted_again(views: SavedViews) -> None:
    views.save("a", "/")
    views.delete("a")
    views.delete("a")
    assert views.read() == {}


@pytest.mark.parametrize(
    "address",
    [
        *("", "calls", "//evil.example/calls", "https://evil.example/", "/\\evil.example", "/nothing", "/calls.json"),
        *("/calls/../x", "/sign-out", "/calls?\r\nx: y", "/calls?" + "x" * 4000, "/calls?\u00e9", "//[/calls"),
    ],
)
def test_only_pages_of_ours_are_kept(views: SavedViews, address: str) -> None:
    with pytest.raises(ConfigurationError, match="only pages"):
        views.save("a", address)
    assert not kept_in(views).exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b"])
def test_a_name_has_some_characters_that_can_be_read(views: SavedViews, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is named with"):
        views.save(name, "/")


def test_their_number_has_a_limit(views: SavedViews) -> None:
    for number in range(MOST):
        views.save(f"v{number}", "/")
    views.save("v1", "/calls")
    with pytest.raises(ConfigurationError, match="there are 100"):
        views.save("more", "/")


def test_a_file_that_was_changed_leads_nowhere_else(views: SavedViews) -> None:
    views.save("a", "/")
    kept_in(views).write_text('{"views": {"a": "https://evil.example", "b": "/calls"}}')
    assert views.read() == {"b": "/calls"}
    for broken in ("{", "[]", '{"views": 1}'):
        kept_in(views).write_text(broken)
        with pytest.raises(ConfigurationError, match="cannot be read"):
            views.read()


def test_without_a_data_folder_there_are_none_and_that_is_said() -> None:
    views = SavedViews(None, is_page)
    assert views.read() == {}
    with pytest.raises(ConfigurationError, match="GEMBILL_DATA_DIR"):
        views.save("a", "/")


def test_a_name_is_a_link() -> None:
    assert link_of("a b&c") == "/view?name=a+b%26c"
