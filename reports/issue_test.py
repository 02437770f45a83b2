"""Tests of the text of an issue: who gets one, and that it says all that a maintainer asks."""

import json
from pathlib import Path

import render
from render_test import HOSTILE, KNOWN, a_finding, a_hang, a_question, draw, write_run

FINDINGS = [
    a_finding(),
    a_hang(fingerprint="secret", security="An attacker may."),
    a_question(),
    a_finding(fingerprint="known", known=KNOWN),
    a_finding(fingerprint="mild", severity=6),
    a_finding(fingerprint="no-script", script=False),
]


def issues(run: Path) -> set[str]:
    return {path.parent.name for path in run.glob("findings/*/issue.md")}


def test_what_is_new_and_severe_and_can_be_shown_gets_one(tmp_path: Path) -> None:
    draw(write_run(tmp_path, FINDINGS))
    assert issues(tmp_path) == {"attributes-lost-zip"}


def test_what_concerns_security_is_published_when_it_is_asked_for(tmp_path: Path) -> None:
    write_run(tmp_path, FINDINGS)
    assert render.main([str(tmp_path), "--security"]) == 0
    assert issues(tmp_path) == {"attributes-lost-zip", "secret"}
    log = json.loads((tmp_path / "findings.sarif").read_text("utf-8"))
    assert a_hang()["cause"] in json.dumps(log["runs"][0]["results"])


def test_it_can_be_filed_as_it_is(tmp_path: Path) -> None:
    draw(write_run(tmp_path, [a_finding()], repro='print("DEFECT")\n'))
    text = (tmp_path / "findings/attributes-lost-zip/issue.md").read_text("utf-8")
    parts = [line for line in text.splitlines() if line.startswith("#")]
    assert parts == [
        "# `_read_only` is lost when a ZipStore is pickled",
        "## Versions",
        "## How to see it",
        "## Expected",
        "## Actual",
        "## Why",
    ]
    assert '```python\nprint("DEFECT")\n```' in text
    assert "zarr 3.0.1, Python 3.13.0" in text
    assert "bad in 3.0.0 – 3.0.1, good from 3.0.2" in text
    assert "`→ s1.read_only`" in text


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    draw(write_run(tmp_path, [a_finding(headline=HOSTILE, rows=[["should be", HOSTILE]])]))
    text = (tmp_path / "findings/attributes-lost-zip/issue.md").read_text("utf-8")
    title = text.splitlines()[0]
    assert "<script>" not in title.replace("&lt;script>", "")
    assert "](http" not in title.replace("\\](", "")
    assert "@someone" not in title.replace("\\@someone", "")
