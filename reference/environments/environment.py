"""Makes the Python environments that hold zarr: one for each release, checkout or wheel.

An environment is made on first use and kept. It is made beside its place and then renamed, under a
lock, so that neither an interruption nor a second process ever sees a half made one. Standard
library only; run it with the tools environment's python, which brings `uv` along.

    environment.py 3.0.1                  {"python": ".../bin/python", "release": "3.0.1", ...}
    environment.py ../zarr-python         a checkout: edits are seen at once
    environment.py zarr-3.4.2-py3-none-any.whl
    environment.py 3.4.2 --with icechunk --with dask==2026.8.0 --with ../xarray
    environment.py --venv ~/my-env        nothing is made: looks whether that one will do

Exit codes: 2 the subject was named wrong, 3 the machine lacks something; one sentence on stderr.
"""

from __future__ import annotations

import argparse
import dataclasses
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

NAMED_WRONG = 2
MACHINE_LACKS = 3

# Of the subject's environment: the oldest that storefuzz can embed (scripts/setup).
OLDEST_PYTHON = (3, 12)

HERE = Path(__file__).resolve().parent

# uv brings its own certificates; where the system has some, they also know a company's proxy.
SYSTEM_CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")

# What uv's message holds when nobody answered.
NO_NETWORK = (
    "dns error",
    "error sending request",
    "failed to connect",
    "timed out",
    "network was disabled",
)

# What uv's message holds when it had all the answers, and they do not go together.
NO_SOLUTION = "no solution found"

# A checkout gets `zarr._version` (zarr 2: `zarr.version`) only when it is built. This module comes
# last in the search, so it answers only where the checkout has no such file.
VERSION_MODULE = '''"""Says the version of a zarr checkout that was never built."""

import sys
from importlib.machinery import ModuleSpec


class VersionFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        known = name in ("zarr._version", "zarr.version")
        return ModuleSpec(name, VersionFinder) if known else None

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        module.version = module.__version__ = {version!r}


sys.meta_path.append(VersionFinder)
'''

# What must be equal for an environment's compiled modules to load into our process.
KIND = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2] + sys.abiflags)"

# Prints the versions of those of some packages that are installed.
TELL_PACKAGES = """
import contextlib, json
from importlib import metadata
told = {{}}
for package in {packages!r}:
    with contextlib.suppress(metadata.PackageNotFoundError):
        told[package] = metadata.version(package)
print(json.dumps(told))
"""

# Imports what is installed; where zarr comes later, what needs it may say so.
TRY_PACKAGES = """
import importlib.util
for package in {packages!r}:
    try:
        if importlib.util.find_spec(package):
            importlib.import_module(package)
    except ModuleNotFoundError as error:
        if {with_zarr} or error.name.split(".")[0] != "zarr":
            raise
"""


class Problem(Exception):
    """One sentence for the user, and the exit code that goes with it."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclasses.dataclass(frozen=True)
class Addition:
    """A package that `--with` puts beside zarr."""

    package: str
    # As uv is asked for it.
    install: str
    # Where they are known: its version, and a mark of a wheel's content.
    version: str = ""
    mark: str = ""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What an environment is made of; one that was made by another recipe is made again."""

    title: str
    name: str
    install: list[str]
    constraints: list[str] = dataclasses.field(default_factory=list)
    # Whether zarr stays in there, or only what it depends on.
    with_zarr: bool = True
    # The packages whose versions are told.
    packages: list[str] = dataclasses.field(default_factory=list)
    # Whose fault it is when it cannot be: the machine's, or of who named what is added.
    failure: int = MACHINE_LACKS

    def text(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1)


