"""Says what a run found as a JUnit report, which CI servers draw as tests.

The run itself is a test, which fails if its silence means nothing. Of the causes, new ones fail;
known ones and what was not confirmed are skipped, with the reason.
"""

from collections.abc import Iterable
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

import telling
from run_directory import Run, cut

LONGEST = 4_000
WHOLE_RUN = "the run can see"


def said(finding: dict[str, Any]) -> str:
    """Gives the headline of a finding as plain text on one line."""
    return cut(" ".join(finding["headline"].replace("`", "").split()), LONGEST)


def case_of(finding: dict[str, Any]) -> TestCase:
    """Makes the test of a finding, without its result."""
    return TestCase(said(finding), classname=cut(finding["cause"], LONGEST))


def failed(run: Run, finding: dict[str, Any]) -> TestCase:
    """Makes the test of a new cause."""
    case = case_of(finding)
    failure = Failure(said(finding), f"{finding['oracle']}: {finding['class']}")
    folder = f"findings/{finding['fingerprint']}/"
    commands = [command.code for command in telling.commands(run, finding, folder)]
    releases = f"Releases: {telling.releases_sentence(run, finding)}"
    failure.text = cut("\n".join([*finding["steps"], releases, *commands]), LONGEST)
    case.result = [failure]
    return case


def skipped(findings: Iterable[dict[str, Any]]) -> list[TestCase]:
    """Makes the tests of findings that are known, or that were not confirmed."""
    cases = []
    for finding in findings:
        known = finding["known"]
        why = known["reason"] if known else finding["why"]
        words = f"known: {why}" if known else f"unconfirmed: {why}"
        case = case_of(finding)
        case.result = [Skipped(cut(words, LONGEST))]
        cases.append(case)
    return cases


def junit(run: Run) -> str:
    """Gives junit.xml."""
    new, known = telling.split_known(run)
    whole = TestCase(WHOLE_RUN, classname="storefuzz", time=run.about["seconds"])
    if not telling.trusted(run):
        whole.result = [Error(telling.verdict(run).sentence, "no all-clear")]
    suite = TestSuite(f"storefuzz: {telling.subject_name(run.about)}")
    suite.add_testcases([whole, *(failed(run, finding) for finding in new)])
    suite.add_testcases(skipped([*known, *telling.in_order([*run.unconfirmed, *run.seen])]))
    report = JUnitXml("storefuzz")
    report.add_testsuite(suite)
    report.update_statistics()
    return str(report.tostring(), "utf-8") + "\n"
