"""Tests of findings.sarif: valid by its schema, stable, silent about what must not be published."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sarif_kit import validate

from render_test import (
    HOSTILE,
    KNOWN,
    OWN_PAGE,
    SEEN,
    a_finding,
    a_hang,
    a_question,
    draw,
    hostile_findings,
    write_run,
)


def drawn(folder: Path) -> dict[str, Any]:
    """Draws a run; gives its findings.sarif, checked."""
    draw(folder)
    log: dict[str, Any] = json.loads((folder / "findings.sarif").read_text("utf-8"))
    assert validate.validation_errors(log) == []
    return log


def the_run(log: dict[str, Any]) -> dict[str, Any]:
    run: dict[str, Any] = log["runs"][0]
    return run


def place_of(result: dict[str, Any]) -> tuple[str, int]:
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


def test_the_schema_refuses_what_is_no_sarif(tmp_path: Path) -> None:
    log = drawn(write_run(tmp_path, [a_finding()]))
    the_run(log)["results"][0]["level"] = "dreadful"
    assert validate.validation_errors(log)


def test_new_causes_are_told_by_rule_and_fingerprint(tmp_path: Path) -> None:
    findings = [a_finding(), a_hang(severity=1), a_question()]
    run = the_run(drawn(write_run(tmp_path, findings, ended="2026-11-23T23:02:00Z")))
    assert [(it["ruleId"], it["level"]) for it in run["results"]] == [
        ("deadline/hangs", "error"),
        ("attributes/lost", "warning"),
        ("attributes/lost", "note"),
    ]
    rules = run["tool"]["driver"]["rules"]
    assert [it["id"] for it in rules] == ["attributes/lost", "deadline/hangs"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["baselineState"] == "new"
        assert "suppressions" not in result
    hang = run["results"][0]
    assert hang["partialFingerprints"]["cause/v1"] == a_hang()["cause"]
    assert hang["message"]["text"].splitlines()[0] == "get hangs in a forked process"
    assert "→ s1.read_only\nReleases: bad in 3.0.0 – 3.0.1" in hang["message"]["text"]
    assert place_of(hang) == ("findings/deadline-hangs-zip/repro.py", 1)
    assert run["invocations"][0]["executionSuccessful"]
    assert run["invocations"][0]["endTimeUtc"] == "2026-11-23T23:02:00Z"


def test_a_fingerprint_is_the_cause_alone(tmp_path: Path) -> None:
    first = a_finding()
    again = a_finding(headline="other", count=1, severity=2, store="local", fingerprint="other")
    prints = [
        the_run(drawn(write_run(tmp_path / name, [it])))["results"][0]["partialFingerprints"]
        for name, it in (("a", first), ("b", again), ("c", a_hang()))
    ]
    assert prints[0] == prints[1] != prints[2]
    assert prints[0]["primaryLocationLineHash"] != prints[2]["primaryLocationLineHash"]


def test_known_causes_are_suppressed_notes(tmp_path: Path) -> None:
    findings = [a_finding(severity=1, known=OWN_PAGE, script=False), a_hang(known=KNOWN)]
    results = the_run(drawn(write_run(tmp_path, findings)))["results"]
    assert [(it["level"], it["baselineState"]) for it in results] == [("note", "unchanged")] * 2
    assert results[0]["suppressions"] == [
        {
            "kind": "external",
            "justification": f"{OWN_PAGE['reason']} reports/defects/zip-two-writers.md",
        }
    ]
    assert place_of(results[0]) == ("findings.jsonl", 1)


def test_what_concerns_security_or_is_not_confirmed_stays_out(tmp_path: Path) -> None:
    write_run(
        tmp_path,
        [a_finding(security="An attacker may.", cause="secret"), a_hang()],
        [a_finding(fingerprint="loose", cause="loose", confirmed=False, why="x")],
        ended=None,
    )
    seen = a_finding(fingerprint="seen", cause="seen only", **SEEN)
    (tmp_path / "seen.jsonl").write_text(json.dumps(seen) + "\n")
    log = drawn(tmp_path)
    causes = [it["partialFingerprints"]["cause/v1"] for it in the_run(log)["results"]]
    assert causes == [a_hang()["cause"]]
    assert "secret" not in json.dumps(log)
    assert [it["id"] for it in the_run(log)["tool"]["driver"]["rules"]] == ["deadline/hangs"]


def test_in_a_checkout_the_place_is_the_class_of_the_store(tmp_path: Path) -> None:
    checkout = tmp_path / "zarr-python"
    source = checkout / "src" / "zarr" / "storage" / "_zip.py"
    source.parent.mkdir(parents=True)
    source.write_text("import zipfile\n\n\nclass ZipStore(Store):\n    pass\n")
    findings = [
        a_finding(store="logging over zip"),
        a_hang(store="memory, zip"),
        a_question(store="a stranger's"),
    ]
    subject = {"release": "3.5.0", "path": str(checkout)}
    results = the_run(drawn(write_run(tmp_path / "run", findings, subject=subject)))["results"]
    assert [place_of(it) for it in results] == [
        ("src/zarr/storage/_zip.py", 4),
        ("src/zarr/storage/_zip.py", 4),
        ("findings/stores-disagree-getsize/repro.py", 1),
    ]


@pytest.mark.parametrize(
    ("about", "successful"),
    [({}, True), ({"self_proof": None}, False), ({"failed": "It broke.", "ended": "x"}, False)],
)
def test_a_run_that_found_nothing_says_whether_it_could_see(
    tmp_path: Path, about: dict[str, Any], successful: bool
) -> None:
    run = the_run(drawn(write_run(tmp_path, **about)))
    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is successful
    assert "othing" in run["properties"]["verdict"]


def test_hostile_text_makes_no_link_and_no_path(tmp_path: Path) -> None:
    findings = [it | {"security": None} for it in hostile_findings(HOSTILE)]
    about = {"troubles": [HOSTILE], "started": HOSTILE}
    run = the_run(drawn(write_run(tmp_path, findings, **about)))
    assert len(run["results"]) == len(findings)
    for result in run["results"]:
        assert "](" not in result["message"]["text"]
        assert re.fullmatch(r"findings(/[\w-]+/repro\.py|\.jsonl)", place_of(result)[0])
        assert re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", result["ruleId"])


def test_a_thousand_causes_are_valid(tmp_path: Path) -> None:
    findings = [a_finding(fingerprint=f"f{n}", cause=f"cause {n}") for n in range(1000)]
    assert len(the_run(drawn(write_run(tmp_path, findings)))["results"]) == 1000
