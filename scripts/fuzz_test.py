"""scripts/fuzz: what it reads itself, and what it hands on to `storefuzz run`.

The script stands in a folder where setup, build and storefuzz are stand-ins that write down how
they were called; environment.py and the environment of the newest release are real.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTE = """#!{python}
import json, sys
with open({file!r}, "w") as file:
    json.dump(sys.argv[1:], file)
print({python!r})
"""


class Clone:
    """A clone in which nothing has to be installed or built."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "scripts").mkdir()
        (folder / "build" / "fuzz").mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "fuzz", folder / "scripts" / "fuzz")
        (folder / "reference").symlink_to(ROOT / "reference")
        for program in ("scripts/setup", "scripts/build", "build/fuzz/storefuzz"):
            text = NOTE.format(python=sys.executable, file=str(self.note(program)))
            (folder / program).write_text(text)
            (folder / program).chmod(0o755)

    def note(self, program: str) -> Path:
        return self.folder / f"{Path(program).name}.json"

    def called(self, program: str) -> list[str] | None:
        """The arguments that a program got; None: it was not called."""
        note = self.note(program)
        return json.loads(note.read_text()) if note.exists() else None

    def fuzz(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [self.folder / "scripts" / "fuzz", *arguments],
            check=False,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stderr


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_what_is_not_known_is_handed_on_as_it_is(clone: Clone) -> None:
    words = ["zip_program", "--cupboard", "two  words", "", "*", "$HOME", "`a`", "--out", "a\nb"]
    assert clone.fuzz(*words)[0] == 0
    assert clone.called("setup") == []
    assert clone.called("build") == ["fuzz", sys.executable]
    assert clone.called("storefuzz") == ["run", *words]


def test_what_names_the_subject_is_read_and_handed_on(clone: Clone) -> None:
    newest = json.loads((ROOT / "reference" / "releases.json").read_text())["newest"]
    assert clone.fuzz("--time", "5s", "--zarr", newest, "zip_program")[0] == 0
    assert clone.called("storefuzz") == ["run", "--time", "5s", f"--zarr={newest}", "zip_program"]
    assert clone.fuzz(f"--zarr={newest}")[0] == 0
    assert clone.called("storefuzz") == ["run", f"--zarr={newest}"]


def test_interpreter_is_for_the_build_alone(clone: Clone) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    assert clone.fuzz("--python", base)[0] == 0
    assert clone.called("setup") == ["--python", base]
    assert clone.called("storefuzz") == ["run"]


def test_environment_of_the_user_is_the_subject(clone: Clone) -> None:
    script = ROOT / "reference" / "environments" / "environment.py"
    python = json.loads(subprocess.check_output([sys.executable, script, "newest"]))["python"]
    venv = clone.folder / "an environment"
    venv.symlink_to(Path(python).parents[1])
    assert clone.fuzz("--python", str(venv), "--jobs", "2")[0] == 0
    assert clone.called("setup") == ["--python", str(venv)]
    assert clone.called("storefuzz") == ["run", f"--python={venv}", "--jobs", "2"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--zarr", "3.0.99"], "'3.0.99' is no known release"),
        (["--zarr", "--list"], "'--list' is no known release"),
        (["--zarr", "./two words"], "There is nothing at ./two words"),
        (["--with", "--python"], "'--python' is no PACKAGE"),
        (["--zarr"], "--zarr needs a value"),
        (["--python"], "--python needs a value"),
        (["--with="], "--with needs a value"),
    ],
)
def test_wrong_name_is_told_before_the_build(clone: Clone, arguments: list[str], told: str) -> None:
    code, err = clone.fuzz(*arguments)
    assert code == 2
    assert err.startswith(told)
    assert len(err.splitlines()) == 1
    assert clone.called("build") is None
