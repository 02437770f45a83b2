"""The scripts on machines that lack something, played by a PATH of stubs and chosen tools.

Nothing is installed here: `apt-get` and `sudo` are stubs that fail or write down their arguments.
Not covered: that the packages' names are right; the run on a fresh Debian shows that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent
BASE_PYTHON = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
# What the scripts themselves call; nothing else is on the stubs' PATH.
ORDINARY = (
    *("awk", "bash", "cat", "cmp", "cp", "dirname", "env", "flock"),
    *("grep", "mkdir", "mktemp", "rm", "sed", "sort", "tail"),
)


class Machine:
    """A PATH of its own: ordinary tools, and stubs for whatever a test is about."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self.notes = folder / "notes"
        for tool in ORDINARY:
            (self.folder / tool).symlink_to(shutil.which(tool))
        self.stub("id", "echo 1000")

    def stub(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def add_apt(self, *, python: str = "", installed: str = "", apt_get: str = "exit 100") -> None:
        self.stub("apt-get", f'echo "$@" >>{self.notes}\n{apt_get}')
        self.stub("apt-cache", f"echo '  Candidate: {python}'" if python else "exit 0")
        cases = f'case " {installed} " in *" $name "*) printf installed;; *) exit 1;; esac'
        self.stub("dpkg-query", f"for name; do :; done\n{cases}")

    def run(self, script: str | Path, *arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [SCRIPTS / script, *arguments],
            check=False,
            env=os.environ | {"PATH": str(self.folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def packages(job: str) -> str:
    lines = (SCRIPTS / "packages.txt").read_text().splitlines()
    return next(line.split(": ")[1] for line in lines if line.startswith(f"{job}: "))


@pytest.mark.parametrize("script", ["setup", "fuzz"])
def test_no_compiler_and_no_root_gives_the_one_line(machine: Machine, script: str) -> None:
    machine.add_apt()
    machine.stub("sudo", "exit 1")
    code, out, err = machine.run(script, "--python", BASE_PYTHON)
    sentence, line = err.splitlines()
    assert (code, out) == (3, "")
    assert "needs root" in sentence
    install = f"install -y --no-install-recommends {packages('main')}"
    assert line.strip() == f"sudo apt-get update && sudo apt-get {install}"
    assert not machine.notes.exists()


def test_without_sudo_the_line_has_none(machine: Machine) -> None:
    machine.add_apt()
    _, _, err = machine.run("setup", "--tests", "--python", BASE_PYTHON)
    line = err.splitlines()[-1]
    assert line.startswith("apt-get update && apt-get install")
    assert line.endswith(f"{packages('main')} {packages('tests')}")


def test_root_installs_only_what_is_missing(machine: Machine) -> None:
    first, *others = packages("main").split()
    machine.stub("id", "echo 0")
    machine.add_apt(installed=" ".join(others), apt_get="exit 0")
    code, out, err = machine.run("setup", "--python", BASE_PYTHON)
    assert code == 0, err
    assert Path(out.strip()).name == "python"
    assert f"installing {first} (apt-get)" in err
    update, install = machine.notes.read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith(f"install -y --no-install-recommends {first}")


def test_apt_that_fails_shows_its_words(machine: Machine) -> None:
    machine.stub("id", "echo 0")
    machine.add_apt(apt_get="echo mirror is down; exit 100")
    code, _, err = machine.run("setup", "--python", BASE_PYTHON)
    assert code == 3
    assert "mirror is down" in err
    assert err.splitlines()[-1].startswith("apt-get could not install: clang-19")


def test_nothing_is_said_when_all_is_there(machine: Machine) -> None:
    machine.add_apt(installed=packages("main"))
    machine.run("setup", "--python", BASE_PYTHON)
    code, out, err = machine.run("setup", "--python", BASE_PYTHON)
    assert (code, err) == (0, "")
    assert Path(out.strip()).exists()


def test_without_dpkg_the_tools_are_named(machine: Machine) -> None:
    code, _, err = machine.run("setup", "--python", BASE_PYTHON)
    assert code == 3
    assert err.startswith("Please install clang++-19 cmake ninja pkg-config")


def test_no_python_is_one_sentence(machine: Machine) -> None:
    code, out, err = machine.run("fuzz")
    assert (code, out) == (3, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("No Python can be embedded")


def test_python_too_old_names_it(machine: Machine) -> None:
    machine.stub("python3", "echo is older than 3.12")
    machine.add_apt(python="3.11.2-1+b1")
    code, _, err = machine.run("setup")
    assert code == 3
    assert err.endswith(f"{machine.folder}/python3 is older than 3.12.\n")


@pytest.mark.parametrize("candidate", ["3.13.5-1", ""])
def test_python_comes_from_apt_where_apt_has_it(machine: Machine, candidate: str) -> None:
    machine.add_apt(python=candidate)
    code, _, err = machine.run("setup")
    assert code == 3
    assert err.rstrip().endswith(f"{packages('main')} {packages('python')}")


def test_interpreter_behind_shims_is_found(machine: Machine, tmp_path: Path) -> None:
    version = tmp_path / "manager" / "versions" / "3.x" / "bin"
    version.mkdir(parents=True)
    (tmp_path / "manager" / "shims").mkdir()
    (version / "python3").symlink_to(BASE_PYTHON)
    machine.add_apt(installed=packages("main"))
    path = os.environ | {"PATH": f"{machine.folder}:{tmp_path}/manager/shims"}
    done = subprocess.run(
        [SCRIPTS / "setup"], check=False, env=path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_named_python_must_be_there_and_suit(machine: Machine, tmp_path: Path) -> None:
    machine.stub("old-python", "echo is older than 3.12")
    nothing, empty, old = tmp_path / "nothing", tmp_path, machine.folder / "old-python"
    for named in (str(nothing), str(empty), str(old)):
        code, _, err = machine.run("setup", "--python", named)
        assert code == 2
        assert len(err.splitlines()) == 1
        assert named in err


@pytest.mark.parametrize("script", ["setup", "fuzz"])
def test_named_python_too_old_is_told_before_anything_is_installed(
    machine: Machine, script: str
) -> None:
    machine.add_apt()
    machine.stub("id", "echo 0")
    # Asked where its interpreter is, it says so; asked whether it suits, it says why not.
    base = f'case "$3" in *_base_executable*) echo "{machine.folder}/python3.11"; exit;; esac'
    machine.stub("python3.11", f"{base}\necho is older than 3.12")
    code, out, err = machine.run(script, "--python", "python3.11")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "older than 3.12" in err
    assert "needs CPython 3.12 or newer" in err
    assert not machine.notes.exists()


def test_shim_that_is_switched_off_is_passed_over(machine: Machine, tmp_path: Path) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "python3.12").write_text("#!/bin/sh\nexit 127\n")
    (shims / "python3.12").chmod(0o755)
    (machine.folder / "python3.12").symlink_to(BASE_PYTHON)
    machine.add_apt(installed=packages("main"))
    path = os.environ | {"PATH": f"{shims}:{machine.folder}"}
    command = [SCRIPTS / "setup", "--python", "python3.12"]
    done = subprocess.run(command, check=False, env=path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["--cupboard"], ["--python"], ["--python", ""]])
def test_setup_named_wrong(machine: Machine, arguments: list[str]) -> None:
    code, out, err = machine.run("setup", *arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "usage: scripts/setup" in err


@pytest.mark.parametrize("script", ["fuzz", "test"])
def test_help_needs_nothing(machine: Machine, script: str) -> None:
    code, out, err = machine.run(script, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: ./scripts/{script}")


@pytest.mark.parametrize("option", ["--zarr", "--python"])
def test_option_without_value(machine: Machine, option: str) -> None:
    code, _, err = machine.run("fuzz", option)
    assert code == 2
    assert err.startswith(f"{option} needs a value")


def test_unknown_release_is_told_before_the_build(machine: Machine) -> None:
    machine.add_apt(installed=packages("main"))
    code, _, err = machine.run("fuzz", "--python", BASE_PYTHON, "--zarr", "3.0.99")
    assert code == 2
    assert err.splitlines()[-1].startswith("'3.0.99' is no known release")
