"""The rows of an export that was saved as Parquet.

Owns: reading them with `pyarrow`, which only the extra `parquet` installs. Not here: what a row says (`exported_rows`).
Invariant: some thousand rows are held at a time; a number keeps all its digits, and a missing package is a sentence.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from gembill.errors import GembillError
from gembill.reconcile.exported_rows import flat

_AT_ONCE = 5_000


class NoParquet(GembillError):
    """Parquet cannot be read here, or the file is none."""


def parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row with its number, names joined as in JSON Lines."""
    try:
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError:
        raise NoParquet(
            f"{path} is Parquet, which needs 'pip install gembill[parquet]'; or save the query's result as CSV or JSON "
            "Lines instead"
        ) from None
    errors: Any = import_module("pyarrow").ArrowException
    try:
        number = 0
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_AT_ONCE):
                for row in batch.to_pylist():
                    number += 1
                    yield number, flat(row)
    except (errors, ValueError) as error:
        raise NoParquet(f"{path} is not whole Parquet: {str(error).partition(chr(10))[0]}") from None
