"""The exception tree: what a caller may catch, and which exit code it means."""

import inspect
import pickle
import re

import pytest

from gembill import errors
from gembill.errors import ConfigurationError, GembillError, Refusal

TREE = {
    "ConfigurationError": "GembillError", "PriceError": "GembillError", "LedgerError": "GembillError", "SchemaError": "LedgerError", "SpoolError": "GembillError",
    "SpoolUnwritable": "SpoolError", "UpstreamError": "GembillError", "UpstreamUnreachable": "UpstreamError", "UpstreamTimeout": "UpstreamError",
    "UpstreamCut": "UpstreamError", "Undelivered": "GembillError", "Refusal": "GembillError",
}  # fmt: skip


def classes() -> dict[str, type]:
    return {
        name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__
    }


def test_the_tree_is_as_it_is_drawn():
    assert {name: kind.__base__.__name__ for name, kind in classes().items() if kind is not GembillError} == TREE
    drawn = re.findall(r"^[ │├└─]+(\w+)", errors.__doc__ or "", re.MULTILINE)
    assert set(drawn) == set(classes())


def test_every_error_is_one_that_a_command_may_show():
    assert all(issubclass(kind, GembillError) for kind in classes().values())
    assert not any(issubclass(kind, OSError | ValueError) for kind in classes().values())


def test_only_a_configuration_error_is_a_usage_error():
    codes = {name: kind.exit_code for name, kind in classes().items()}
    assert codes.pop("ConfigurationError") == 2
    assert set(codes.values()) == {1}


@pytest.mark.parametrize("name", sorted(set(TREE) - {"Refusal"}))
def test_the_text_is_what_was_said(name):
    error = classes()[name]("port is 'high', which is no whole number")
    assert str(error) == "port is 'high', which is no whole number"


def test_a_refusal_carries_its_status_and_reason():
    error = Refusal(503, "GEMBILL_CANNOT_RECORD", "not forwarded")
    assert (error.status, error.reason, str(error)) == (503, "GEMBILL_CANNOT_RECORD", "not forwarded")


def test_errors_travel_between_processes():
    assert str(pickle.loads(pickle.dumps(ConfigurationError("text")))) == "text"
