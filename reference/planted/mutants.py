"""The mutant drill: defects put into zarr 3.4.2, each of which fuzzing has to notice.

`plant(name)` patches zarr in this process; other stores than the one that is named keep their
behaviour. `python mutants.py` lists every mutant with the stores to fuzz. There are two sorts:

- attribute mutants, "drop zip compression": a pickled store comes without one attribute of its
  state, or with another value of the same type;
- behaviour mutants, "zip: suffix is one byte short": a mistake that a programmer could make.

What planted.py has is a choice, for single tests; this is the whole field.
Nothing of zarr, fsspec or obstore is imported before it is needed.
"""

from __future__ import annotations

import collections
import copy
import functools
import importlib
import inspect
import os
import pickle
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, MutableMapping
from pathlib import Path, PurePath
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """A kind of store: where its class is, how one is made in a folder, what to fuzz."""

    module: str
    type: str
    make: Callable[[Any, str], Any]
    stores: str

    def load(self) -> Any:
        return getattr(importlib.import_module(self.module), self.type)

    def sample(self, folder: str) -> Any:
        return self.make(self.load(), os.path.join(folder, "store"))


def _local(path: str) -> Any:
    return KINDS["local"].load()(path)


def _object_local(cls: Any, path: str) -> Any:
    import obstore.store

    return cls(obstore.store.LocalStore(path, mkdir=True))


def _cache(cls: Any, path: str) -> Any:
    return cls(_local(path), cache_store=KINDS["memory"].load()())


def _fsspec_local(cls: Any, path: str) -> Any:
    return cls.from_url(f"file://{path}", storage_options={"auto_mkdir": True})


# One file system is enough for FsspecStore, and one store for ObjectStore; that of obstore's memory
# refuses to be pickled.
KINDS = {
    "zip": Kind("zarr.storage", "ZipStore", lambda cls, path: cls(f"{path}.zip", mode="w"), "zip"),
    "local": Kind("zarr.storage", "LocalStore", lambda cls, path: cls(path), "local"),
    "memory": Kind("zarr.storage", "MemoryStore", lambda cls, path: cls(), "memory"),
    "managed memory": Kind(
        "zarr.storage",
        "ManagedMemoryStore",
        lambda cls, path: cls("sample", path="p"),
        "managed memory path",
    ),
    "fsspec local": Kind("zarr.storage", "FsspecStore", _fsspec_local, "fsspec local"),
    "object local": Kind("zarr.storage", "ObjectStore", _object_local, "object local"),
    "logging": Kind(
        "zarr.storage",
        "LoggingStore",
        lambda cls, path: cls(_local(path), log_level="CRITICAL"),
        "logging over local",
    ),
    "wrapper": Kind(
        "zarr.storage",
        "WrapperStore",
        lambda cls, path: cls(_local(path)),
        "wrapper over local",
    ),
    "cache": Kind("zarr.experimental.cache_store", "CacheStore", _cache, "cache over local"),
    "path": Kind(
        "zarr.storage", "StorePath", lambda cls, path: cls(_local(path)), "path over local"
    ),
}


# --- what every mutant is made of ---------------------------------------------------------------


def _replace(kind: str, method: str, new: Callable[..., Any]) -> None:
    """Exactly that kind calls `new`, which gets the real method first."""
    subject = KINDS[kind].load()
    real = getattr(subject, method)

    @functools.wraps(real)
    def chosen(self: Any, *arguments: Any, **options: Any) -> Any:
        if type(self) is not subject:
            return real(self, *arguments, **options)
        return new(real, self, *arguments, **options)

    setattr(subject, method, chosen)


def _when_packed(kind: str, change: Callable[[Any, tuple[Any, ...]], tuple[Any, ...]]) -> None:
    """What pickling and copying are given passes through `change`; its state is a copy."""

    def reduce_ex(real: Any, self: Any, protocol: Any) -> tuple[Any, ...]:
        make, given, state, *rest = real(self, protocol)
        return change(self, (make, given, dict(state), *rest))

    _replace(kind, "__reduce_ex__", reduce_ex)


def _when_arrived(kind: str, act: Callable[[Any], Any]) -> None:
    """`act` on each store that has just been unpickled or copied."""
    subject = KINDS[kind].load()
    real = getattr(subject, "__setstate__", lambda self, state: self.__dict__.update(state))

    def setstate(self: Any, state: dict[str, Any]) -> None:
        real(self, state)
        if type(self) is subject:
            act(self)

    subject.__setstate__ = setstate


# --- attribute mutants --------------------------------------------------------------------------

