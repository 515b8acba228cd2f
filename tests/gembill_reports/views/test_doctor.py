"""What is wrong, as JSON, CSV and lines."""

import csv
import io

from gembill.doctor import Ailment
from gembill_reports.views.doctor import DoctorView
from gembill_reports.views.view import Format, text

NOTE = Ailment(about="sqlite", sentence="an old one", remedy="pip", note=True)
WRONG = Ailment(about="gap", sentence="place 2 is missing", remedy="`gembill replay`")


def test_what_is_wrong_comes_first_with_what_mends_it() -> None:
    (sheet,) = DoctorView([NOTE, WRONG]).sheets()
    shown = sheet.terminal(100)
    assert shown.startswith("1 thing is wrong")
    assert shown.index("gap: place 2 is missing") < shown.index("`gembill replay`") < shown.index("sqlite: an old one")
    (well,) = DoctorView([NOTE]).sheets()
    assert well.terminal(100).startswith("Nothing is wrong")
    (two,) = DoctorView([WRONG, WRONG]).sheets()
    assert two.terminal(100).startswith("2 things are wrong")


def test_json_and_csv_have_a_row_for_each() -> None:
    view = DoctorView([NOTE, WRONG])
    assert [each["about"] for each in view.json()["findings"]] == ["gap", "sqlite"]
    assert len(list(csv.DictReader(io.StringIO("".join(text(view, Format.CSV)))))) == 2
