"""Every mutant changes what its name says, and nothing of the other stores.

The tests run this file with the python of zarr 3.4.2, where `play` plants each mutant in a forked
process of its own and asks before and after. Not covered: that fuzzing finds them; scripts/mutants.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import inspect
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutants

HERE = Path(__file__).parent


@functools.cache
def played() -> list[tuple[str, str]]:
    """Each mutant, with what is wrong with it."""
    ask = [sys.executable, HERE.parent / "environments/environment.py", "3.4.2"]
    python = json.loads(subprocess.check_output(ask, text=True))["python"]
    return json.loads(subprocess.check_output([python, "-W", "ignore", __file__], text=True))


def test_every_mutant_changes_what_it_says_and_nothing_else() -> None:
    assert {name: said for name, said in played() if said} == {}


def test_every_kind_has_its_mutants() -> None:
    assert len(mutants.BEHAVIOUR) == 41
    assert CHECKS.keys() == mutants.BEHAVIOUR.keys()
    names = [name for name, _ in played()]
    assert len(names) == len(set(names))
    for kind in mutants.KINDS:
        for begin in (f"{kind}: ", f"drop {kind} ", f"alter {kind} "):
            assert any(name.startswith(begin) for name in names), begin


def test_what_is_no_mutant_is_a_key_error() -> None:
    for name in ("drop zip", "lose zip path", "drop shelf path", *mutants.EXCEPTIONS):
        try:
            mutants.plant(name)
        except KeyError:
            continue
        raise AssertionError(name)


# --- what is asked of a store, in the environment of zarr ----------------------------------------

CONTENT = {"a": b"value", "c/0": b"01", "c/1": b"", "cd": b"near", "long": bytes(9000)}


def part(name: str, *numbers: int) -> Any:
    import zarr.abc.store

    return getattr(zarr.abc.store, f"{name}ByteRequest")(*numbers)


def buffer(value: bytes) -> Any:
    from zarr.core.buffer import cpu

    return cpu.Buffer.from_bytes(value)


def ask(store: Any, method: str, *arguments: Any) -> Any:
    """The answer of one method; a StorePath is asked at the key."""
    from zarr.core.buffer import default_buffer_prototype

    if not hasattr(store, "list") and arguments:
        store, arguments = store / arguments[0], arguments[1:]
        if method == "get":
            arguments = (default_buffer_prototype(), *arguments)
    elif method == "get":
        arguments = (arguments[0], default_buffer_prototype(), *arguments[1:])
    elif method == "get_partial_values":
        arguments = (default_buffer_prototype(), *arguments)
    return asyncio.run(answer(getattr(store, method)(*arguments)))


async def answer(asked: Any) -> Any:
    if hasattr(asked, "__aiter__"):
        return sorted([key async for key in asked])
    value = await asked if inspect.isawaitable(asked) else asked
    if isinstance(value, list):
        return [one and one.to_bytes() for one in value]
    return value.to_bytes() if hasattr(value, "to_bytes") and not isinstance(value, int) else value


def tried(question: Callable[[], Any]) -> Any:
    """The answer, or the type of what was raised."""
    try:
        return question()
    except Exception as error:
        return type(error).__name__


def sample(kind: str, folder: str) -> Any:
    """A store with content."""
    store = mutants.KINDS[kind].sample(folder)
    for key, value in CONTENT.items():
        ask(store, "set", key, buffer(value))
    return store


def locked(store: Any) -> Any:
    store._read_only = True
    return store


def sent(store: Any) -> Any:
    return pickle.loads(pickle.dumps(store))


def after(store: Any, method: str, *arguments: Any) -> Any:
    ask(store, method, *arguments)
    return store


def exit_of_child(question: Callable[[], Any]) -> int:
    """0: answered; 1: raised; -SIGALRM: still at it after a second."""
    child = os.fork()
    if child == 0:
        signal.alarm(1)
        with contextlib.suppress(Exception):
            question()
            os._exit(0)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def held(folder: Path) -> int:
    """How many files of a folder this process holds open."""
    names = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return sum(os.path.realpath(name).startswith(str(folder)) for name in names)


# What is so when the mutant is planted, and only then.
CHECKS: dict[str, Callable[[Any], Any]] = {
    "zip: clear ignores read_only": lambda s: tried(lambda: ask(locked(s), "clear")) is None,
    "zip: suffix is one byte short": lambda s: ask(s, "get", "a", part("Suffix", 3)) == b"ue",
    "zip: opened with w after unpickling": lambda s: s.close() or ask(sent(s), "get", "a") is None,
    "zip: no lock after unpickling": lambda s: (
        tried(lambda: ask(sent(s), "get", "a")) == "AttributeError"
    ),
    "zip: pickling closes the parent's archive": lambda s: (
        pickle.dumps(s) and tried(lambda: ask(s, "get", "a")) == "ValueError"
    ),
    "zip: a descriptor stays open after close": lambda s: s.close() or held(s.path) == 1,
    "local: delete ignores read_only": lambda s: (
        tried(lambda: ask(locked(s), "delete", "a")) is None
    ),
    "local: root is relative to the working folder after unpickling": lambda s: (
        not sent(s).root.is_absolute()
    ),
    "local: unpickling leaves a file in the root": lambda s: "probe" in ask(sent(s), "list"),
    "local: offset is one byte too far": lambda s: ask(s, "get", "a", part("Offset", 1)) == b"lue",
    "local: exists is true for missing keys": lambda s: ask(s, "exists", "nothing"),
    "local: get waits for ever in another process": lambda s: (
        exit_of_child(functools.partial(ask, sent(s), "get", "a")) == -signal.SIGALRM
    ),
    "memory: set ignores read_only": lambda s: (
        tried(lambda: ask(locked(s), "set", "a", buffer(b"new"))) is None
    ),
    "memory: list_prefix takes keys with the prefix anywhere": lambda s: (
        "c/0" in ask(s, "list_prefix", "0")
    ),
    "memory: delete_dir takes keys that begin with the name": lambda s: (
        not ask(after(s, "delete_dir", "c"), "exists", "cd")
    ),
    "memory: a deep copy shares the dictionary": lambda s: (
        ask(after(copy.deepcopy(s), "delete", "a"), "exists", "c/0") and not ask(s, "exists", "a")
    ),
    "managed memory: set_if_not_exists overwrites": lambda s: (
        ask(after(s, "set_if_not_exists", "a", buffer(b"new")), "get", "a") == b"new"
    ),
    "fsspec local: delete_dir ignores read_only": lambda s: (
        tried(lambda: ask(locked(s), "delete_dir", "c")) is None
    ),
    "fsspec local: end of a range is one byte too far": lambda s: (
        ask(s, "get", "a", part("Range", 1, 3)) == b"alu"
    ),
    "fsspec local: list_dir misses the last entry": lambda s: len(ask(s, "list_dir", "")) == 3,
    "fsspec local: delete does nothing": lambda s: ask(after(s, "delete", "a"), "exists", "a"),
    "object local: values are cut at 8192 bytes": lambda s: len(ask(s, "get", "long")) == 8192,
    "object local: get_partial_values answers in the wrong order": lambda s: (
        ask(s, "get_partial_values", [("a", None), ("cd", None)]) == [b"near", b"value"]
    ),
    "object local: pickling leaves bytes in the parent's store": lambda s: (
        pickle.dumps(s) and isinstance(s.store, bytes)
    ),
    "logging: is_empty forgets the prefix": lambda s: not ask(s, "is_empty", "nothing"),
    "logging: list misses the last key": lambda s: len(ask(s, "list")) == 4,
    "wrapper: clear is not forwarded": lambda s: ask(after(s, "clear"), "exists", "a"),
    "cache: set leaves the old value in the cache": lambda s: (
        ask(s, "get", "a") and ask(after(s, "set", "a", buffer(b"new")), "get", "a") == b"value"
    ),
    "cache: delete leaves the value in the cache": lambda s: (
        ask(s, "get", "a") and ask(after(s, "delete", "a"), "get", "a") == b"value"
    ),
    "path: an empty value is read as None": lambda s: ask(s, "get", "c/1") is None,
    "fsspec local: delete takes what is below a folder of that name": lambda s: (
        tried(lambda: ask(after(s, "delete", "c"), "exists", "c/0")) is False
    ),
    "zip: delete of a missing key is refused": lambda s: (
        tried(lambda: ask(s, "delete", "nothing")) == "NotImplementedError"
    ),
    "memory: get_sync refuses a missing key": lambda s: (
        tried(lambda: s.get_sync("nothing")) == "KeyError"
    ),
    "local: exists is true for folders": lambda s: ask(s, "exists", "c"),
    "memory: a suffix longer than the value loses its first byte": lambda s: (
        ask(s, "get", "a", part("Suffix", 9)) == b"alue"
    ),
    "zip: equal to a store of another path": lambda s: (
        s == mutants.KINDS["zip"].sample(tempfile.mkdtemp(dir=s.path.parent))
    ),
    "memory: a copy is not equal": lambda s: sent(s) != s,
    "wrapper: with swallows exceptions": lambda s: s.__exit__(None, None, None),
    "local: the folder goes with its last key": lambda s: (
        [ask(s, "delete", key) for key in (*CONTENT, "c")] and not s.root.exists()
    ),
    "local: the second chunk is not written": lambda s: not ask(s, "exists", "c/1"),
    "zip: the second chunk is not written": lambda s: not ask(s, "exists", "c/1"),
}


def picture(store: Any) -> dict[str, bytes]:
    """A store's attributes; those that cannot be pickled, like locks, tell nothing."""
    seen = {}
    for name, value in vars(store).items():
        with contextlib.suppress(TypeError):
            seen[name] = pickle.dumps(value)
    return seen


