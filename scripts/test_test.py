"""scripts/test, with stand-ins for cmake and ctest: what comes first, and what the last line says.

Not covered: that the tests themselves are found; ctest is given --no-tests=error.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from setup_test import BASE_PYTHON, SCRIPTS, Machine, packages

ENVIRONMENTS = Path("reference/environments")

# In the place of environment.py: where environments are kept is told by the real one; each that is
# asked for is written down, or refused.
ENVIRONMENT = """
import os, subprocess, sys
if sys.argv[1:] == ["--folder"]:
    sys.exit(subprocess.call([sys.executable, {real!r}, "--folder"]))
with open("asked", "a") as file:
    file.write(sys.argv[1] + "\\n")
sys.exit({refusal!r})
"""

# A ctest that has two failures in one build.
CTEST = r"""
echo "tested $2 $(grep -c . asked)"
[ "$2" = {wrong} ] || exit 0
log=build/$2/Testing/Temporary/LastTestsFailed.log
mkdir -p "${{log%/*}}"
printf '1:a_test.cc\n7:b_test.cc, part 1 of 2\n' >"$log"
exit 8
"""


class Copy:
    """A copy of the scripts, on a machine that has all they need; cmake does nothing."""

    def __init__(self, folder: Path, refusal: str | None = None) -> None:
        self.folder = folder
        self.machine = Machine(folder)
        self.machine.add_apt(installed=f"{packages('main')} {packages('tests')}")
        self.machine.stub("cmake", "exit 0")
        for tool in ("nproc", "paste"):
            (self.machine.folder / tool).symlink_to(shutil.which(tool))
        (self.machine.folder / "python3").symlink_to(BASE_PYTHON)
        shutil.copytree(SCRIPTS, folder / "scripts")
        (folder / ENVIRONMENTS).mkdir(parents=True)
        for file in (SCRIPTS.parent / ENVIRONMENTS).glob("requirements*.txt"):
            shutil.copy(file, folder / ENVIRONMENTS)
        real = str(SCRIPTS.parent / ENVIRONMENTS / "environment.py")
        script = ENVIRONMENT.format(real=real, refusal=refusal)
        (folder / ENVIRONMENTS / "environment.py").write_text(script)

    def test(self) -> tuple[int, list[str], str]:
        """The exit code, what was said, and the last line of all."""
        code, out, err = self.machine.run(self.folder / "scripts" / "test")
        return code, out.splitlines(), err.splitlines()[-1]


@pytest.mark.parametrize(
    ("wrong", "tested"), [("fuzz", ["fuzz"]), ("sanitize", ["fuzz", "sanitize"])]
)
def test_the_last_line_is_about_the_build_whose_tests_fail(
    tmp_path: Path, wrong: str, tested: list[str]
) -> None:
    copy = Copy(tmp_path)
    copy.machine.stub("ctest", CTEST.format(wrong=wrong))
    code, out, last = copy.test()
    assert code == 8
    # Each build was tested with all seven environments there.
    assert out == [f"tested {preset} 7" for preset in tested]
    assert last == f"Tests of build/{wrong} failed: a_test.cc;b_test.cc, part 1 of 2"


def test_an_environment_that_cannot_be_made_ends_the_tests(tmp_path: Path) -> None:
    copy = Copy(tmp_path, refusal="The network does not answer.")
    copy.machine.stub("ctest", "echo tested")
    assert copy.test() == (3, [], "The network does not answer.")
