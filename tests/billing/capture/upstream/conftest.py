"""The event loops of this folder's tests."""

from tests.billing.capture.upstream.scripted import run  # noqa: F401 - a fixture