NO_VALUE = "None has no other value of its type"
EXCEPTIONS = {
    "drop zip _is_open": "__setstate__ sets it anyway",
    "alter zip _is_open": "__setstate__ sets it anyway",
    "drop zip _close_failed": "__setstate__ takes False, and no case makes close() fail",
    "alter zip _fileobj": NO_VALUE,
    "alter logging counter": "looking at a store counts as well, so that no two counts agree",
    "alter logging log_handler": NO_VALUE,
    "alter logging logger": "the same calls, logged elsewhere: no answer of the store changes",
    "alter cache max_size": NO_VALUE,
    "alter cache _state": "a cache that has no bound and no age forgets only statistics",
}


def entries(make: Any, given: tuple[Any, ...], state: dict[str, Any]) -> dict[str, Any]:
    """All that travels, by name: what the constructor is given, and the state."""
    return dict(zip(_given_names(make), given, strict=False)) | state


def _given_names(make: Any) -> list[str]:
    return list(inspect.signature(make).parameters) if isinstance(make, type) else []


def attribute_mutants() -> list[str]:
    """A drop and an alter for each attribute of the state of each kind, but for EXCEPTIONS."""
    names = []
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            make, given, state, *_ = KINDS[kind].sample(folder).__reduce_ex__(4)
        for attribute in entries(make, given, state):
            names += [f"{verb} {kind} {attribute}" for verb in ("drop", "alter")]
    return [name for name in names if name not in EXCEPTIONS]


def altered(value: Any) -> Any:
    """Another plausible value of the same type."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value + "x"
        case bytes():  # an object that was pickled by itself
            return pickle.dumps(altered(pickle.loads(value)))
        case tuple():
            return value[1:]
        case PurePath():
            return value.with_name(value.name + "x")
        case MutableMapping():
            emptied = copy.copy(value)
            emptied.clear()
            return emptied
    return _another(value)


def _another(thing: Any) -> Any:
    """A second object of the class: made of other arguments, or with another state."""
    make, given, *_ = thing.__reduce_ex__(4)
    if len(given) == 3:  # class, arguments, named arguments: as fsspec and obstore have it
        cls, arguments, options = given
        if arguments:
            return make(cls, (altered(arguments[0]), *arguments[1:]), options)
        first = next(iter(options))
        return make(cls, (), options | {first: altered(options[first])})
    twin = copy.copy(thing)
    part = "_read_only" if "_read_only" in vars(twin) else "_store"
    vars(twin)[part] = altered(vars(twin)[part])
    return twin


def _plant_attribute(verb: str, kind: str, attribute: str) -> None:
    def change(_: Any, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
        make, given, state, *rest = reduced
        had = entries(make, given, state)
        if attribute not in had:  # another release
            return reduced
        new = {} if verb == "drop" else {attribute: altered(had[attribute])}
        if attribute in state:
            state = {name: value for name, value in state.items() if name != attribute} | new
        else:
            place = _given_names(make).index(attribute)
            given = (*given[:place], *new.values(), *given[place + 1 :])
        return (make, given, state, *rest)

    _when_packed(kind, change)


# --- behaviour mutants --------------------------------------------------------------------------

BEHAVIOUR: dict[str, Callable[[], None]] = {}


def _kind_of(name: str) -> str:
    """The kind that a behaviour mutant's name begins with."""
    return name.partition(":")[0]


def mutant(name: str) -> Callable[[Any], Any]:
    """The function below patches by itself."""

    def register(patch: Callable[[], None]) -> Any:
        BEHAVIOUR[name] = patch
        return patch

    return register


def replaced(name: str, method: str) -> Callable[[Any], Any]:
    """The function below stands in for a method; it gets the real one first."""

    def register(new: Any) -> Any:
        BEHAVIOUR[name] = lambda: _replace(_kind_of(name), method, new)
        return new

    return register


