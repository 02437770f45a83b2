"""Every line of operations.json is run on real stores: what it gives is what its word says.

In an environment of the newest release, since the tests' own has no zarr.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SIDE = Path(__file__).parent
ENVIRONMENT = SIDE.parent / "environments/environment.py"

# Runs the lines of an interface in order on one handle; prints word → what it gave.
PERFORM = """
import inspect, json, sys
sys.path.insert(0, sys.argv[1])
import operations, zarr
from zarr.core.buffer import cpu
from zarr.core.sync import sync

async def collect(items):
    return [it async for it in items]

def ask(line, handle, **arguments):
    usual = dict(key="a", value=b"b@5", start=0, end=2, other=handle, flag=True)
    found = eval(line, operations.NAMES, dict(usual, handle=handle) | arguments)
    if inspect.iscoroutine(found):
        found = sync(found)
    elif hasattr(found, "__aiter__"):
        found = sync(collect(found))
    if isinstance(found, list):
        found = [show(it) for it in found]
    return show(found)

def show(value):
    if hasattr(value, "to_bytes") and not isinstance(value, int):
        return value.to_bytes().decode()
    plain = value is None or isinstance(value, (bool, int, str, list, dict))
    return value if plain else type(value).__name__

def try_all(lines, handle, keys):
    said = {}
    for word, line in lines.items():
        try:
            said[word] = ask(line, handle, key=keys.get(word, "a"))
        except Exception as error:
            said[word] = "refused: " + type(error).__name__
    return said

lines = json.load(open(sys.argv[1] + "/../operations.json"))
nodes = {"create array": "x", "create group": "g", "open array": "x", "open group": "g"}
store = zarr.storage.MemoryStore()
zarr.create_array(store, name="x", shape=(8,), chunks=(4,), dtype="int64", fill_value=0)
zarr.create_group(store, path="g")
sync(store.set("a", cpu.Buffer.from_bytes(b"a@0")))
array, group = zarr.open_array(store, path="x"), zarr.open_group(store, path="g")
made = dict(nodes, **{"create array": "y", "create group": "h"})
path = zarr.storage.StorePath(store, "")

class Keeper:  # a store that keeps the caller's memory, as none should
    async def set(self, key, value):
        self.kept = value, value.to_bytes()

missing = zarr.storage.ZipStore(sys.argv[1] + "/no.zip", mode="r")
words = ("get partial ranges", "get ranges", "get ranges sync")
ranges = {word: lines["zarr 3"][word] for word in words}
keeper = Keeper()
ask(lines["zarr 3"]["set and overwrite"], keeper)
print(json.dumps({
    "array": try_all(lines["array"], array, {}) | {"after": array[:3].tolist()},
    "group": try_all({w: lines["group"][w] for w in lines["group"] if w[:4] != "open"}, group, {}),
    "zarr 3": try_all(lines["zarr 3"], store, made),
    "zarr 3 path": try_all(lines["zarr 3 path"], path, {"create array": "z", "create group": "i",
                                                       "open array": "y", "open group": "h"}),
    "no key": [ask(ranges[word], store, key="no", end=end) for word in ranges for end in (2, 0)],
    "no file": try_all({"get ranges": ranges["get ranges"]}, missing, {}),
    "kept": [show(keeper.kept[0]), keeper.kept[1].decode()],
}))
"""


@pytest.fixture(scope="module")
def said() -> dict:
    newest = subprocess.run(
        [sys.executable, ENVIRONMENT, "newest"], check=True, stdout=subprocess.PIPE, text=True
    )
    command = [json.loads(newest.stdout)["python"], "-c", PERFORM, SIDE]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def without(said: dict, *words: str) -> dict:
    return {word: answer for word, answer in said.items() if word not in words}


def test_lines_of_a_store(said: dict) -> None:
    store = said["zarr 3"]
    opened = ("open array", "open group", "open consolidated")
    assert without(store, "state", "list", "list half", *opened) == {
        "get": "a@0",
        "get range": "a@",
        "get offset": "a@0",
        "get suffix": "",  # of no length
        "get partial values": ["a@0"],
        **dict.fromkeys(["get partial ranges", "get ranges", "get ranges sync"], "a@"),
        "exists": True,
        "getsize": 3,
        "get sync": "a@0",
        "get and overwrite": "a@0",
        "list prefix": ["a"],
        "list dir": [],
        "is empty": True,
        "getsize prefix": 0,
        **dict.fromkeys(["set", "set if not exists", "set and overwrite", "set sync"]),
        **dict.fromkeys(["delete", "delete dir", "clear", "delete sync", "delete listed"]),
        **dict.fromkeys(["open", "close", "with", "move read only"]),
        "enter": True,
        "read only": False,
        "equal": True,
        "equal opposite": False,
        "with read only": "MemoryStore",
        "store path": "StorePath",
        "create array": "Array",
        "create group": "Group",
        "consolidate metadata": "refused: FileNotFoundError",  # there is no group
        "set bytes": "refused: TypeError",
        "set bytes if not exists": "refused: AttributeError",
    }


def test_lines_of_a_path(said: dict) -> None:
    path = said["zarr 3 path"]
    assert without(path, "state") == {
        **dict.fromkeys(["get", "get range", "get offset", "get suffix", "get sync"]),
        "exists": False,
        "is empty": True,
        **dict.fromkeys(["set", "set if not exists", "set and overwrite", "set sync"]),
        **dict.fromkeys(["delete", "delete dir", "delete sync"]),
        **dict.fromkeys(["open", "close", "with"]),
        "read only": False,
        "equal": True,
        "store path": "StorePath",
        "open array": "Array",
        "open group": "Group",
        "open consolidated": "refused: GroupNotFoundError",
        "create array": "Array",
        "create group": "Group",
        "consolidate metadata": "refused: FileNotFoundError",  # there is no group
        "set bytes": "refused: TypeError",
    }


def test_lines_of_arrays_and_groups(said: dict) -> None:
    number = int.from_bytes(b"b@5")
    assert said["array"] == {
        "read only": False,
        "equal": True,
        "read block": [0, 0],
        "write block": None,
        "get attributes": {},
        "set attributes": None,
        "after": [number, number, 0],
    }
    made = ("create array", "create group", "consolidate metadata", "members")
    assert without(said["group"], *made) == {
        "read only": False,
        "equal": True,
        "get attributes": {},
        "set attributes": None,
    }
    assert said["group"]["members"] == ["a"]


def test_the_caller_uses_the_memory_again_after_the_set(said: dict) -> None:
    assert said["kept"] == ["###", "b@5"]


def test_ranges_of_what_is_not_there(said: dict) -> None:
    assert said["no key"] == [None] * 6
    assert said["no file"] == {"get ranges": "refused: FileNotFoundError"}