def package_of(requirement: str) -> str:
    """The name that a requirement begins with, as the registry spells it."""
    name = re.match(r"[A-Za-z0-9._-]*", requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclasses.dataclass(frozen=True)
class Releases:
    """The data of releases.json."""

    newest: str
    constraints: list[str]
    packages: list[str]
    beside: dict[str, list[str]]
    third_parties: dict[str, list[str]]
    requirements: dict[str, list[str]]

    @staticmethod
    def load() -> Releases:
        data = json.loads((HERE.parent / "releases.json").read_text())
        return Releases(
            data["newest"],
            data["constraints"],
            data["packages"],
            data["beside"],
            data["third parties"],
            {row["release"]: row["requirements"] for row in data["releases"]},
        )

    def nearest(self, wrong: str) -> str:
        """The last release that is not newer than the one asked for."""
        asked = [int(number) for number in re.findall(r"\d+", wrong)] or [sys.maxsize]
        older = [known for known in self.requirements if [*map(int, known.split("."))] <= asked]
        return older[-1] if older else next(iter(self.requirements))

    def pinned(self, package: str) -> str:
        return next(pin for pin in self.constraints if pin.startswith(f"{package}=="))

    def for_major_version(self, version: str) -> list[str]:
        """What every zarr of that major version gets; a newer one gets what the last one does."""
        known = [major for major in self.beside if int(major) <= int(version.split(".")[0])]
        return self.beside[known[-1]] if known else []


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey: control characters by their numbers."""
    return "".join(it if it.isprintable() else f"\\u{ord(it):04x}" for it in text)


def say(text: str) -> None:
    """Says one line; what strangers said in it (uv, an import) makes no second one."""
    print(printable(text), file=sys.stderr, flush=True)


def folder_of(interpreter: Path, version: str) -> Path:
    """Where everything for one base interpreter lives; the tools environment is `tools` in it."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(os.environ.get("STOREFUZZ_CACHE") or Path(cache) / "storefuzz")
    mark = hashlib.sha256(str(interpreter).encode()).hexdigest()[:8]
    return root.absolute() / f"py{version}-{mark}"


def own_folder() -> Path:
    base = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    return folder_of(base, f"{sys.version_info.major}.{sys.version_info.minor}")


def clean_environment() -> dict[str, str]:
    """The user's environment without what would turn uv or Python to other packages."""
    unwanted = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    if any(os.path.exists(path) for path in SYSTEM_CERTIFICATES):
        environment.setdefault("UV_SYSTEM_CERTS", "1")
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment["UV_NO_PROGRESS"] = "1"
    return environment


def ask_python(python: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Runs code isolated: the user's PYTHONPATH and working directory must not answer for zarr."""
    try:
        return subprocess.run(
            [python, "-I", "-W", "ignore", "-c", code],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            env=clean_environment(),
        )
    except OSError as error:
        raise Problem(NAMED_WRONG, f"{python} cannot be run: {error.strerror}.") from error


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def run_uv(recipe: Recipe, *arguments: str | Path) -> None:
    uv = Path(sys.prefix) / "bin" / "uv"
    if not uv.exists():
        raise Problem(MACHINE_LACKS, f"There is no uv beside {sys.executable}: run scripts/setup.")
    process = subprocess.Popen(
        [uv, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        close_fds=False,
        env=clean_environment(),
    )
    try:
        _, said = process.communicate()
    except BaseException:
        # Of a child that is interrupted with it Python waits for a quarter of a second only; who
        # removes what is half made must know that uv writes no more.
        process.kill()
        process.wait()
        raise
    if process.returncode == 0:
        return
    if any(sign in said.lower() for sign in NO_NETWORK):
        raise Problem(
            MACHINE_LACKS, f"{recipe.title} is not there yet, and the network does not answer."
        )
    # uv draws a tree of causes; as one sentence it is its words without the drawing, and without
    # where it was at work.
    causes = said.partition("error:")[2] or said
    reason = " ".join(re.sub(r"[^\x00-\x7f]+", " ", causes).split())
    code = recipe.failure if NO_SOLUTION in said.lower() else MACHINE_LACKS
    raise Problem(code, f"{recipe.title} cannot be installed: {reason}")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # uv inherits the lock: should we be killed, it is held until uv has stopped writing too.
        os.set_inheritable(lock.fileno(), True)
        yield


def is_made(environment: Path, recipe: Recipe) -> bool:
    note = environment / "recipe.json"
    python = environment / "bin" / "python"
    return os.access(python, os.X_OK) and note.exists() and note.read_text() == recipe.text()


def fill(environment: Path, recipe: Recipe, interpreter: Path) -> None:
    python = environment / "bin" / "python"
    # Relocatable, because the environment is renamed when it is ready.
    run_uv(recipe, "venv", "--relocatable", "--python", interpreter, environment)
    constraints = environment / "constraints.txt"
    constraints.write_text("".join(f"{pin}\n" for pin in recipe.constraints))
    target = ("--python", python)
    run_uv(recipe, "pip", "install", *target, "--constraint", constraints, *recipe.install)
    if not recipe.with_zarr:
        run_uv(recipe, "pip", "uninstall", *target, "zarr")
    # Importing proves the environment, and writes the bytecode that contained children may not.
    needed = f"import cloudpickle, {'zarr' if recipe.with_zarr else 'numcodecs'}\n"
    others = TRY_PACKAGES.format(packages=recipe.packages, with_zarr=recipe.with_zarr)
    trial = ask_python(python, needed + others)
    if trial.returncode != 0:
        raise Problem(recipe.failure, f"{recipe.title} does not work: {last_line(trial.stderr)}")
    told = ask_python(python, TELL_PACKAGES.format(packages=recipe.packages))
    (environment / "packages.json").write_text(told.stdout)
    (environment / "recipe.json").write_text(recipe.text())


def make_once(
    folder: Path, name: str, is_made: Callable[[Path], bool], fill: Callable[[Path], None]
) -> Path:
    """Returns the folder of that name, after filling it if it is not made; once for all processes.

    It is filled beside its place, then renamed.
    """
    place = folder / name
    if is_made(place):
        return place
    with locked(folder / "locks" / name):
        # Whoever held the lock before us may have made it.
        if is_made(place):
            return place
        for leftover in folder.glob(f".{name}.making-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        unfinished = folder / f".{name}.making-{os.getpid()}"
        try:
            fill(unfinished)
            shutil.rmtree(place, ignore_errors=True)
            unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return place


def make(recipe: Recipe, folder: Path, interpreter: Path) -> Path:
    """Returns the environment of that recipe, after making it if there is none."""

    def fill_and_say(unfinished: Path) -> None:
        begin = time.monotonic()
        say(f"making the environment of {recipe.title} …")
        fill(unfinished, recipe, interpreter)
        say(f"made in {time.monotonic() - begin:.1f} s")

    return make_once(folder, recipe.name, lambda place: is_made(place, recipe), fill_and_say)


def replace_text(path: Path, text: str) -> None:
    """Writes a file in one step, since another process may be reading it."""
    if path.exists() and path.read_text() == text:
        return
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_text(text)
    unfinished.replace(path)


def release_recipe(release: str, releases: Releases) -> Recipe:
    install = [f"zarr=={release}", "cloudpickle", *releases.requirements[release]]
    install += releases.for_major_version(release)
    return Recipe(f"zarr {release}", f"zarr-{release}", install, releases.constraints)


def parts_of_wheel(wheel: Path) -> tuple[str, str, str]:
    """Its package, its version, and a mark of its content."""
    parts = wheel.name.split("-")
    if len(parts) < 5:
        raise Problem(NAMED_WRONG, f"{wheel} is not named like a wheel.")
    return package_of(parts[0]), parts[1], hashlib.sha256(wheel.read_bytes()).hexdigest()[:8]


def wheel_recipe(wheel: Path, releases: Releases) -> Recipe:
    package, version, mark = parts_of_wheel(wheel)
    if package != "zarr":
        raise Problem(NAMED_WRONG, f"{wheel} is not a wheel of zarr.")
    install = [str(wheel), releases.pinned("cloudpickle"), *releases.for_major_version(version)]
    return Recipe(wheel.name, f"wheel-{version}-{mark}", install)


def guess_version(checkout: Path, releases: Releases) -> str:
    """The version of a checkout that was never built: by its tags, else by its release notes."""
    git = ["git", "-C", checkout, "describe", "--tags", "--match", "v[0-9]*"]
    if (checkout / ".git").exists() and shutil.which("git"):
        said = subprocess.run(
            git, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        tag = re.match(r"v(\d+\.\d+\.\d+)(?:-(\d+)-(g[0-9a-f]+))?$", said.stdout.strip())
        if tag:
            return f"{tag[1]}+{tag[2]}.{tag[3]}" if tag[2] else tag[1]
    notes = checkout / "docs" / "release-notes.md"
    heading = notes.exists() and re.search(r"(?m)^## (\d+\.\d+\.\d+)", notes.read_text())
    return f"{heading[1] if heading else releases.newest}+checkout"


def read_project(folder: Path) -> dict:
    """The `project` table of a checkout; empty where there is none."""
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    except (OSError, ValueError, KeyError):
        return {}


def folder_recipe(folder: Path, releases: Releases) -> tuple[Recipe, Path, str]:
    """How to make the dependencies of a folder; also what goes on the path, and its version."""
    if folder.name == "zarr" and (folder / "__init__.py").exists():
        folder = folder.parent
    importable = folder / "src" if (folder / "src" / "zarr").is_dir() else folder
    if not (importable / "zarr" / "__init__.py").exists():
        raise Problem(
            NAMED_WRONG,
            f"{folder} is no checkout of zarr-python, no wheel and no folder that holds zarr.",
        )
    mark = hashlib.sha256(str(importable).encode()).hexdigest()[:8]
    checkout = folder.parent if folder.name == "src" else folder
    title, name = f"the dependencies of {checkout}", f"folder-{checkout.name}-{mark}"
    project = read_project(checkout)
    if project.get("name") == "zarr" and "dependencies" in project:
        version = guess_version(checkout, releases)
        install = [*project["dependencies"], releases.pinned("cloudpickle")]
        install += releases.for_major_version(version)
        return Recipe(title, name, install, with_zarr=False), importable, version
    # A bare folder says nothing of its needs: take those of its release, or of the newest one.
    version = read_version(importable / "zarr") or releases.newest
    known = version if version in releases.requirements else releases.newest
    like = release_recipe(known, releases)
    recipe = Recipe(title, name, like.install, like.constraints, with_zarr=False)
    return recipe, importable, version


def read_version(package: Path) -> str | None:
    for file in (package / "_version.py", package / "version.py"):
        if file.exists():
            assigned = r"(?m)^(?:__version__ = )?version = ['\"]([^'\"]+)"
            found = re.search(assigned, file.read_text())
            return found[1] if found else None
    return None


def read_addition(text: str, releases: Releases) -> Addition:
    """What one `--with` names. A path looks like one: no name means a folder that lies here."""
    if "/" in text or text.startswith(".") or text.endswith(".whl"):
        return addition_at(Path(text).resolve())
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(==[A-Za-z0-9.!+]+)?", text):
        raise Problem(NAMED_WRONG, f"{text!r} is no PACKAGE, no PACKAGE==VERSION and no PATH.")
    package = package_of(text)
    version = text.partition("==")[2]
    if not version and package in releases.third_parties:
        version = releases.third_parties[package][0].partition("==")[2]
    return Addition(package, f"{package}=={version}" if version else package, version)


def addition_at(path: Path) -> Addition:
    if path.is_file() and path.suffix == ".whl":
        package, version, mark = parts_of_wheel(path)
        return Addition(package, str(path), version, mark)
    if not path.exists():
        raise Problem(NAMED_WRONG, f"There is nothing at {path}.")
    if not any((path / file).exists() for file in ("pyproject.toml", "setup.py")):
        raise Problem(NAMED_WRONG, f"{path} is neither a wheel nor the checkout of a package.")
    # As with a checkout of zarr, edits are seen at once.
    name = read_project(path).get("name", path.name)
    return Addition(package_of(name), f"--editable={path}")


def add(recipe: Recipe, named: list[str], releases: Releases) -> Recipe:
    """The recipe with more packages beside the same zarr."""
    additions = {one.package: one for one in (read_addition(text, releases) for text in named)}
    packages = list(dict.fromkeys([*releases.packages, *sorted(additions)]))
    if not additions:
        return dataclasses.replace(recipe, packages=packages)
    if "zarr" in additions:
        raise Problem(NAMED_WRONG, "--with puts packages beside zarr; zarr itself is named alone.")
    installed = {}
    for one in additions.values():
        first, *others = releases.third_parties.get(one.package, [one.install])
        # The pins were tried with one version; for another one uv looks what fits.
        pinned = one.install == first
        installed |= {package_of(pin): pin if pinned else package_of(pin) for pin in others}
    installed |= {one.package: one.install for one in additions.values()}

    def kept(pins: list[str]) -> list[str]:
        return [pin for pin in pins if pin.partition("==")[0] not in installed]

    ordered = [additions[package] for package in sorted(additions)]
    marks = sorted(installed.values()) + [one.mark for one in ordered]
    labels = [f"{one.package}-{one.version}".rstrip("-") for one in ordered]
    mark = hashlib.sha256("\n".join(marks).encode()).hexdigest()[:8]
    return dataclasses.replace(
        recipe,
        title=f"{recipe.title} with {' and '.join(labels)}",
        name=f"{'+'.join([recipe.name, *labels])}-{mark}",
        install=[*kept(recipe.install), *installed.values()],
        constraints=kept(recipe.constraints),
        packages=packages,
        failure=NAMED_WRONG,
    )


def link(environment: Path, importable: Path, version: str) -> None:
    site = next((environment / "lib").glob("python3*/site-packages"))
    replace_text(site / "storefuzz_version.py", VERSION_MODULE.format(version=version))
    replace_text(site / "storefuzz_zarr.pth", f"{importable}\nimport storefuzz_version\n")


def imported_release(environment: Path, subject: Path) -> str:
    code = "import os, zarr; print(zarr.__version__); print(os.path.realpath(zarr.__file__))"
    said = ask_python(environment / "bin" / "python", code)
    if said.returncode != 0:
        reason = last_line(said.stderr)
        raise Problem(NAMED_WRONG, f"zarr cannot be imported from {subject}: {reason}")
    release, file = said.stdout.splitlines()[-2:]
    inside = subject if subject.is_dir() else environment.resolve()
    if not Path(file).is_relative_to(inside):
        raise Problem(MACHINE_LACKS, f"Python imports zarr from {file} instead of {inside}.")
    return release


def prepare_path(subject: Path, made: Callable[[Recipe], Path], releases: Releases) -> dict:
    subject = subject.resolve()
    if subject.is_file():
        if subject.suffix != ".whl":
            raise Problem(NAMED_WRONG, f"{subject} is neither a wheel nor a folder.")
        environment = made(wheel_recipe(subject, releases))
    else:
        recipe, importable, version = folder_recipe(subject, releases)
        environment = made(recipe)
        link(environment, importable, version)
        subject = importable
    return answer(environment, imported_release(environment, subject), subject)


def prepare(subject: str, named: list[str], folder: Path, interpreter: Path) -> dict:
    releases = Releases.load()

    def made(recipe: Recipe) -> Path:
        return make(add(recipe, named, releases), folder, interpreter)

    release = releases.newest if subject == "newest" else subject
    if release in releases.requirements:
        return answer(made(release_recipe(release, releases)), release, None)
    if os.path.exists(subject):
        return prepare_path(Path(subject), made, releases)
    if "/" in subject or subject.endswith(".whl"):
        raise Problem(NAMED_WRONG, f"There is nothing at {subject}.")
    raise Problem(
        NAMED_WRONG,
        f"{subject!r} is no known release of zarr and no path; "
        f"did you mean {releases.nearest(subject)}?",
    )


def answer(environment: Path, release: str, path: Path | None) -> dict:
    return {
        "python": str(environment / "bin" / "python"),
        "release": release,
        "path": str(path) if path else None,
        "packages": json.loads((environment / "packages.json").read_text()),
    }


def interpreter_at(place: Path) -> Path:
    """The interpreter that is meant: of an environment's folder, a file, or a command on PATH."""
    command = shutil.which(place) if len(place.parts) == 1 and not place.exists() else None
    python = Path(command or (place if place.is_file() else place / "bin" / "python")).absolute()
    if not python.exists():
        raise Problem(NAMED_WRONG, f"{place} is no Python environment: it has no bin/python.")
    return python


def look_at_venv(place: Path) -> dict:
    """The user's own environment: nothing is made or changed there."""
    python = interpreter_at(place)
    packages = TELL_PACKAGES.format(packages=Releases.load().packages)
    said = ask_python(python, f"{KIND}\nimport zarr; print(zarr.__version__)\n{packages}")
    lines = said.stdout.splitlines()
    version = re.match(r"cpython (\d+)\.(\d+)", lines[0] if lines else "")
    if not version or (int(version[1]), int(version[2])) < OLDEST_PYTHON:
        found = f"it is Python {version[1]}.{version[2]}" if version else "it is none"
        raise Problem(NAMED_WRONG, f"{place} must be CPython 3.12 or newer, but {found}.")
    own = ask_python(Path(sys.executable), KIND).stdout.strip()
    if lines[0] != own:
        raise Problem(
            NAMED_WRONG,
            f"{place} has {lines[0]}, but storefuzz was built for {own}: "
            f"./scripts/fuzz --python {place} builds for it.",
        )
    if said.returncode != 0:
        reason = last_line(said.stderr)
        raise Problem(NAMED_WRONG, f"zarr cannot be imported in {place}: {reason}")
    release, told = lines[-2:]
    return {
        "python": str(python),
        "release": release,
        "path": None,
        "packages": json.loads(told),
    }


def choose_interpreter(named: str | None) -> tuple[Path, Path]:
    """The base interpreter of new environments, and the folder that they live in."""
    if named is None:
        return Path(sys.executable), own_folder()
    code = (
        "import os, sys; print('%d.%d' % sys.version_info[:2]); "
        "print(os.path.realpath(getattr(sys, '_base_executable', sys.executable)))"
    )
    said = ask_python(Path(named).absolute(), code)
    if said.returncode != 0:
        raise Problem(NAMED_WRONG, f"{named} is no Python interpreter.")
    version, base = said.stdout.splitlines()
    return Path(base), folder_of(Path(base), version)


class Arguments(argparse.ArgumentParser):
    """A parser whose complaint is one sentence, without a usage."""

    def error(self, message: str) -> NoReturn:
        raise Problem(NAMED_WRONG, "environment.py takes one release or path; --help tells more.")


def main(arguments: list[str]) -> None:
    parser = Arguments(
        prog="environment.py", description=__doc__.split("\n")[0], allow_abbrev=False
    )
    one = parser.add_mutually_exclusive_group(required=True)
    one.add_argument("subject", nargs="?", help="a release of zarr-python, or a path")
    one.add_argument("--list", action="store_true", help="print the known releases")
    one.add_argument("--venv", type=Path, metavar="DIR", help="look at the user's own environment")
    one.add_argument("--folder", action="store_true", help="print where environments are kept")
    parser.add_argument("--python", metavar="INTERPRETER", help="make environments for this one")
    parser.add_argument(
        "--with",
        action="append",
        default=[],
        dest="additions",
        metavar="PACKAGE",
        help="put PACKAGE, PACKAGE==VERSION, or the wheel or checkout at a PATH beside zarr",
    )
    options = parser.parse_args(arguments)
    if options.additions and not options.subject:
        raise Problem(NAMED_WRONG, "--with needs a release or a path: only those are installed.")
    if options.list:
        print("\n".join(Releases.load().requirements))
    elif options.venv:
        print(json.dumps(look_at_venv(options.venv)))
    else:
        interpreter, folder = choose_interpreter(options.python)
        if options.folder:
            print(folder)
        else:
            print(json.dumps(prepare(options.subject, options.additions, folder, interpreter)))


if __name__ == "__main__":
    # A polite kill must run the `finally` that removes what is half made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        main(sys.argv[1:])
    except Problem as problem:
        say(str(problem))
        sys.exit(problem.code)
    except OSError as error:
        say(f"The environment cannot be made: {error.strerror} ({error.filename}).")
        sys.exit(MACHINE_LACKS)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