def packed(name: str) -> Callable[[Any], Any]:
    """The function below gets the store and its state whenever a store is pickled or copied."""

    def register(act: Callable[[Any, dict[str, Any]], Any]) -> Any:
        def change(store: Any, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
            act(store, reduced[2])
            return reduced

        BEHAVIOUR[name] = lambda: _when_packed(_kind_of(name), change)
        return act

    return register


def arrived(name: str) -> Callable[[Any], Any]:
    """The function below gets each store that has just been unpickled or copied."""

    def register(act: Callable[[Any], Any]) -> Any:
        BEHAVIOUR[name] = lambda: _when_arrived(_kind_of(name), act)
        return act

    return register


@replaced("zip: clear ignores read_only", "clear")
@replaced("local: delete ignores read_only", "delete")
@replaced("memory: set ignores read_only", "set")
@replaced("fsspec local: delete_dir ignores read_only", "delete_dir")
async def ignore_read_only(real: Any, self: Any, *arguments: Any, **options: Any) -> None:
    self._check_writable = lambda: None
    try:
        await real(self, *arguments, **options)
    finally:
        del self._check_writable


@replaced("zip: suffix is one byte short", "get")
async def short_suffix(
    real: Any, self: Any, key: str, prototype: Any, byte_range: Any = None
) -> Any:
    if hasattr(byte_range, "suffix"):
        byte_range = type(byte_range)(max(0, byte_range.suffix - 1))
    return await real(self, key, prototype, byte_range)


@arrived("zip: opened with w after unpickling")
def open_with_w(store: Any) -> None:
    if store._zmode != "r":
        store._zmode = "w"


@arrived("zip: no lock after unpickling")
def forget_lock(store: Any) -> None:
    del store._lock


@packed("zip: pickling closes the parent's archive")
def close_archive(store: Any, _: dict[str, Any]) -> None:
    if store._is_open:
        store._zf.close()


@mutant("zip: a descriptor stays open after close")
def leave_descriptor() -> None:
    left: collections.deque[Any] = collections.deque(maxlen=8)  # a run must not run out of them

    def close(real: Any, self: Any) -> None:
        real(self)
        if self.path and self.path.exists():
            left.append(self.path.open("rb"))

    _replace("zip", "close", close)


@packed("local: root is relative to the working folder after unpickling")
def relative_root(_: Any, state: dict[str, Any]) -> None:
    state["root"] = Path(os.path.relpath(state["root"]))


@arrived("local: unpickling leaves a file in the root")
def leave_file(store: Any) -> None:
    if store.root.is_dir():
        (store.root / "probe").touch()


@replaced("local: offset is one byte too far", "get")
async def far_offset(
    real: Any, self: Any, key: str, prototype: Any = None, byte_range: Any = None
) -> Any:
    if hasattr(byte_range, "offset"):
        byte_range = type(byte_range)(byte_range.offset + 1)
    return await real(self, key, prototype, byte_range)


@replaced("local: exists is true for missing keys", "exists")
async def always_exists(*_: Any) -> bool:
    return True


@mutant("local: get waits for ever in another process")
def wait_elsewhere() -> None:
    def note(store: Any, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
        reduced[2].setdefault("_home", os.getpid())
        return reduced

    async def get(real: Any, self: Any, *arguments: Any, **options: Any) -> Any:
        if vars(self).get("_home", os.getpid()) != os.getpid():
            threading.Event().wait()
        return await real(self, *arguments, **options)

    _when_packed("local", note)
    _replace("local", "get", get)


@replaced("memory: list_prefix takes keys with the prefix anywhere", "list_prefix")
async def prefix_anywhere(_: Any, self: Any, prefix: str) -> AsyncIterator[str]:
    for key in list(self._store_dict):
        if prefix in key:
            yield key


@replaced("memory: delete_dir takes keys that begin with the name", "delete_dir")
async def delete_siblings(_: Any, self: Any, prefix: str) -> None:
    self._check_writable()
    for key in list(self._store_dict):
        if key.startswith(prefix):
            del self._store_dict[key]


@mutant("memory: a deep copy shares the dictionary")
def share_dictionary() -> None:
    subject = KINDS["memory"].load()

    def deepcopy(self: Any) -> Callable[[Any], Any]:
        if type(self) is not subject:
            raise AttributeError("__deepcopy__")
        return lambda memo: copy.copy(self)

    subject.__deepcopy__ = property(deepcopy)


@replaced("managed memory: set_if_not_exists overwrites", "set_if_not_exists")
async def overwrite(_: Any, self: Any, key: str, value: Any) -> None:
    await self.set(key, value)


@replaced("fsspec local: end of a range is one byte too far", "get")
async def far_end(real: Any, self: Any, key: str, prototype: Any, byte_range: Any = None) -> Any:
    if hasattr(byte_range, "end"):
        byte_range = type(byte_range)(byte_range.start, byte_range.end + 1)
    return await real(self, key, prototype, byte_range)


@replaced("fsspec local: list_dir misses the last entry", "list_dir")
@replaced("logging: list misses the last key", "list")
async def all_but_last(real: Any, self: Any, *arguments: Any) -> AsyncIterator[str]:
    for key in [key async for key in real(self, *arguments)][:-1]:
        yield key


@replaced("fsspec local: delete does nothing", "delete")
@replaced("wrapper: clear is not forwarded", "clear")
async def only_check(_: Any, self: Any, *__: Any) -> None:
    self._check_writable()


@replaced("object local: values are cut at 8192 bytes", "get")
async def cut_value(real: Any, self: Any, *arguments: Any, **options: Any) -> Any:
    value = await real(self, *arguments, **options)
    return None if value is None else value[:8192]


@replaced("object local: get_partial_values answers in the wrong order", "get_partial_values")
async def reversed_order(real: Any, self: Any, *arguments: Any, **options: Any) -> list[Any]:
    return (await real(self, *arguments, **options))[::-1]


@packed("object local: pickling leaves bytes in the parent's store")
def share_state(store: Any, state: dict[str, Any]) -> None:
    store.store = state["store"]


@replaced("logging: is_empty forgets the prefix", "is_empty")
async def forget_prefix(real: Any, self: Any, prefix: str = "") -> bool:
    return await real(self, "")


@replaced("cache: set leaves the old value in the cache", "set")
async def set_past_cache(_: Any, self: Any, key: str, value: Any) -> None:
    await self._store.set(key, value)


@replaced("cache: delete leaves the value in the cache", "delete")
async def delete_past_cache(_: Any, self: Any, key: str) -> None:
    await self._store.delete(key)


@replaced("path: an empty value is read as None", "get")
async def empty_is_none(real: Any, self: Any, *arguments: Any, **options: Any) -> Any:
    value = await real(self, *arguments, **options)
    return None if value is None or len(value) == 0 else value


@replaced("fsspec local: delete takes what is below a folder of that name", "delete")
async def delete_below(_: Any, self: Any, key: str) -> None:
    self._check_writable()
    path = f"{self.path}/{key}"
    if await self.fs._exists(path):
        await self.fs._rm(path, recursive=True)


@replaced("zip: delete of a missing key is refused", "delete")
async def refuse_delete(*_: Any) -> None:
    raise NotImplementedError


@replaced("memory: get_sync refuses a missing key", "get_sync")
def get_or_raise(real: Any, self: Any, key: str, **options: Any) -> Any:
    return real(self, key, **options) if self._store_dict[key] else None


@replaced("local: exists is true for folders", "exists")
async def exists_on_disk(_: Any, self: Any, key: str) -> bool:
    return (self.root / key).exists()


@replaced("memory: a suffix longer than the value loses its first byte", "get")
async def long_suffix(
    real: Any, self: Any, key: str, prototype: Any, byte_range: Any = None
) -> Any:
    value = await real(self, key, prototype, byte_range)
    too_long = value is not None and getattr(byte_range, "suffix", 0) > len(value)
    return value[1:] if too_long else value


@replaced("zip: equal to a store of another path", "__eq__")
def equal_anywhere(_: Any, self: Any, other: Any) -> bool:
    return type(other) is type(self) and other.read_only == self.read_only


@replaced("memory: a copy is not equal", "__eq__")
def equal_by_identity(_: Any, self: Any, other: Any) -> bool:
    return other is self


@replaced("wrapper: with swallows exceptions", "__exit__")
def swallow(real: Any, self: Any, *arguments: Any) -> bool:
    real(self, *arguments)
    return True


@replaced("local: the folder goes with its last key", "delete")
async def prune(real: Any, self: Any, key: str) -> None:
    await real(self, key)
    if self.root.is_dir() and not any(self.root.iterdir()):
        self.root.rmdir()


@replaced("local: the second chunk is not written", "set")
@replaced("zip: the second chunk is not written", "set")
async def forget_chunk(real: Any, self: Any, key: str, value: Any) -> None:
    if not f"/{key}".endswith("/c/1"):
        await real(self, key, value)


# --- by name ------------------------------------------------------------------------------------


def _parts(name: str) -> tuple[str, str, str]:
    """The verb, kind and attribute of an attribute mutant. KeyError: it is none."""
    verb, _, rest = name.partition(" ")
    kind, _, attribute = rest.rpartition(" ")
    if verb not in ("drop", "alter") or kind not in KINDS or name in EXCEPTIONS:
        raise KeyError(name)
    return verb, kind, attribute


def stores_of(name: str) -> str:
    """What to fuzz, in the words of `storefuzz run --stores`."""
    return KINDS[_kind_of(name) if name in BEHAVIOUR else _parts(name)[1]].stores


def plant(name: str) -> None:
    """Patch zarr in this process. KeyError: no such mutant."""
    if name in BEHAVIOUR:
        BEHAVIOUR[name]()
    else:
        _plant_attribute(*_parts(name))


if __name__ == "__main__":
    for each in [*attribute_mutants(), *BEHAVIOUR]:
        sys.stdout.write(f"{stores_of(each)}\t{each}\n")
