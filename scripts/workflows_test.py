"""The workflows of .github/, ours and those to copy.

Both linters have nothing to say, and an alarm is one issue, opened or written to. In the place of
gh, which knows GitHub alone, stands a note of how it was called.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(ROOT.glob(".github/workflows/*.yml")) + sorted(ROOT.glob(".github/copies/*.yml"))
ACTIONLINT = ROOT / "build" / "tools" / "actionlint"
GH = """#!/bin/sh
echo "$*" >>"$NOTES"
case "$1 $2" in
  "issue list") echo "$OPEN" ;;
  "issue comment" | "issue create") for last; do :; done; cat "$last" >"$NOTES.body" ;;
esac
"""


def said_by(*command: str | Path) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return (done.stdout + done.stderr) if done.returncode else ""


def test_there_are_workflows_to_lint() -> None:
    names = {file.stem for file in FILES}
    assert names == {"pull-request", "nightly", "releases", "for-zarr", "for-a-store"}


@pytest.mark.skipif(not ACTIONLINT.exists(), reason="no Go here, by which actionlint comes")
def test_actionlint_has_nothing_to_say(tmp_path: Path) -> None:
    assert said_by(ACTIONLINT, *FILES) == ""
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(FILES[0].read_text().replace("github.run_id", "github.runid"))
    assert "runid" in said_by(ACTIONLINT, wrong)


def zizmor(folder: Path) -> str:
    return said_by(Path(sys.executable).parent / "zizmor", "--offline", "--no-progress", folder)


def test_zizmor_has_nothing_to_say(tmp_path: Path) -> None:
    # It looks at files of such a folder alone.
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for file in FILES:
        shutil.copy(file, folder)
    assert zizmor(tmp_path) == ""
    wrong = re.sub(r"@[0-9a-f]{40} # (v\d)\S*", r"@\1", FILES[0].read_text())
    (folder / FILES[0].name).write_text(wrong)
    assert "unpinned-uses" in zizmor(tmp_path)


def test_actions_are_named_by_hash_and_one_hash_has_one_version() -> None:
    named = [it for file in FILES for it in re.findall(r"uses: (\S+@\S+ .*)", file.read_text())]
    assert named
    assert [it for it in named if not re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", it)] == []
    versions = {it.split("@")[0] for it in named}
    assert len(set(named)) == len(versions)


def test_scripts_that_workflows_call_are_there() -> None:
    called = {it for file in FILES for it in re.findall(r"\bscripts/[\w-]+", file.read_text())}
    assert {"scripts/fuzz", "scripts/alarm"} <= called
    assert [it for it in called if not os.access(ROOT / it, os.X_OK)] == []


def alarm(folder: Path, summary: Path, is_open: str) -> tuple[list[str], str]:
    """How gh was called, and what the issue or the comment says."""
    notes = folder / "notes"
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "NOTES": str(notes),
        "OPEN": is_open,
        "GITHUB_SERVER_URL": "https://example.org",
        "GITHUB_REPOSITORY": "me/mine",
        "GITHUB_RUN_ID": "7",
    }
    command = [ROOT / "scripts" / "alarm", "A night", summary]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    calls = notes.read_text().splitlines()
    return [" ".join(call.split()[:3]) for call in calls], Path(f"{notes}.body").read_text()


LINK = "https://example.org/me/mine/actions/runs/7"


def test_an_alarm_opens_an_issue(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Two are new\n" + "x" * 100_000)
    calls, body = alarm(tmp_path, summary, is_open="")
    assert calls == ["issue list --label", "label create storefuzz", "issue create --title"]
    assert body.startswith("# Two are new")
    assert LINK in body
    assert len(body) < 65_536


def test_an_alarm_writes_to_the_issue_that_is_open(tmp_path: Path) -> None:
    calls, body = alarm(tmp_path, tmp_path / "missing.md", is_open="12")
    assert calls == ["issue list --label", "issue comment 12"]
    assert body.startswith("It ended before it could say why.")
    assert LINK in body
