"""A link shows the calls of its row and no others."""

from gembill_reports.dashboard.links import calls_of
from gembill_reports.dashboard.query import PageQuery, view


def asked(*pairs: tuple[str, str]) -> PageQuery:
    return view([("month", "2026-11"), *pairs], 0, None)


def test_a_row_takes_the_place_of_the_filter_of_its_word() -> None:
    filtered = asked(("model", "a"), ("label", "team=x"), ("label", "team=y"), ("label", "env=z"))
    assert calls_of(filtered, "model", "b", ("trouble", "failed")) == (
        "/calls?month=2026-11&label=team%3Dx&label=team%3Dy&label=env%3Dz&model=b&trouble=failed"
    )
    assert calls_of(filtered, "label.team", "w") == "/calls?month=2026-11&model=a&label=env%3Dz&label=team%3Dw"


def test_what_an_address_cannot_say_has_no_link() -> None:
    assert calls_of(asked(), "model", None) == ""
    assert calls_of(asked(), "model", "gemini-*") == ""
