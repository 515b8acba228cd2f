"""Bills as Parquet: the same lines as in JSON Lines, or a sentence where they cannot be read."""

import importlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from gembill.reconcile import parquet_rows as reader
from gembill.reconcile.bill_files import checked, open_bill, recognise
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.parquet_rows import NoParquet, parquet_rows
from tests.gembill.reconcile.bills import BIGQUERY_ROW


def test_without_pyarrow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(reader, "import_module", missing)
    (tmp_path / "x.parquet").write_bytes(b"PAR1....")
    with pytest.raises(NoParquet, match=r"pip install gembill\[parquet\].*CSV or JSON Lines"):
        open_bill(tmp_path / "x.parquet")


@pytest.fixture
def pyarrow() -> ModuleType:
    module: ModuleType = pytest.importorskip("pyarrow", reason="pyarrow is not installed: Parquet was not tested")
    importlib.import_module("pyarrow.parquet")
    return module


def test_a_file_says_the_same_as_json_lines(tmp_path: Path, pyarrow: ModuleType) -> None:
    rows = [BIGQUERY_ROW | {"cost": cost} for cost in (0.1, 1e-9, 12345.678901)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "bill")
    reading = open_bill(tmp_path / "bill")
    text = [json.dumps(row) + "\n" for row in rows]
    assert reading.form is BillForm.BIGQUERY
    assert list(checked(reading, "bill")) == list(checked(recognise(text, "bill"), "bill"))


def test_decimals_and_times_of_its_own_kinds_keep_all_their_digits(tmp_path: Path, pyarrow: ModuleType) -> None:
    at = datetime(2026, 11, 10, 8, tzinfo=UTC)
    row = {"usage_start_time": at, "usage_end_time": at.replace(hour=9), "export_time": at.replace(hour=10)}
    row |= {"cost": Decimal("12345678901.123456789012")}
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([BIGQUERY_ROW | row]), tmp_path / "bill")
    line = next(iter(checked(open_bill(tmp_path / "bill"), "bill")))
    assert line.cost_pico == 12_345_678_901_123_456_789_012


@pytest.mark.usefixtures("pyarrow")
def test_a_file_that_broke_off_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"PAR1....")
    with pytest.raises(NoParquet, match="not whole Parquet"):
        list(parquet_rows(tmp_path / "x"))
