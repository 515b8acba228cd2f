"""The table of clients and its page; the clients themselves are run by `make clients`."""

import re

import pytest

from tests.clients.clients import PAGE, page, row, verdict_of
from tests.clients.table import CLIENTS, GEMINI, PROXY, Client
from tests.clients.tried import PROGRAMS, ROOT, Verdict

ONE, OTHER = CLIENTS[0], CLIENTS[1]


def verdict(client: Client, version: str) -> Verdict:
    return Verdict(client, version, client.calls, client.calls, equal=True, trouble="")


def test_every_program_is_run_and_every_row_has_one():
    assert {client.program for client in CLIENTS} == {path.name for path in PROGRAMS.iterdir() if path.is_file()}


def test_a_row_has_one_line_of_set_up_that_names_the_proxy():
    assert len(CLIENTS) >= 18
    assert len({client.slug for client in CLIENTS}) == len(CLIENTS)
    for client in CLIENTS:
        assert bool(client.variables) is not bool(client.option)
        assert PROXY in client.setup


def test_a_program_that_is_led_by_a_variable_has_nothing_of_the_proxy():
    for client in CLIENTS:
        assert ("BASE" in (PROGRAMS / client.program).read_text()) is not bool(client.variables), client.name


def test_what_python_clients_bring_along_is_pinned_with_hashes():
    for client in CLIENTS:
        if client.lock:
            name = re.split(r"[\[=]", client.packages[0])[0]
            assert re.search(
                rf"^{re.escape(name)}==\S+ \\\n    --hash=sha256:", (ROOT / client.lock).read_text(), re.MULTILINE
            )


def test_a_strangers_release_fails_no_run_and_a_known_version_does(capsys):
    newest = [client for client in CLIENTS if client.newest]
    assert {client.name for client in newest} == {c.name for c in CLIENTS if "newest" in c.name or c.name == "Go SDK"}
    known = next(client for client in CLIENTS if client.lock)
    assert verdict_of([]) == verdict_of([verdict(newest[0], "9.0")]) == 0
    assert f"LOOK: {newest[0].name} does not work in its newest version, 9.0" in capsys.readouterr().err
    assert verdict_of([verdict(newest[0], "9.0"), verdict(known, "1.0")]) == 1


def test_the_page_has_the_rows_of_this_run_and_keeps_those_that_were_skipped():
    before = page("", [verdict(ONE, "1.0"), verdict(OTHER, "1.0")])
    after = page(before, [verdict(ONE, "2.0")])
    assert [line for line in before.splitlines() if line not in after.splitlines()] == [
        "| " + " | ".join(row(verdict(ONE, "1.0"))) + " |"
    ]
    assert f"| {OTHER.name} | 1.0 | yes |" in after
    assert f"| {ONE.name} | 2.0 | yes |" in after
    assert f"Could not be had: {CLIENTS[2].name}, " in after
    assert "Could not be had" not in page("", [verdict(client, "1.0") for client in CLIENTS])


def test_the_page_in_the_tree_tells_of_every_client_that_could_be_had():
    text = PAGE.read_text()
    named = [client for client in CLIENTS if f"| {client.name} | " in text]
    assert len(named) >= 18
    assert page(text, []) == text
    assert not [line for line in text.splitlines() if line.startswith("| ") and "| no | `" in line]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.slug)
def test_the_readme_names_the_set_up_of_every_client(client):
    text = (ROOT / "README.md").read_text()
    if client.command or client.packages == ("std",):
        assert f"{PROXY} in place of https://generativelanguage.googleapis.com" in " ".join(text.split())
    else:
        assert f"`{client.setup}`" in text
    assert GEMINI in text
