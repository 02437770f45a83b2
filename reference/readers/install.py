"""Prints the command line of a reader, after making the environment that it runs in.

    install.py tensorstore                ["…/bin/python", "-BEs", "…/tensorstore_reader.py"]
    install.py zarr==3.0.2                zarr's own reader with that release; `zarr` is the newest
    install.py zarrita                    ["node", "…/zarrita_reader.mjs", "…"]

Environments are made and kept like those of environment.py, and beside them; run it with the same
python. Exit codes: 2 there is no such reader, 3 the machine lacks something; one sentence on
stderr.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "environments"))

import environment  # noqa: E402
from environment import MACHINE_LACKS, NAMED_WRONG, Problem, Recipe  # noqa: E402

OLDEST_NODE = 20

# What npm's message holds when nobody answered.
NO_NETWORK = ("ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONNREFUSED", "ECONNRESET", "ENOTCACHED")


def command_of(reader: dict, folder: Path) -> list[str]:
    file = str(HERE / reader["file"])
    if reader["language"] == "node":
        return ["node", file, str(folder)]
    # No bytecode beside the reader, nothing from the user's own settings of Python.
    return [str(folder / "bin" / "python"), "-BEs", file]


def need_node(name: str) -> None:
    found = shutil.which("node") and subprocess.run(
        ["node", "--version"], check=False, capture_output=True, text=True
    )
    version = re.match(r"v(\d+)\.", found.stdout) if found else None
    if not version or int(version[1]) < OLDEST_NODE:
        raise Problem(MACHINE_LACKS, f"The reader {name} needs Node {OLDEST_NODE} or newer.")


def fill_python(folder: Path, recipe: Recipe, interpreter: Path) -> None:
    environment.run_uv(recipe, "venv", "--relocatable", "--python", interpreter, folder)
    target = ("--python", folder / "bin" / "python")
    how = ("--no-deps", "--only-binary", ":all:", "--compile-bytecode")
    environment.run_uv(recipe, "pip", "install", *target, *how, *recipe.install)


def fill_node(folder: Path, recipe: Recipe) -> None:
    npm = shutil.which("npm")
    if not npm:
        raise Problem(MACHINE_LACKS, f"{recipe.title} needs npm, which comes with Node.")
    folder.mkdir(parents=True)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
    done = subprocess.run(
        [npm, "install", "--prefix", folder, *quiet, *recipe.install],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        close_fds=False,
        cwd=folder,
    )
    if any(sign in done.stderr for sign in NO_NETWORK):
        raise Problem(
            MACHINE_LACKS, f"{recipe.title} is not there yet, and the network does not answer."
        )
    if done.returncode != 0:
        reason = " ".join(done.stderr.replace("npm error", "").split())
        raise Problem(MACHINE_LACKS, f"{recipe.title} cannot be installed: {reason}")


def is_made(folder: Path, recipe: Recipe) -> bool:
    note = folder / "recipe.json"
    return note.exists() and note.read_text() == recipe.text()


def fill(folder: Path, recipe: Recipe, reader: dict) -> None:
    if reader["language"] == "node":
        fill_node(folder, recipe)
    else:
        fill_python(folder, recipe, Path(sys.executable))
    # Asked nothing, a reader ends at once; that it starts proves the environment.
    trial = subprocess.run(
        command_of(reader, folder),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if trial.returncode != 0:
        reason = environment.last_line(trial.stderr)
        raise Problem(MACHINE_LACKS, f"{recipe.title} does not work: {reason}")
    (folder / "recipe.json").write_text(recipe.text())


def make(reader: dict) -> Path:
    """The folder of a reader's environment; it is made beside its place, then renamed."""
    name = f"reader-{reader['name']}"
    recipe = Recipe(f"The reader {reader['name']}", name, reader["packages"], with_zarr=False)

    def fill_and_say(unfinished: Path) -> None:
        environment.say(f"making the environment of the reader {reader['name']} …")
        fill(unfinished, recipe, reader)

    return environment.make_once(
        environment.own_folder(), name, lambda place: is_made(place, recipe), fill_and_say
    )


def install(named: str) -> list[str]:
    readers = json.loads((HERE / "readers.json").read_text())["readers"]
    known = {reader["name"]: reader for reader in readers}
    name, _, release = named.partition("==")
    if name not in known or (release and name != "zarr"):
        raise Problem(NAMED_WRONG, f"There is no reader {named}; known are {', '.join(known)}.")
    reader = known[name]
    if reader["language"] == "node":
        need_node(name)
    if name == "zarr":
        place = environment.own_folder()
        made = environment.prepare(release or "newest", [], place, Path(sys.executable))
        return command_of(reader, Path(made["python"]).parents[1])
    return command_of(reader, make(reader))


if __name__ == "__main__":
    # A polite kill must run the `finally` that removes what is half made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if len(sys.argv) != 2:
            raise Problem(NAMED_WRONG, "install.py takes the name of one reader.")
        print(json.dumps(install(sys.argv[1])))
    except Problem as problem:
        environment.say(str(problem))
        sys.exit(problem.code)
    except OSError as error:
        environment.say(f"The reader cannot be made: {error.strerror} ({error.filename}).")
        sys.exit(MACHINE_LACKS)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