def arrival(store: Any) -> tuple[dict[str, bytes], int]:
    """How a store arrives, here and in another process."""
    pack = pickle.dumps(store)
    return picture(pickle.loads(pack)), exit_of_child(functools.partial(pickle.loads, pack))


def arrivals(store: Any) -> list[Any]:
    """The same for a read-only copy as well."""
    return [tried(lambda: arrival(store)), tried(lambda: arrival(locked(copy.copy(store))))]


def journey(kind: str, folder: str) -> list[Any]:
    """All that a store and its pickled copy answer, one after the other."""
    store = sample(kind, folder)
    seen: list[Any] = []
    for it in (store, sent(store), copy.deepcopy(store)):
        for plan in (
            *((("get", "a", part(*rest))) for rest in (("Range", 1, 3), ("Offset", 1))),
            *(("get", "a", part("Suffix", 3)), ("get", "c/1"), ("get", "long"), ("exists", "no")),
            *(("list",), ("list_prefix", "c/"), ("list_dir", ""), ("is_empty", "no")),
            ("get_partial_values", [("a", None), ("cd", None)]),
            *(("set_if_not_exists", "a", buffer(b"other")), ("get", "a")),
            *(("set", "a", buffer(b"value")), ("get", "a")),
        ):
            seen.append(tried(functools.partial(ask, it, *plan)))
        seen.append(sorted(vars(it)))
    for plan in (("delete_dir", "c"), ("list",), ("delete", "a"), ("get", "a"), ("clear",)):
        seen.append(tried(functools.partial(ask, store, *plan)))
    tried(functools.partial(locked, store))
    for plan in (("set", "a", buffer(b"x")), ("delete", "a"), ("delete_dir", "c"), ("list",)):
        seen.append(tried(functools.partial(ask, store, *plan)))
    return seen


