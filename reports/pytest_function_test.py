"""Tests of the function for pytest: it fails where its script shows the defect, and only there."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_function
import render
from render_test import HOSTILE, a_finding, draw, write_run
from run_directory import clean_text

ROOT = Path(__file__).parents[1]
# As a run on 3.0.1 left it.
READ_ONLY_IS_LOST = r"""# /// script
# requires-python = ">=3.12"
# dependencies = ["zarr==3.0.1"]
# ///
import os, pickle, sys, tempfile
sys.excepthook = lambda *error: print(*error, flush=True) or os._exit(2)
import zarr.storage


def answer(question):
    try:
        return question()
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"


def main():
    s0 = zarr.storage.ZipStore("z.zip", mode="w")
    s1 = answer(lambda: pickle.loads(pickle.dumps(s0)))
    if isinstance(s1, str):
        return print("gone", s1)
    expected = answer(lambda: s0._read_only)
    seen = answer(lambda: s1._read_only)
    defect = seen != expected
    print("before:", expected, "seen:", seen)
    print("DEFECT: `state` of \"_read_only\" on s1 shows AttributeError" if defect else "gone")
    return defect


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.makedirs(f"{folder}/a/b/case")
        os.chdir(f"{folder}/a/b/case")
        sys.exit(main())
"""
SPAWNS = """import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import beside
def in_p1(): return beside.ANSWER
if __name__ == "__main__":
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        sys.exit(pool.submit(in_p1).result() != 42)
"""
LEAVES_A_CHILD = """import os, time
if os.fork() == 0:
    time.sleep(30)
    os._exit(0)
print("DEFECT", flush=True)
os._exit(1)
"""


def run_test(folder: Path, function: str, path: str = "") -> tuple[int, str]:
    """Runs a function by pytest, as its users would; gives exit code and output."""
    folder.mkdir(exist_ok=True)
    (folder / "test_it.py").write_text(function, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.returncode, done.stdout


def packages_of(release: str) -> str:
    """Gives the folder of packages of a release of zarr, which is installed if it is not there."""
    told = subprocess.run(
        [sys.executable, ROOT / "reference/environments/environment.py", "--", release],
        capture_output=True,
        check=True,
    )
    python = json.loads(told.stdout)["python"]
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return subprocess.run([python, "-c", code], capture_output=True, check=True, text=True).stdout[
        :-1
    ]


@pytest.mark.parametrize(("release", "code"), [("3.0.1", 1), ("3.0.2", 0)])
def test_a_script_of_a_run_fails_on_the_release_that_has_the_defect(
    tmp_path: Path, release: str, code: int
) -> None:
    function = pytest_function.pytest_function("attributes-lost", "lost", READ_ONLY_IS_LOST)
    got, output = run_test(tmp_path, function, packages_of(release))
    assert got == code, output
    assert ("DEFECT: `state` of" in output) is (code == 1)
    assert "zarr==3.0.1" not in function


def test_a_script_that_spawns_imports_what_its_test_can_import(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("ANSWER = 42\n")
    function = pytest_function.pytest_function("f", "h", SPAWNS)
    assert run_test(tmp_path, function)[0] == 0
    (tmp_path / "beside.py").write_text("ANSWER = 41\n")
    assert run_test(tmp_path, function)[0] == 1


def test_a_process_that_a_script_leaves_behind_keeps_nobody_waiting(tmp_path: Path) -> None:
    function = pytest_function.pytest_function("f", "h", LEAVES_A_CHILD)
    assert "timeout=120" in function
    got, output = run_test(tmp_path, function.replace("timeout=120", "timeout=20"))
    assert got == 1
    assert "AssertionError: DEFECT" in output


@pytest.mark.parametrize(
    "script",
    ["'''\n", "\"\"\" '''\n", "\\", "x\\\n", "'", "\"''\n", "\r\n", "{}{0}\n", "→ \\u0041\n", ""],
)
def test_any_script_stays_itself(script: str) -> None:
    tree = ast.parse(pytest_function.pytest_function("on-disk.x", clean_text(HOSTILE), script))
    (written,) = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "write_text"
    ]
    assert ast.literal_eval(written) == script
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert function.name == "test_on_disk_x"


def test_the_pages_have_the_function(tmp_path: Path) -> None:
    html, _ = draw(write_run(tmp_path, [a_finding()], repro="print('<here>')\n"))
    readme = (tmp_path / "findings" / "attributes-lost-zip" / "README.md").read_text("utf-8")
    function = pytest_function.pytest_function(
        "attributes-lost-zip", a_finding()["headline"], "print('<here>')\n"
    )
    assert f"```python\n{function}```" in readme
    assert "def test_attributes_lost_zip(tmp_path):" in html
    assert "<summary>The same as a function for pytest</summary>" in html


@pytest.mark.parametrize("repro", ["x" * 30_000, "print('\x00')\n"], ids=["long", "odd"])
def test_a_script_that_cannot_be_shown_whole_has_no_function(tmp_path: Path, repro: str) -> None:
    html, _ = draw(write_run(tmp_path, [a_finding()], repro=repro))
    assert "for pytest" not in html


def test_a_finding_without_a_script_has_no_function(tmp_path: Path) -> None:
    html, _ = draw(write_run(tmp_path, [a_finding(script=False)]))
    assert "for pytest" not in html
    assert render.main([str(tmp_path)]) == 0
