"""Says what a run found in SARIF 2.1.0, which code hosts and editors show beside the code.

New causes and known ones; those are suppressed, and notes. A cause with `security` stays out unless
it is asked for, since who uploads this file publishes it. What was not confirmed stays out as well.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import telling
from run_directory import Run, cut

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
ADAPTERS = Path(__file__).parents[1] / "reference" / "stores.json"
LONGEST = 4_000
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def message(text: str) -> dict[str, str]:
    """Makes a message; in plain text SARIF reads [text](target) as a link, so none is left."""
    return {"text": cut(text, LONGEST).replace("](", "] (")}


def slug(text: str) -> str:
    """Makes a word of a name, for identifiers."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "other"


def rule_id(finding: dict[str, Any]) -> str:
    """Names the rule of a finding: the oracle, and the class of difference."""
    return f"{slug(finding['oracle'])}/{slug(finding['class'])}"


def level(finding: dict[str, Any]) -> str:
    """Gives the level of a finding; hosts that know no suppression see a note in what is known."""
    if finding["known"] or finding["question"] or telling.mild(finding):
        return "note"
    return "error" if finding["severity"] <= 2 else "warning"


@cache
def types_of_stores() -> dict[str, str]:
    """Gives the name of its class for each kind of store that comes with storefuzz."""
    stores = json.loads(ADAPTERS.read_text("utf-8"))["stores"]
    return {store["kind"]: store["type"] for store in stores}


@cache
def places_of_classes(checkout: Path) -> dict[str, tuple[str, int]]:
    """Gives path and line of each class in a checkout, the path relative to it."""
    found: dict[str, tuple[str, int]] = {}
    package = "src/**/*.py" if (checkout / "src").is_dir() else "zarr/**/*.py"
    for path in sorted(checkout.glob(package)):
        lines = path.read_text("utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            if match := re.match(r"class (\w+)\b", line):
                found.setdefault(match[1], (path.relative_to(checkout).as_posix(), number))
    return found


def place(run: Run, finding: dict[str, Any]) -> tuple[str, int]:
    """Gives path and line of a finding.

    In a checkout that is there, it is the class of its store, relative to the checkout; otherwise
    its script, relative to the run directory.
    """
    checkout = run.about["subject"]["path"]
    if checkout and Path(checkout).is_dir():
        classes = places_of_classes(Path(checkout))
        for kind in re.split(", | over ", finding["store"]):
            if found := classes.get(types_of_stores().get(kind, "")):
                return found
    if finding["script"]:
        return f"findings/{finding['fingerprint']}/repro.py", 1
    return "findings.jsonl", 1


def text_of(finding: dict[str, Any]) -> str:
    """Says a finding in plain text: its headline, its steps, and its releases."""
    lines = [finding["headline"].replace("`", ""), *finding["steps"]]
    if finding["releases"]:
        lines.append(f"Releases: {finding['releases']['sentence']}")
    return "\n".join(lines)


def result(run: Run, finding: dict[str, Any], rules: list[str]) -> dict[str, Any]:
    """Makes the result of one finding."""
    path, line = place(run, finding)
    digest = hashlib.sha256(finding["cause"].encode()).hexdigest()
    made: dict[str, Any] = {
        "ruleId": rule_id(finding),
        "ruleIndex": rules.index(rule_id(finding)),
        "level": level(finding),
        "message": message(text_of(finding)),
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(path), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": line},
                }
            }
        ],
        # Hosts tell alerts apart by the first; they would form it from the line, which all
        # findings of one store share.
        "partialFingerprints": {
            "primaryLocationLineHash": f"{digest[:16]}:1",
            "cause/v1": finding["cause"],
        },
        "occurrenceCount": max(finding["count"], 1),
        "baselineState": "unchanged" if finding["known"] else "new",
        "properties": {"severity": finding["severity"], "store": finding["store"]},
    }
    if known := finding["known"]:
        reason = " ".join(filter(None, (known["reason"], known["link"])))
        made["suppressions"] = [{"kind": "external", "justification": reason}]
    return made


def rule(name: str, findings: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Makes the rule that findings share."""
    finding = next(it for it in findings if rule_id(it) == name)
    return {
        "id": name,
        "shortDescription": message(f"{finding['oracle']}: {finding['class']}"),
        "fullDescription": message(finding["asks"]),
        "help": message(f"Asked of every case: {finding['asks']} Here: {finding['class']}."),
        "defaultConfiguration": {"level": "warning"},
    }


def invocation(run: Run) -> dict[str, Any]:
    """Says when the run was, and whether it is to be trusted."""
    about = run.about
    made: dict[str, Any] = {
        "executionSuccessful": telling.trusted(run),
        "toolExecutionNotifications": [
            {"level": "warning", "message": message(notice)} for notice in telling.notices(run)
        ],
    }
    for name, time in (("startTimeUtc", about["started"]), ("endTimeUtc", about.get("ended"))):
        if time and UTC.fullmatch(time):
            made[name] = time
    return made


def sarif(run: Run, security: bool = False) -> str:
    """Gives findings.sarif; `security`: with the causes that have it."""
    findings = telling.in_order(it for it in run.findings if security or not it["security"])
    rules = sorted({rule_id(it) for it in findings})
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "storefuzz",
                        "version": run.about["storefuzz"],
                        "rules": [rule(name, findings) for name in rules],
                    }
                },
                "invocations": [invocation(run)],
                "results": [result(run, it, rules) for it in findings],
                "properties": {"verdict": telling.verdict(run).sentence},
            }
        ],
    }
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"
