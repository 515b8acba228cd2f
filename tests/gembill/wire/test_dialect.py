"""Every operation has its dialect, and every dialect does what all of them do."""

import json

import pytest

from gembill.model import Operation
from gembill.wire.dialect import dialect
from gembill.wire.observation import Observation
from gembill.wire.token_counts import InvalidUsage, Usage


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_has_a_dialect_that_survives_nothing_and_nonsense(operation):
    module = dialect(operation)
    assert module.request_facts(None, "m")[0].model == "m"
    assert module.executions(()) == ()
    assert module.usage("{}") == Usage()
    observation = Observation()
    module.observe(b"{}", observation)
    assert observation.response_facts().unread is None
    module.observe(b"no json", observation)
    assert observation.response_facts().unread == "malformed"
    with pytest.raises(InvalidUsage):
        module.usage("[]")


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("error", [{"code": 429, "status": "RESOURCE_EXHAUSTED"}, {"code": "rate_limit_exceeded"}])
def test_every_dialect_reads_an_error_and_its_class(operation, error):
    observation = Observation()
    dialect(operation).observe(json.dumps({"error": error}).encode(), observation)
    fault = observation.response_facts().fault
    assert fault is not None
    assert (fault.code, fault.kind) == (error["code"], "rate")
