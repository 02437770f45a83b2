"""Tests of README.md: what it shows happens, its numbers are true, and it stays a front door."""

import json
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from render_test import a_finding, a_hang, draw, write_run

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
LONGEST_PICTURE = 200_000


def block(language: str) -> str:
    """Gives the one block of this language."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return code


def newest_zarr() -> tuple[str, str]:
    """Gives the Python that has the newest release of zarr, and that release."""
    told = subprocess.run(
        [sys.executable, ROOT / "reference/environments/environment.py", "--", "newest"],
        capture_output=True,
        check=True,
    )
    answer = json.loads(told.stdout)
    return answer["python"], answer["release"]


def test_the_finding_happens_as_it_is_told(tmp_path: Path) -> None:
    code = block("python")
    (page,) = re.findall(r"its page\]\((reports/defects/[\w-]+\.md)\)", README)
    assert code in (ROOT / page).read_text("utf-8")
    python, release = newest_zarr()
    assert f"In zarr-python {release}, " in README
    done = subprocess.run(
        [python, "-c", code], cwd=tmp_path, capture_output=True, check=True, text=True, timeout=60
    )
    promised = re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert len(promised) == code.count("print(")
    assert done.stdout.splitlines() == promised


def test_it_is_a_screen_and_a_half() -> None:
    assert len(README.splitlines()) <= 95


def size_of(png: bytes) -> tuple[int, int]:
    """Gives width and height of a PNG."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_its_pictures_are_small() -> None:
    names = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(names) == 2
    for picture in [(ROOT / name).read_bytes() for name in names]:
        assert len(picture) < LONGEST_PICTURE
        assert size_of(picture) == (1000, 760)


def take(run: Path, picture: Path) -> subprocess.CompletedProcess[str]:
    """Runs scripts/screenshot."""
    command = [ROOT / "scripts" / "screenshot", run, picture]
    return subprocess.run(command, capture_output=True, check=False, text=True)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
def test_the_picture_is_taken_by_a_script(tmp_path: Path) -> None:
    draw(write_run(tmp_path, [a_finding(), a_hang()]))
    picture = tmp_path / "page.png"
    done = take(tmp_path, picture)
    assert (done.returncode, done.stderr) == (0, "")
    assert size_of(picture.read_bytes()) == (1000, 760)
    assert len(picture.read_bytes()) > 10_000


def test_without_a_page_there_is_no_picture(tmp_path: Path) -> None:
    done = take(tmp_path, tmp_path / "page.png")
    assert done.returncode == 2
    assert done.stderr == f"{tmp_path} has no index.html: `storefuzz report {tmp_path}` draws it.\n"
    assert not (tmp_path / "page.png").exists()


def test_files_of_a_run_that_it_names_are_written(tmp_path: Path) -> None:
    draw(write_run(tmp_path, [a_finding()]))
    named = set(re.findall(r"\brun/([\w.]+)", README))
    assert {"summary.md", "findings.sarif", "junit.xml"} <= named
    assert [name for name in named if not (tmp_path / name).is_file()] == []
