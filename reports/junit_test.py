"""Tests of junit.xml: what fails, what is skipped and why, and that it can be read again."""

import json
from pathlib import Path
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite

from render_test import (
    HOSTILE,
    KNOWN,
    SEEN,
    a_finding,
    a_hang,
    a_question,
    draw,
    hostile_findings,
    write_run,
)


def drawn(folder: Path) -> TestSuite:
    """Draws a run; gives the suite of its junit.xml."""
    draw(folder)
    (suite,) = JUnitXml.fromfile(str(folder / "junit.xml"))
    assert suite.tests == len(list(suite))
    return suite


def test_new_causes_fail_and_all_else_is_skipped(tmp_path: Path) -> None:
    findings = [a_finding(), a_hang(known=KNOWN), a_question()]
    loose = a_finding(fingerprint="loose", confirmed=False, why="It came and went.")
    write_run(tmp_path, findings, [loose], ended=None)
    seen = a_finding(fingerprint="seen", **SEEN)
    (tmp_path / "seen.jsonl").write_text(json.dumps(seen) + "\n")
    suite = drawn(tmp_path)
    assert suite.name == "storefuzz: zarr 3.0.1"
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (6, 2, 0, 3)
    whole, failed, _, *rest = suite
    assert whole.name == "the run can see"
    assert whole.is_passed
    (failure,) = failed.result
    assert isinstance(failure, Failure)
    assert failed.name == failure.message == "_read_only is lost when a ZipStore is pickled"
    assert failed.classname == a_finding()["cause"]
    assert failure.type == "attributes: lost"
    for told in (
        "→ s1.read_only\n",
        "Releases: bad in 3.0.0 – 3.0.1",
        "uv run --with zarr==3.0.1 findings/attributes-lost-zip/repro.py",
    ):
        assert told in failure.text
    reasons = [it.result[0].message for it in rest]
    assert all(isinstance(it.result[0], Skipped) for it in rest)
    assert reasons == [
        *("known: It was told.", "unconfirmed: It came and went."),
        "unconfirmed: not followed yet",
    ]


@pytest.mark.parametrize(
    ("about", "errors"),
    [({}, 0), ({"self_proof": None}, 1), ({"failed": "It broke.", "ended": "x"}, 1)],
)
def test_a_run_that_may_be_blind_is_an_error(
    tmp_path: Path, about: dict[str, Any], errors: int
) -> None:
    suite = drawn(write_run(tmp_path, **about))
    assert (suite.tests, suite.failures, suite.errors) == (1, 0, errors)
    (whole,) = suite
    assert drawn(write_run(tmp_path, [a_hang()], **about)).errors == (1 if "failed" in about else 0)
    if errors:
        assert isinstance(whole.result[0], Error)
        assert "othing" in whole.result[0].message


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    loose = {**a_finding(fingerprint="loose", why=HOSTILE), "confirmed": False}
    about = {"subject": {"release": None, "path": HOSTILE}}
    suite = drawn(write_run(tmp_path, hostile_findings(HOSTILE), [loose], **about))
    assert suite.tests == 6
    assert "<script>alert(1)</script>" in list(suite)[1].name