def apart(kind: str) -> list[str]:
    """The kinds that are neither this one nor wrap a store of it."""
    inside = {"local": ["logging", "wrapper", "cache", "path"], "memory": ["cache"]}
    return [other for other in mutants.KINDS if other not in (kind, *inside.get(kind, ()))]


def journeys(kinds: list[str]) -> dict[str, list[Any]]:
    with tempfile.TemporaryDirectory() as folder:
        return {kind: journey(kind, tempfile.mkdtemp(dir=folder)) for kind in kinds}


def wrong_attribute(name: str, folder: str) -> str:
    """What a pickled store's state has to show when an attribute mutant is planted."""
    verb, _, rest = name.partition(" ")
    kind, _, attribute = rest.rpartition(" ")
    store = sample(kind, folder)
    before = mutants.entries(*store.__reduce_ex__(4)[:3])
    live = dict(vars(store))
    arrived = arrivals(store)
    mutants.plant(name)
    now = mutants.entries(*store.__reduce_ex__(4)[:3])
    if arrivals(store) == arrived:
        return "a pickled store arrives as before"
    if (verb == "alter") != (attribute in now) or now.keys() | {attribute} != before.keys():
        return "other attributes travel than should"
    if verb == "alter" and type(now[attribute]) is not type(before[attribute]):
        return "the type of the attribute changes"
    if any(now[other] != before[other] for other in now if other != attribute):
        return "other attributes change as well"
    return "" if vars(store) == live else "the live store changes"


def wrong_behaviour(name: str, folder: str) -> str:
    kind = name.partition(":")[0]
    if CHECKS[name](sample(kind, tempfile.mkdtemp(dir=folder))):
        return "it is so without the mutant"
    mutants.plant(name)
    there = CHECKS[name](sample(kind, tempfile.mkdtemp(dir=folder)))
    return "" if there else "nothing changes"


def wrong(usual: dict[str, list[Any]], name: str) -> str:
    """What is wrong with a mutant, if anything."""
    behaves = name in mutants.BEHAVIOUR
    kind = name.partition(":")[0] if behaves else name.partition(" ")[2].rpartition(" ")[0]
    with tempfile.TemporaryDirectory() as folder:
        said = (wrong_behaviour if behaves else wrong_attribute)(name, folder)
    others = [other for other, seen in journeys(apart(kind)).items() if seen != usual[other]]
    return said or ", ".join(f"{other} stores change" for other in others)


def play() -> None:
    names = [*mutants.attribute_mutants(), *mutants.BEHAVIOUR]
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        usual = pool.apply(journeys, [list(mutants.KINDS)])
        said = pool.map(functools.partial(wrong, usual), names, chunksize=1)
    json.dump(list(zip(names, said, strict=True)), sys.stdout)


if __name__ == "__main__":
    play()
