"""The FOCUS export of a made-up ledger, held against the FinOps Foundation's own validator.

Run by `make focus`: `python -m tests.focus.validate ENVIRONMENT`, the environment that requirements/focus.txt is
installed in. Owns: what the ledger has in it, and what counts as passed. Not here: the rules of FOCUS. Invariant: it passes
only if the validator read every cell, checked as many rules as before, found nothing but the one failure no export
escapes, and finds the mistakes of a spoilt copy. The validator exits 0 whatever it finds (formats.md 1), so only its
report counts. Wrong dates it does not see; tests/gembill_reports/test_focus.py does.
"""

import csv
import json
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

from gembill.config import Settings
from gembill.event import Event
from gembill.ledger import open_ledger
from gembill.price_catalog import terms
from tests.gembill.calls import FLASH, event, executed, put
from tests.surroundings import clean

VERSION = "1.2.0.1"
CONTRADICTION = "InvoiceId-C-005-C"  # every row needs an id; InvoiceId-C-004-C: none may have one
# What a provider of token prices supports, so that the rules of these columns count. Two more would fit and fail without
# a fault: PUBLIC_PRICE_LIST asks for columns of a second currency, USAGE_MEASUREMENT takes 258 for no decimal number.
SUPPORTED = ("ACCOUNT_NAMING", "MULTIPLE_PRICING_CATEGORIES", "NEGOTIATED_PRICING", "TAGGING", "UNIT_PRICING")
PASSING = 186  # as many as have something to check; fewer means that some were passed over
KINDS = {"prompt", "cached", "intermediate", "output", "thinking", "grounding"}
TIERS = {"standard", "batch", "flex", "priority", "provisioned"}
MISTAKES = {  # by the rule that has to see it: a column, and what the spoilt copy has there; None: no column
    "BillingCurrency-C-006-M": ("BillingCurrency", "usd"),
    "CostAndUsage-D-021-M": ("PublisherName", None),
    "PricingUnit-C-003-O": ("PricingUnit", "1M tokens"),
    "ServiceCategory-C-003-M": ("ServiceCategory", "AI"),
    "Tags-C-001-M": ("Tags", "team=search"),
}
Rows = list[dict[str, str]]
Report = dict[str, set[str]]  # ids of rules: passed, failed, skipped


def main(environment: Path) -> str:
    """What was found, in a sentence; SystemExit says what is wrong."""
    with tempfile.TemporaryDirectory(prefix="gembill-focus-") as scratch:
        folder = Path(scratch)
        rows = exported(folder)
        report = validated(environment, folder, "export", rows)
        check(report, folder)
        check_spoilt(validated(environment, folder, "spoilt", spoilt(rows[:100])))
    return (
        f"FOCUS {VERSION}, {len(rows):,} rows: {len(report['passed'])} rules passed, 1 failed ({CONTRADICTION}, which "
        f"contradicts its neighbour), {len(report['skipped'])} do not apply or cannot be checked by a program."
    )


