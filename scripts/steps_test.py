"""The workflows of .github/, step by step: what their steps run is run here, in their order.

Real are the shells, the conditions and storefuzz with real zarr. In the place of the actions of
GitHub stands what they do on a disk (a checkout is a link) or a note of what they were given; gh is
a note as well. What the machine has is neither installed nor built again, and an hour is a few
seconds on one store: each test says what it puts in the place of what.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
STOREFUZZ = ROOT / "build/fuzz/storefuzz"
CHECKOUTS: dict[str, Any] = run_path(str(ROOT / "scripts/checkouts"))
GH = '#!/bin/sh\necho "$*" >>"$NOTES"\n'
# GitHub takes this one in containers where a step names none, and the other where it says bash.
SHELLS = {"": ["sh", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}


@dataclass
class Job:
    """One job of a workflow, in a folder of its own."""

    folder: Path
    event: str
    sources: dict[str, Path]  # path of a checkout → what lies there
    instead: dict[str, str]  # what the steps say → what is run
    failed: bool = False
    ran: list[str] = field(default_factory=list)  # names of the steps whose condition held
    given: dict[str, list[str]] = field(default_factory=dict)  # action → the files it found
    unused: set[str] = field(default_factory=set)
    output: str = ""

    def holds(self, condition: str) -> bool:
        """An `if` of the forms that our workflows have; one of another form is an error."""
        parts = [part.strip() for part in condition.split("&&") if part.strip()]
        of_status = {"always()": True, "failure()": self.failed}
        held = [] if any(part in of_status for part in parts) else [not self.failed]
        for part in parts:
            if part in of_status:
                held.append(of_status[part])
            elif found := re.fullmatch(r"hashFiles\('(.+)'\) != ''", part):
                held.append(any(it.is_file() for it in self.folder.glob(found[1])))
            elif found := re.fullmatch(r"github\.event_name == '(.+)'", part):
                held.append(self.event == found[1])
            else:
                raise ValueError(f"no such condition is known: {part}")
        return all(held)

    def take(self, step: dict[str, Any]) -> None:
        if not self.holds(step.get("if", "")):
            return
        self.ran.append(step.get("name", step.get("uses", "").split("@")[0]))
        if "run" in step:
            self.run(step)
        else:
            self.use(step["uses"].split("@")[0], step.get("with", {}))

    def use(self, action: str, given: dict[str, Any]) -> None:
        if action == "actions/checkout":
            place = self.folder / given.get("path", ".")
            source = self.sources[given.get("path", ".")]
            if place == self.folder:
                for entry in source.iterdir():
                    if entry.name != "build":  # the workflows have one of their own
                        (place / entry.name).symlink_to(entry)
            else:
                place.parent.mkdir(exist_ok=True)
                place.symlink_to(source)
            return
        paths = str(given.get("path", given.get("sarif_file", ""))).split()
        there = [path for path in paths if (self.folder / path).exists()]
        self.given.setdefault(action, []).extend(there)

    def run(self, step: dict[str, Any]) -> None:
        text = step["run"]
        for said, what in self.instead.items():
            if said in text:
                self.unused.discard(said)
                text = text.replace(said, what)
        (self.folder / "step").write_text(text)
        environment = {
            **os.environ,
            **{name: "from-github" for name in step.get("env", {})},
            "PATH": f"{self.folder.parent}:{os.environ['PATH']}",
            "NOTES": str(self.folder.parent / "notes"),
            "GITHUB_STEP_SUMMARY": str(self.folder.parent / "summary"),
        }
        done = subprocess.run(
            [*SHELLS[step.get("shell", "")], "step"],
            cwd=self.folder,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        self.output += done.stdout
        self.failed = self.failed or done.returncode != 0

    def told(self, name: str) -> str:
        """What lies beside the job: the notes of gh, and the summary that GitHub shows."""
        file = self.folder.parent / name
        return file.read_text("utf-8") if file.exists() else ""


def play(
    file: str, folder: Path, event: str, sources: dict[str, Path], instead: dict[str, str]
) -> Job:
    workflow = yaml.safe_load((ROOT / ".github" / file).read_text("utf-8"))
    (definition,) = workflow["jobs"].values()
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    work = folder / "work"
    work.mkdir()
    job = Job(work, event, sources, instead, unused=set(instead))
    for step in definition["steps"]:
        job.take(step)
    assert job.unused == set(), "no step says this any more"
    return job


# What the machine has is not installed again.
HERE = {
    "apt-get update && apt-get install -y git gh && git config --global safe.directory '*'": "true"
}
HERE_WITHOUT_GH = {
    "apt-get update && apt-get install -y git && git config --global safe.directory '*'": "true"
}
# One store and one oracle for some seconds: what is tried is a workflow.
BRIEFLY = (
    "--total 25s --stores zip --no-releases --seed 3 --oracles-off 'agreement,deadline,equality,"
    "listing,on disk,parent intact,readers agree,reads,refusal,stores agree,survival,writable'"
)


@pytest.fixture(scope="module")
def zarr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout: the sources of the newest release."""
    return CHECKOUTS["checkout"](tmp_path_factory.mktemp("sound"), CHECKOUTS["sources"](), None)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, and a pickle of a ZipStore without its compression."""
    name = "a pickle without the compression"
    fault = next(it for it in CHECKOUTS["FAULTS"] if it["name"] == name)
    return CHECKOUTS["checkout"](tmp_path_factory.mktemp("faulty"), CHECKOUTS["sources"](), fault)


def test_a_night_that_finds_something_new_is_an_issue(tmp_path: Path, faulty: Path) -> None:
    said = {
        "./scripts/nightly state": f"{STOREFUZZ} nightly state program --zarr {faulty}",
        "--time 1h": f"--time 8s {BRIEFLY}",
    }
    job = play("workflows/nightly.yml", tmp_path, "schedule", {".": ROOT}, HERE | said)
    assert job.failed, job.output
    assert "new: 1" in job.told("summary"), job.told("summary")
    assert "compression" in job.told("summary")
    assert job.told("notes").splitlines()[-1].startswith("issue create"), job.told("notes")
    assert job.given["actions/cache/save"][0] == "state"
    assert job.given["actions/upload-artifact"] == ["state"]
    assert job.given["github/codeql-action/upload-sarif"] == ["night/program/findings.sarif"]


def test_a_night_without_news_is_quiet(tmp_path: Path, zarr: Path) -> None:
    said = {
        "storefuzz/scripts/nightly state": f"{STOREFUZZ} nightly state program",
        "--time 1h": f"--time 4s {BRIEFLY}",
    }
    sources = {"zarr-python": zarr, "storefuzz": ROOT}
    job = play("copies/for-zarr.yml", tmp_path, "schedule", sources, HERE | said)
    assert not job.failed, job.output
    assert "One issue, opened or updated" not in job.ran
    assert "Two minutes of the branch against its base" not in job.ran
    assert job.given["actions/upload-artifact"] == ["run"]
    assert job.given["github/codeql-action/upload-sarif"] == ["run/program/findings.sarif"]


def test_a_branch_with_a_fault_is_red(tmp_path: Path, zarr: Path, faulty: Path) -> None:
    said = {
        "storefuzz/scripts/fuzz": f"{STOREFUZZ} run program",
        "--time 2m": f"--time 8s {BRIEFLY}",
    }
    sources = {"zarr-python": faulty, "base": zarr, "storefuzz": ROOT}
    job = play("copies/for-zarr.yml", tmp_path, "pull_request", sources, HERE | said)
    assert job.failed, job.output
    assert "compression" in job.told("summary")
    assert job.told("notes") == "", "no issue for a branch"
    assert job.given["github/codeql-action/upload-sarif"] == ["run/branch/findings.sarif"]


def test_a_pull_request_of_ours_ends_green(tmp_path: Path, zarr: Path) -> None:
    said = {
        "./scripts/test": "true",
        "./scripts/fuzz": f"{STOREFUZZ} run program",
        "--time 2m": f"--time 4s {BRIEFLY}",
    }
    sources = {".": ROOT, "build/zarr-main": zarr}
    job = play(
        "workflows/pull-request.yml", tmp_path, "pull_request", sources, HERE_WITHOUT_GH | said
    )
    assert not job.failed, job.output
    assert job.given["actions/upload-artifact"] == ["run"]
    assert job.told("summary")


def test_the_author_of_a_store_gets_a_verdict(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    shutil.copy(ROOT / "reference/planted/strangers/sqlite_store.py", mine)
    said = {
        "storefuzz/scripts/fuzz": f"{STOREFUZZ} run program",
        "my_store.py": "sqlite_store.py",
        "--stores mine --with ./mine": "--stores sqlite",
        "--time 2m": "--time 4s --total 20s --no-releases --seed 3",
    }
    sources = {"mine": mine, "storefuzz": ROOT}
    job = play("copies/for-a-store.yml", tmp_path, "pull_request", sources, HERE_WITHOUT_GH | said)
    assert not job.failed, job.output
    assert "Nothing found" in job.told("summary"), job.told("summary")
    assert "forking pickler" in job.told("summary"), "what it passed is told"


def test_a_week_plays_what_is_recorded(tmp_path: Path) -> None:
    case = ROOT / "corpus/regressions/zip_read_only_lost.json"
    said = {
        './scripts/build fuzz "$(./scripts/setup)"': "true",
        "./build/fuzz/storefuzz releases": f"{STOREFUZZ} releases {case} --zarr 3.0.1,3.4.2",
    }
    job = play("workflows/releases.yml", tmp_path, "schedule", {".": ROOT}, HERE_WITHOUT_GH | said)
    assert job.given["actions/upload-artifact"] == ["releases.txt"]
    assert "3.0.1" in job.told("summary"), job.output
