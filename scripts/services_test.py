"""What .clusterfuzzlite/build.sh leaves in $OUT, checked as OSS-Fuzz checks it before it fuzzes.

$OUT is built with the variables of the services' image and the address sanitizer, moved, and
started by another user, with an empty home, without a network, from another folder. The checks are
those of bad_build_check in OSS-Fuzz; its image itself is not at hand here.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The canary always fails: it is there for runs, which prove by it that they see.
TARGETS = sorted({file.stem for file in ROOT.glob("fuzz/*.cc")} - {"engine", "canary"})
NOBODY = "65534"

# Of the services' images (base-builder and base-runner).
FLAGS = (
    "-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION "
    "-fsanitize=address -fsanitize-address-use-after-scope -fsanitize=fuzzer-no-link"
)
ASAN_OPTIONS = (
    "alloc_dealloc_mismatch=0:allocator_may_return_null=1:allocator_release_to_os_interval_ms=500:"
    "check_malloc_usable_size=0:detect_container_overflow=1:detect_odr_violation=0:detect_leaks=1:"
    "detect_stack_use_after_return=1:fast_unwind_on_fatal=0:handle_abort=1:handle_segv=1:"
    "handle_sigill=1:max_uar_stack_size_log=16:print_scariness=1:quarantine_size_mb=10:"
    "strict_memcmp=1:symbolize=1:use_sigaltstack=1:dedup_token_length=3"
)
ARGUMENTS = ["-rss_limit_mb=2560", "-timeout=25"]

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")


class Service:
    """$OUT where it was moved to, and a home for nobody."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "moved"
        self.home = folder / "home"
        self.folder = folder

    def build(self) -> None:
        source, out = self.folder / "src", self.folder / "out"
        work = ROOT / "build" / "services"  # below the clone, where ccache knows paths again
        for made in (source, out, work, self.home):
            made.mkdir(exist_ok=True)
        (source / "storefuzz").symlink_to(ROOT)
        shutil.rmtree(work / "seeds", ignore_errors=True)
        environment = os.environ | {
            "SRC": str(source),
            "OUT": str(out),
            "WORK": str(work),
            "CC": "clang-19",
            "CXX": "clang++-19",
            "CFLAGS": FLAGS,
            "CXXFLAGS": FLAGS,
            "LIB_FUZZING_ENGINE": "-fsanitize=fuzzer",
            "STOREFUZZ_TOOLS": sys.executable,
        }
        script = ROOT / ".clusterfuzzlite" / "build.sh"
        done = subprocess.run(
            ["bash", "-eux", script], check=False, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        out.rename(self.out)
        for owned in (self.home, self.folder):
            owned.chmod(0o777)

    def start(
        self, target: str, *arguments: str | Path, environment: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        command = ["unshare", "--net", "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}"]
        command += ["--clear-groups", "--", str(self.out / target), *map(str, arguments)]
        variables = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "ASAN_OPTIONS": ASAN_OPTIONS}
        return subprocess.Popen(
            command,
            cwd=self.home,
            env=variables | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as folder:
        made = Service(Path(folder))
        made.build()
        yield made


def end_of(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


def test_targets_are_found_by_what_is_in_them(service: Service) -> None:
    files = [it for it in service.out.iterdir() if it.is_file() and os.access(it, os.X_OK)]
    found = [it.name for it in files if b"LLVMFuzzerTestOneInput" in it.read_bytes()]
    assert sorted(found) == TARGETS
    assert all((service.out / name).read_bytes()[:4] == b"\x7fELF" for name in found)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in found)


def test_targets_start(service: Service) -> None:
    started = {it: service.start(it, "--", *ARGUMENTS, "-seed=1337", "-runs=4") for it in TARGETS}
    for name, process in started.items():
        code, said = end_of(process)
        assert (code, "Done 4 runs" in said) == (0, True), f"{name}: {said[-3000:]}"
        assert "ERROR: no interesting inputs were found" not in said


def test_no_seed_ends_its_target(service: Service) -> None:
    started = {}
    for name in TARGETS:
        options = configparser.ConfigParser()
        options.read(service.out / f"{name}.options")
        arguments = [f"-{key}={value}" for key, value in options["libfuzzer"].items()]
        assert (service.out / f"{name}.dict").stat().st_size
        seeds = service.folder / f"seeds-{name}"
        with zipfile.ZipFile(service.out / f"{name}_seed_corpus.zip") as archive:
            assert archive.namelist()
            archive.extractall(seeds)
        seeds.chmod(0o777)
        arguments += [f"-dict={service.out / name}.dict", "-runs=0", str(seeds)]
        started[name] = service.start(name, *ARGUMENTS, *arguments)
    for name, process in started.items():
        code, said = end_of(process)
        assert code == 0, f"{name}: {said[-3000:]}"


@pytest.mark.parametrize("target", TARGETS)
def test_the_address_sanitizer_is_in_it_and_the_other_is_not(service: Service, target: str) -> None:
    code = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", service.out / target],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert len(re.findall(r"callq?\s+[0-9a-f]+ <__asan", code)) >= 1000
    assert len(re.findall(r"callq?\s+[0-9a-f]+ <__ubsan", code)) <= 200


def test_what_is_new_ends_a_target_and_what_is_known_does_not(service: Service) -> None:
    case = service.folder / "case.json"
    shutil.copy(ROOT / "corpus/regressions/zip-overwritten-key-listed-twice.json", case)
    known = service.start("program", *ARGUMENTS, case)
    new = service.start("program", *ARGUMENTS, case, environment={"STOREFUZZ_KNOWN": "none"})
    code, said = end_of(known)
    assert code == 0, said[-3000:]
    code, said = end_of(new)
    assert code != 0
    told = re.search(r"^Assertion failure: FuzzerHash=[0-9a-f]{16} (.*)$", said, re.MULTILINE)
    assert told, said[-3000:]
    assert told[1] == "listing / twice / list on zip / a name written twice"
    assert "DEFECT: " in said
