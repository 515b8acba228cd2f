"""The event loops of this folder's tests."""

from tests.gembill.upstream.scripted import run  # noqa: F401 - a fixture
