"""Every operation has its dialect, and every dialect does what all of them do."""

import json

import pytest

from gembill.model import Operation
from gembill.wire.dialect import dialect
from gembill.wire.observation import Observation
from gembill.wire.token_counts import InvalidUsage, Usage


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_has_a_dialect_that_survives_nothing_and_nonsense(operation):
    found = dialect(operation)
    assert found.asked(None, "m")[0].model == "m"
    assert found.executions(()) == ()
    assert found.usage("{}") == Usage()
    sighting = Observation()
    found.observe(b"{}", sighting)
    assert sighting.seen().unread is None
    found.observe(b"no json", sighting)
    assert sighting.seen().unread == "malformed"
    with pytest.raises(InvalidUsage):
        found.usage("[]")


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("error", [{"code": 429, "status": "RESOURCE_EXHAUSTED"}, {"code": "rate_limit_exceeded"}])
def test_every_dialect_reads_an_error_and_its_class(operation, error):
    sighting = Observation()
    dialect(operation).observe(json.dumps({"error": error}).encode(), sighting)
    fault = sighting.seen().fault
    assert fault is not None
    assert (fault.code, fault.kind) == (error["code"], "rate")
