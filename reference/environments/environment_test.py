"""Environments are really made here, in a cache of the test's own; uv's download cache is shared.

Not covered: that a release works inside its environment; the C++ tests see to that.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).with_name("environment.py")
DATA = json.loads((SCRIPT.parents[1] / "releases.json").read_text())
DEPENDENCIES = (
    'dependencies = ["numcodecs", "numpy", "donfig", "google-crc32c", "msgspec", "packaging"]'
)


@pytest.fixture
def cache(tmp_path: Path) -> dict[str, str]:
    """Variables for an empty cache."""
    return os.environ | {"STOREFUZZ_CACHE": str(tmp_path / "cache")}


@pytest.fixture(scope="session")
def newest_python() -> Path:
    """The environment of the newest release, in the cache that everybody uses."""
    return Path(said("newest")["python"])


def start(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.Popen:
    command = [sys.executable, SCRIPT, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=env, text=True, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    process = start(*arguments, env=env)
    out, err = process.communicate()
    return process.returncode, out, err


def said(*arguments: str | Path, env: dict[str, str] | None = None) -> dict:
    code, out, err = run(*arguments, env=env)
    assert code == 0, err
    return json.loads(out)


def refused(*arguments: str | Path, env: dict[str, str] | None = None) -> tuple[int, str]:
    """The exit code and the one sentence; progress lines before it end in an ellipsis."""
    code, out, err = run(*arguments, env=env)
    assert out == ""
    sentences = [line for line in err.splitlines() if not line.endswith("…")]
    assert len(sentences) == 1, err
    return code, sentences[0]


def copy_zarr(newest_python: Path, into: Path) -> Path:
    package = next(newest_python.parent.parent.glob("lib/python3*/site-packages/zarr"))
    return Path(shutil.copytree(package, into / "zarr"))


def make_wheel(folder: Path, package: str, version: str) -> Path:
    """A wheel with one empty module, whose version it is."""
    wheel = folder / f"{package}-{version}-py3-none-any.whl"
    info = f"{package}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
    tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{package}/__init__.py", f"__version__ = '{version}'\n")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", tag)
        names = [*archive.namelist(), f"{info}/RECORD"]
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in names))
    return wheel


def version_of(pin: str) -> str:
    return pin.partition("==")[2]


def test_list_is_in_order_and_ends_with_the_newest() -> None:
    code, out, _ = run("--list")
    releases = out.split()
    assert code == 0
    assert releases == sorted(releases, key=lambda text: [*map(int, text.split("."))])
    assert releases[0] == "2.18.0"
    assert releases[-1] == DATA["newest"]


@pytest.mark.parametrize(
    ("wrong", "right"), [("3.0.11", "3.0.10"), ("3.4.99", DATA["newest"]), ("1.0", "2.18.0")]
)
def test_unknown_release_names_the_nearest(wrong: str, right: str) -> None:
    code, sentence = refused(wrong)
    assert code == 2
    assert wrong in sentence
    assert f"did you mean {right}?" in sentence


def test_path_without_zarr_is_named_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "zarr-1.whl").touch()
    for path in (tmp_path, tmp_path / "file", tmp_path / "zarr-1.whl", tmp_path / "nothing"):
        code, sentence = refused(path)
        assert code == 2
        assert str(path) in sentence


def test_environment_is_kept(cache: dict[str, str]) -> None:
    code, first, progress = run(DATA["newest"], env=cache)
    assert code == 0, progress
    assert "making" in progress
    code, second, progress = run(DATA["newest"], env=cache)
    assert (second, progress) == (first, "")
    python = json.loads(first)["python"]
    ask = "import zarr, cloudpickle; print(zarr.__version__)"
    assert subprocess.check_output([python, "-c", ask], text=True).strip() == DATA["newest"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Lets SIGINT end the processes that we start.

    A shell without job control starts its background commands with SIGINT ignored, and a process
    hands that on to what it starts: Python then leaves SIGINT ignored.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_interrupted_creation_leaves_nothing_half_made(
    cache: dict[str, str], kill: signal.Signals
) -> None:
    root = Path(cache["STOREFUZZ_CACHE"])
    process = start("3.4.1", env=cache)
    while not list(root.glob("*/.zarr-3.4.1.making-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(kill)
    process.communicate()
    assert process.returncode != 0
    assert not list(root.glob("*/zarr-3.4.1"))
    if kill != signal.SIGKILL:
        assert not list(root.glob("*/.zarr*"))
    assert said("3.4.1", env=cache)["release"] == "3.4.1"
    assert not list(root.glob("*/.zarr*"))


def test_two_at_once_make_one_environment(cache: dict[str, str]) -> None:
    both = [start(DATA["newest"], env=cache) for _ in range(2)]
    answers = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert answers[0][0] == answers[1][0]
    assert sum("making" in progress for _, progress in answers) == 1


def test_no_network_is_one_sentence(cache: dict[str, str], tmp_path: Path) -> None:
    # Nobody listens at the discard port.
    nowhere = {name: "http://127.0.0.1:9" for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")}
    nowhere |= {"UV_CACHE_DIR": str(tmp_path / "uv"), "UV_HTTP_RETRIES": "0"}
    code, sentence = refused("3.0.1", env=cache | nowhere)
    assert code == 3
    assert "network" in sentence
    code, sentence = refused("3.0.1", "--with", "icechunk", env=cache | nowhere)
    assert code == 3
    assert "network" in sentence


def test_folder_with_zarr_gets_the_dependencies_of_its_release(
    cache: dict[str, str], tmp_path: Path, newest_python: Path
) -> None:
    package = copy_zarr(newest_python, tmp_path)
    answer = said(tmp_path, env=cache)
    assert answer["release"] == DATA["newest"]
    assert answer["path"] == str(tmp_path)
    with (package / "__init__.py").open("a") as file:
        file.write("edited = 'seen'\n")
    ask = "import zarr, cloudpickle; print(zarr.edited)"
    assert subprocess.check_output([answer["python"], "-c", ask], text=True) == "seen\n"


def test_checkout_that_was_never_built(
    cache: dict[str, str], tmp_path: Path, newest_python: Path
) -> None:
    package = copy_zarr(newest_python, tmp_path / "src")
    (package / "_version.py").unlink()
    table = f'[project]\nname = "zarr"\ndynamic = ["version"]\n{DEPENDENCIES}\n'
    (tmp_path / "pyproject.toml").write_text(table)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "release-notes.md").write_text("# Notes\n\n## 3.3.7 (2026-01-01)\n")
    answer = said(tmp_path, env=cache)
    assert answer["release"] == "3.3.7+checkout"
    assert answer["path"] == str(tmp_path / "src")
    # The same environment serves it under its other name.
    assert said(tmp_path / "src", env=cache) == answer
    (package / "__init__.py").write_text("from nowhere import something\n")
    code, sentence = refused(tmp_path, env=cache)
    assert code == 2
    assert "No module named 'nowhere'" in sentence


def test_wheel(cache: dict[str, str], tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "zarr", "9.9.9")
    answer = said(wheel, env=cache)
    assert answer["release"] == "9.9.9"
    assert answer["path"] == str(wheel)
    assert {"fsspec", "aiohttp", "obstore", "cloudpickle"} == answer["packages"].keys()


def test_zarr_2_has_no_optional_stores(cache: dict[str, str]) -> None:
    assert said("2.18.7", env=cache)["packages"].keys() == {"cloudpickle"}


@pytest.mark.parametrize("package", DATA["third parties"])
def test_third_party_beside_zarr(cache: dict[str, str], package: str) -> None:
    pins = DATA["third parties"][package]
    answer = said(DATA["newest"], "--with", package, env=cache)
    told = answer["packages"]
    assert answer["release"] == DATA["newest"]
    assert {pin: told[pin.partition("==")[0]] for pin in pins} == {
        pin: version_of(pin) for pin in pins
    }
    assert "fsspec" in told
    place = Path(answer["python"]).parent.parent
    assert place.name.startswith(f"zarr-{DATA['newest']}+{pins[0].replace('==', '-')}-")
    code, again, progress = run(DATA["newest"], "--with", pins[0], env=cache)
    assert (code, json.loads(again), progress) == (0, answer, "")
    subprocess.run([answer["python"], "-c", f"import zarr, {package}"], check=True)


def test_another_version_brings_what_fits_it(cache: dict[str, str]) -> None:
    told = said(DATA["newest"], "--with", "dask==2026.3.0", env=cache)["packages"]
    assert told["dask"] == told["distributed"] == "2026.3.0"


def test_version_of_what_is_pinned_anyway(cache: dict[str, str]) -> None:
    both = ("--with", "obstore==0.9.2", "--with", "fsspec==2025.3.0")
    told = said(DATA["newest"], *both, env=cache)["packages"]
    assert (told["obstore"], told["fsspec"]) == ("0.9.2", "2025.3.0")


def test_wheel_beside_zarr(cache: dict[str, str], tmp_path: Path) -> None:
    first = said("3.4.1", "--with", make_wheel(tmp_path, "beside", "1.0"), env=cache)
    assert first["packages"]["beside"] == "1.0"
    # The same name with another content is another package.
    with zipfile.ZipFile(tmp_path / "beside-1.0-py3-none-any.whl", "a") as archive:
        archive.writestr("beside/more.py", "")
    second = said("3.4.1", "--with", tmp_path / "beside-1.0-py3-none-any.whl", env=cache)
    assert second["python"] != first["python"]
    subprocess.run([second["python"], "-c", "import beside.more, zarr"], check=True)


def test_checkout_beside_a_checkout(
    cache: dict[str, str], tmp_path: Path, newest_python: Path
) -> None:
    copy_zarr(newest_python, tmp_path)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "beside.py").write_text('"""Needs zarr."""\n\n__version__ = "1.5"\nimport zarr\n')
    (checkout / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
        '[project]\nname = "beside"\ndynamic = ["version", "description"]\n'
        'dependencies = ["zarr"]\n'
    )
    answer = said(tmp_path, "--with", checkout, env=cache)
    assert answer["path"] == str(tmp_path)
    assert answer["packages"]["beside"] == "1.5"
    with (checkout / "beside.py").open("a") as file:
        file.write("edited = zarr.__file__\n")
    ask = "import beside; print(beside.edited)"
    file = subprocess.check_output([answer["python"], "-c", ask], text=True).strip()
    assert file == str(tmp_path / "zarr" / "__init__.py")


@pytest.mark.parametrize(
    "wrong",
    [
        "storefuzz-has-no-such-package",
        "icechunk==0.0.77",
        "icechunk>=1",
        "zarr==3.0.1",
        "./nothing",
        "nothing.whl",
        "/",
    ],
)
def test_addition_named_wrong(cache: dict[str, str], wrong: str) -> None:
    code, sentence = refused(DATA["newest"], "--with", wrong, env=cache)
    assert code == 2
    assert wrong.partition("==")[0].removeprefix("./") in sentence
    assert not list(Path(cache["STOREFUZZ_CACHE"]).glob("*/.zarr*"))


def test_nothing_is_added_to_an_environment_of_the_user(newest_python: Path) -> None:
    code, sentence = refused("--venv", newest_python, "--with", "icechunk")
    assert code == 2
    assert "--with" in sentence


def test_own_environment(newest_python: Path) -> None:
    answer = said("--venv", newest_python.parent.parent)
    assert answer == said("newest")
    assert answer["path"] is None
    assert said("--venv", newest_python) == answer


def test_own_environment_without_zarr(tmp_path: Path) -> None:
    code, sentence = refused("--venv", sys.prefix)
    assert code == 2
    assert "No module named 'zarr'" in sentence
    code, sentence = refused("--venv", tmp_path)
    assert code == 2
    assert "no bin/python" in sentence


def test_own_environment_of_another_python(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    for version, told in (
        ("cpython 3.99", "has cpython 3.99, but storefuzz was built for"),
        ("cpython 3.11", "must be CPython 3.12 or newer, but it is Python 3.11."),
        ("pypy 3.12", "must be CPython 3.12 or newer, but it is none."),
        ("", "must be CPython 3.12 or newer, but it is none."),
    ):
        python.write_text(f"#!/bin/sh\necho {version}\necho 2.18.0\n")
        python.chmod(0o755)
        code, sentence = refused("--venv", tmp_path)
        assert code == 2
        assert told in sentence


def test_own_environment_may_be_a_command(tmp_path: Path) -> None:
    python = tmp_path / "python3.11"
    python.write_text("#!/bin/sh\necho cpython 3.11\n")
    python.chmod(0o755)
    path = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    code, sentence = refused("--venv", "python3.11", env=path)
    assert code == 2
    assert "it is Python 3.11" in sentence


@pytest.mark.parametrize("wrong", [[], ["--cupboard"], ["3.0.1", "3.0.2"], ["--li"], ["--venv"]])
def test_arguments_that_make_no_sense(wrong: list[str]) -> None:
    code, sentence = refused(*wrong)
    assert code == 2
    assert sentence.startswith("environment.py takes one release or path")


def test_name_with_a_dash_is_a_name() -> None:
    code, sentence = refused("--", "--list")
    assert code == 2
    assert sentence.startswith("'--list' is no known release")


def test_a_terminal_obeys_no_word_of_a_stranger(tmp_path: Path) -> None:
    code, sentence = refused(tmp_path / "a\x1b]0;b\x9bc\nd\u202ee")
    assert code == 2
    assert "a\\u001b]0;b\\u009bc\\u000ad\\u202ee" in sentence


def test_unwritable_cache_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, sentence = refused("3.0.1", env=os.environ | {"STOREFUZZ_CACHE": f"{tmp_path}/file"})
    assert code == 3
    assert "file" in sentence
