"""Keyed hashes: stable, secret, and a secret that is made once and read by nobody else."""

import hmac
import os
import re
import subprocess
import sys

import pytest

from gembill.capture.fingerprint import Fingerprint, load_secret
from gembill.errors import ConfigurationError

SECRET = b"0123456789abcdef-secret"
KEY = b"AIzaSyD-canary-0123456789"


def test_a_key_has_the_same_fingerprint_under_the_same_secret_only():
    one, same, other = Fingerprint(SECRET), Fingerprint(SECRET), Fingerprint(SECRET + b"x")
    assert one.key(KEY) == same.key(KEY)
    assert one.key(KEY) != other.key(KEY)
    assert one.key(KEY) != one.key(KEY + b"x")
    assert re.fullmatch(r"k_[0-9a-f]{12}", one.key(KEY) or "")


@pytest.mark.parametrize("none", [None, b""])
def test_no_credential_has_no_fingerprint(none):
    assert Fingerprint(SECRET).key(none) is None


def test_people_may_name_a_fingerprint():
    bare = Fingerprint(SECRET).key(KEY) or ""
    named = Fingerprint(SECRET, {bare: "search-team", "k_000000000000": "nobody"})
    assert named.key(KEY) == "search-team"
    assert named.key(b"another key") == Fingerprint(SECRET).key(b"another key")


def test_people_may_name_an_account():
    assert Fingerprint(SECRET, {"my-project": "search-team"}).named("my-project") == "search-team"
    assert Fingerprint(SECRET).named("my-project") == "my-project"


@pytest.mark.parametrize("length", [16, 63, 64, 65, 200])
def test_the_hash_is_the_hmac_of_the_standard_library(length):
    secret = os.urandom(length)
    key, opening = (hmac.digest(secret, text, "sha256").hex() for text in (b"key\0" + KEY, b"conversation\0k\0opening"))
    assert Fingerprint(secret).key(KEY) == f"k_{key[:12]}"
    assert Fingerprint(secret).conversation("k", "opening") == f"l_{opening[:20]}"


def test_a_named_conversation_hangs_on_key_and_name_and_tells_neither():
    prints = Fingerprint(SECRET)
    name = prints.conversation("k_1", "opening")
    assert re.fullmatch(r"l_[0-9a-f]{20}", name)
    assert name == Fingerprint(SECRET).conversation("k_1", "opening")
    others = [prints.conversation("k_2", "opening"), prints.conversation("k_1", "other"), prints.conversation(None, "opening"),
              prints.conversation("k_1\0open", "ing"), Fingerprint(SECRET + b"x").conversation("k_1", "opening")]  # fmt: skip
    assert len({name, *others}) == 6


def test_a_key_and_a_conversation_never_share_a_hash():
    prints = Fingerprint(SECRET)
    assert (prints.key(b"x\0y") or "")[2:] not in prints.conversation("x", "y")


def test_the_secret_is_printed_nowhere():
    assert SECRET.decode() not in repr(Fingerprint(SECRET))


def test_a_given_secret_wins_and_makes_no_file(tmp_path):
    assert load_secret("0123456789abcdef", tmp_path) == b"0123456789abcdef"
    assert list(tmp_path.iterdir()) == []


def test_a_given_secret_must_be_long_and_is_not_shown(tmp_path):
    with pytest.raises(ConfigurationError, match="7 characters; it needs 16") as caught:
        load_secret("canary1", tmp_path)
    assert "canary1" not in str(caught.value)


def test_the_secret_is_made_once_and_only_for_us(tmp_path):
    folder = tmp_path / "data" / "gembill"
    made = load_secret(None, folder)
    assert load_secret(None, folder) == made
    assert load_secret(None, tmp_path / "other") != made
    assert len(made) == 64
    (file,) = folder.iterdir()
    assert file.name == "fingerprint.secret"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_line_end_that_an_editor_left_changes_nothing(tmp_path):
    file = tmp_path / "fingerprint.secret"
    file.write_bytes(SECRET + b"\n")
    file.chmod(0o600)
    assert load_secret(None, tmp_path) == load_secret(SECRET.decode(), tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602, 0o666])
def test_a_secret_that_others_can_reach_is_refused(tmp_path, mode):
    load_secret(None, tmp_path)
    file = tmp_path / "fingerprint.secret"
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600") as caught:
        load_secret(None, tmp_path)
    assert file.read_text() not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"short", b" " * 40 + b"\n"])
def test_a_file_that_holds_no_secret_is_refused(tmp_path, content):
    (tmp_path / "fingerprint.secret").write_bytes(content)
    with pytest.raises(ConfigurationError, match="is not a secret"):
        load_secret(None, tmp_path)


def test_a_folder_that_cannot_be_used_is_one_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="can be neither read nor made"):
        load_secret(None, tmp_path / "file")
    (tmp_path / "fingerprint.secret").mkdir()
    with pytest.raises(ConfigurationError, match="can be neither read nor made"):
        load_secret(None, tmp_path)


_CHILD = """
import sys
from pathlib import Path
from gembill.capture.fingerprint import load_secret
print("ready", flush=True)
sys.stdin.readline()
print(load_secret(None, Path(sys.argv[1])).decode())
"""


def test_of_eight_processes_that_start_together_all_have_the_one_secret(tmp_path):
    folder = tmp_path / "data"
    command = [sys.executable, "-c", _CHILD, str(folder)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()}) for _ in range(8)]  # fmt: skip
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    secrets = {process.communicate(timeout=30)[0].strip() for process in started}
    assert [process.returncode for process in started] == [0] * 8
    assert len(secrets) == 1
    assert [file.name for file in folder.iterdir()] == ["fingerprint.secret"]
