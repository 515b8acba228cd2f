"""The one door from a result to text."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest

from gembill_reports.layout.sheet import Sheet
from gembill_reports.layout.tables import Column, Table
from gembill_reports.views.view import Csv, Format, View, text, write


@dataclass(frozen=True, slots=True)
class Fruit(View):
    """Two sheets of one fruit each."""

    names: tuple[str, ...] = ("apple", "pear")

    def json(self) -> dict[str, Any]:
        return {"fruit": list(self.names)}

    def csv(self) -> Csv:
        return Csv(("name",), ({"name": name, "unused": 1} for name in self.names))

    def sheets(self) -> Sequence[Sheet]:
        return [Sheet(name, Table((Column("Name", text=True),), ((name,),)), ()) for name in self.names]


@dataclass(frozen=True, slots=True)
class Streamed(Fruit):
    """JSON as ready text, and a page."""

    def json(self) -> Iterator[str]:  # type: ignore[override]
        return iter(["[", "]"])

    def special(self) -> Mapping[Format, Callable[[], Iterable[str]]]:
        return {Format.HTML: lambda: ["<p>", "fruit"]}


def whole(view: View, form: Format) -> str:
    return "".join(text(view, form))


def test_json_is_indented_and_ends_its_line() -> None:
    assert json.loads(whole(Fruit(), Format.JSON)) == {"fruit": ["apple", "pear"]}
    assert whole(Fruit(), Format.JSON).endswith("]\n}\n")


def test_csv_has_the_columns_of_its_header_alone() -> None:
    assert list(csv.DictReader(StringIO(whole(Fruit(), Format.CSV)))) == [{"name": "apple"}, {"name": "pear"}]


def test_sheets_are_parted_by_an_empty_line() -> None:
    one, other = Fruit(("apple",)), Fruit(("pear",))
    for form in (Format.TABLE, Format.MARKDOWN):
        assert whole(Fruit(), form) == f"{whole(one, form)}\n{whole(other, form)}"


def test_an_iterator_is_the_text_of_the_document() -> None:
    assert list(text(Streamed(), Format.JSON)) == ["[", "]"]


def test_a_view_may_have_formats_of_its_own() -> None:
    assert whole(Streamed(), Format.HTML) == "<p>fruit"
    with pytest.raises(KeyError):
        text(Fruit(), Format.HTML)


def test_only_json_and_csv_are_data() -> None:
    assert [form for form in Format if form.is_data] == [Format.JSON, Format.CSV]


def test_write_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    write(Fruit(), Format.CSV)
    assert capsys.readouterr().out == "name\napple\npear\n"