def exported(folder: Path) -> Rows:
    """The demo's ledger, calls that the demo lacks, and corrections of both, as `gembill export` writes them."""
    gembill(folder, "demo")
    ledger = open_ledger(url(folder))
    try:
        put(ledger, terms(ledger, Settings(free_tier_keys=("-free",))), *unlike_the_demo())
    finally:
        ledger.close()
    gembill(folder, "prices", "set", FLASH, "--input", "0.41", "--grounding", "12", "--from", "2026-10-15")
    gembill(folder, "rerate", "--results-as-output", "estimate", "--tool-tokens-with-grounding", "free")
    gembill(folder, "export", "--format", "focus", "--billing-account", "Smith & Sons, 'Ltd'", "-o", "gembill.csv")
    with (folder / "gembill.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    missing = (KINDS - {row["x_TokenKind"] for row in rows}) | (TIERS - {row["x_ServiceTier"] for row in rows})
    if missing:
        sys.exit(f"focus: the made-up ledger has no charges of the kinds {sorted(missing)}; see `unlike_the_demo`")
    return rows


def unlike_the_demo() -> list[Event]:
    """Grounding, audio, caches, images, tiers, long prompts, no cost, odd texts, an alias, and the edges of months."""
    cached = {"cachedContentTokenCount": 500, "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 300}]}
    audio = {"promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 400}]}
    image = {"candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 120}]}
    odd = {"team": "=1+1", 'quo"te': "a,b;c\n\t'", "größe": "🦆", "empty": "", "null": "NULL"}
    return [
        event(1, usage=cached | audio),
        event(2, seen={"searches": 3, "grounded": True}),
        event(3, seen={"searches": 1, "grounded": True}, model="gemini-2.5-pro"),
        event(4, usage=image, model="gemini-3-pro-image"),
        event(5, usage={"promptTokenCount": 250_000}, model="gemini-3.1-pro-preview"),
        event(6, usage={"promptTokenCount": 1, "toolUsePromptTokenCount": 0, "candidatesTokenCount": 2_000_000}),
        event(7, labels=odd, key="=key"),
        event(8, key="-free"),
        event(9, key="-free", model="gemini-of-no-price-list"),
        event(10, seen={"outline": executed(400, 100)}),
        event(11, at="2026-11-01T08:30:00+00:00"),
        event(12, at="2026-11-01T09:30:00+00:00"),
        event(13, at="2027-01-01T07:59:59.999999+00:00"),
        event(14, at="2028-02-29T12:00:00+00:00"),
        event(15, model="gemini-3.1-flash-lite-preview"),
        *(event(20 + number, tier=tier) for number, tier in enumerate(sorted(TIERS))),
    ]


def spoilt(rows: Rows) -> Rows:
    """The rows with all of MISTAKES."""
    changed = dict(MISTAKES.values())
    return [
        {name: changed.get(name) or cell for name, cell in row.items() if changed.get(name, "") is not None}
        for row in rows
    ]


def validated(environment: Path, folder: Path, name: str, rows: Rows) -> Report:
    """What the validator says of rows; SystemExit if it has no whole report on all of them."""
    place = folder / name
    place.mkdir()
    # it finds its list of currencies only from here
    (place / "focus_validator").symlink_to(package(environment))
    with (place / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    words = ["--data-file", "rows.csv", "--focus-dataset", "CostAndUsage", "--validate-version", VERSION]
    words += ["--block-download", "--applicability-criteria", ",".join(f"{one}_SUPPORTED" for one in SUPPORTED)]
    words += ["--output-type", "unittest", "--output-destination", "report.xml"]
    command = [str(environment.absolute() / "bin" / "focus-validator"), *words]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0 or not (place / "report.xml").exists():
        sys.exit(f"focus: the validator broke off with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    read = re.search(r"successfully: (\d+) rows, (\d+) columns", (place / "focus_validator_detailed.log").read_text())
    if read is None or (int(read[1]), int(read[2])) != (len(rows), len(rows[0])):
        understood = f"{read[1]} rows and {read[2]} columns" if read else "nothing"
        sys.exit(f"focus: the validator read {understood} of {len(rows)} rows and {len(rows[0])} columns")
    return report_of(place / "report.xml")


def report_of(path: Path) -> Report:
    """The rules by outcome. What it calls an error is a failure too: a rule on a column that is not there."""
    names = {"failure": "failed", "error": "failed", "skipped": "skipped"}
    report: Report = defaultdict(set)
    for case in ET.parse(path).getroot().iter("testcase"):
        outcome = names[case[0].tag] if len(case) else "passed"
        report[outcome].add(case.attrib["name"].split()[0])
    return report


def check(report: Report, folder: Path) -> None:
    """SystemExit unless all rules passed that can."""
    if unexpected := sorted(report["failed"] - {CONTRADICTION}):
        texts = json.loads((folder / "export" / "focus_validator" / "rules" / f"model-{VERSION}.json").read_text())
        lines = (f"  {rule}: {texts['ModelRules'][rule]['ValidationCriteria']['MustSatisfy']}" for rule in unexpected)
        sys.exit("\n".join(["focus: the export breaks rules of FOCUS:", *lines]))
    if CONTRADICTION not in report["failed"]:
        sys.exit(f"focus: {CONTRADICTION} does not fail any more; take the exception out of tests/focus/validate.py")
    if len(report["passed"]) < PASSING:
        sys.exit(f"focus: only {len(report['passed'])} rules passed, {PASSING} should; the validator left some out")


def check_spoilt(report: Report) -> None:
    """SystemExit unless every mistake was found."""
    if unseen := sorted(set(MISTAKES) - report["failed"]):
        sys.exit(
            f"focus: the validator did not see the mistakes put in for {', '.join(unseen)}; it cannot be relied on"
        )


def package(environment: Path) -> Path:
    """The validator's own folder in its environment."""
    packages = [*environment.absolute().glob("lib/python*/site-packages/focus_validator")]
    if len(packages) != 1:
        sys.exit(f"focus: no focus-validator is installed in {environment}; `make focus` installs it")
    return packages[0]


def gembill(folder: Path, *words: str) -> None:
    """Run a command on the made-up ledger."""
    own = {"GEMBILL_DATA_DIR": str(folder), "GEMBILL_DATABASE_URL": url(folder), "GEMBILL_FREE_TIER_KEYS": "-free"}
    environment = clean(**own)
    command = [sys.executable, "-m", "gembill", *words]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        sys.exit(f"focus: `gembill {' '.join(words)}` exits with {done.returncode}:\n{done.stdout}{done.stderr}")


def url(folder: Path) -> str:
    """The address of the demo's ledger."""
    return f"sqlite:///{folder / 'demo' / 'ledger.db'}"


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
