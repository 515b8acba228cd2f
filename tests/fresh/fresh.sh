#!/usr/bin/env bash
# `make fresh`: the installation as a stranger's machine does it, and the days to come.
# Owns: the environments it makes, which end with it. Not here: how the checkout is installed (Makefile).
# Steps: locks, newest, lowest, clock; all of them if none is named. PYTHON and BIN (tools of the checkout) come from make.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_QUIET=1
tests="tests/gembill tests/gembill_reports tests/gembill_simulator"

say() { echo "== fresh: $*" >&2; }

demo() { (cd "$scratch" && env HOME="$scratch" XDG_DATA_HOME="$scratch/data" "$1/bin/gembill" demo --records 100 >"$1.demo" 2>&1) || { cat "$1.demo"; return 1; }; }

suite() { "$1/bin/python" -m pytest -q -n 2 --dist loadscope $tests; }

# locks PIP: both locks and the demo with a pip of this version
locks() {
  local venv="$scratch/pip-$1"
  say "both locks by pip $1"
  "$PYTHON" -m venv "$venv"
  if [ "$1" = newest ]; then "$venv/bin/python" -m pip install -U pip; else "$venv/bin/python" -m pip install "pip==$1"; fi
  for lock in run dev; do
    "$venv/bin/python" -m pip install --no-deps --require-hashes -r "requirements/$lock.txt"
    "$venv/bin/python" -m pip check
  done
  "$venv/bin/python" -m pip install --no-deps --no-build-isolation .
  demo "$venv"
}

# resolved NAME RESOLUTION: what uv chooses without a lock, the demo and the packages' own tests
resolved() {
  local venv="$scratch/$1"
  say "the $1 of every dependency, and the packages' own tests"
  "$PYTHON" -m venv "$venv"
  "$BIN/uv" pip compile -q --resolution "$2" --python "$venv/bin/python" --no-header pyproject.toml --group dev -o "$scratch/$1.txt"
  "$BIN/uv" pip install -q --python "$venv/bin/python" --no-deps -r "$scratch/$1.txt"
  "$BIN/uv" pip install -q --python "$venv/bin/python" --no-deps --no-build-isolation .
  demo "$venv"
  suite "$venv"
}

clock() {
  if ! command -v gcc >/dev/null; then say "no gcc: the suite was not run on another day"; return; fi
  gcc -shared -fPIC -O2 -o "$scratch/clock.so" tests/fresh/clock.c -ldl
  local ahead=$(($(date -u -d 2027-01-05T09:00:00Z +%s) - $(date -u +%s)))
  say "the packages' own tests on $(LD_PRELOAD=$scratch/clock.so GEMBILL_CLOCK_AHEAD=$ahead date -u +%F)"
  LD_PRELOAD="$scratch/clock.so" GEMBILL_CLOCK_AHEAD=$ahead "$BIN/python" -m pytest -q -n 2 --dist loadscope $tests
}

for step in "${@:-locks newest lowest clock}"; do
  for one in $step; do
    case "$one" in
      locks) locks 23.2.1 && locks newest ;;
      newest) resolved newest highest ;;
      lowest) resolved lowest lowest-direct ;;
      clock) clock ;;
      *) echo "fresh knows no step $one" >&2; exit 2 ;;
    esac
  done
done
