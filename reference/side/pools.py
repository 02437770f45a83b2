"""The real pools of the slow lane: one worker each, opened once and kept, as a user does."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

START = 30.0  # seconds until a new pool must have answered: it starts interpreters
PATIENCE = 3  # deadlines of a child that a worker may take

Runner = Callable[..., Any]  # run(timeout, function, *arguments)
_OPEN: dict[tuple[str, str], tuple[Runner, Callable[[], Any]]] = {}


def run(name: str, context: str, deadline: float, function: Callable[..., Any], *of: Any) -> Any:
    """What `function(*of)` gives in a worker of that pool. TimeoutError: nothing, in time."""
    place = (name, context)
    if place not in _OPEN:
        mark_semaphores()
        _OPEN[place] = open_pool(name, context)
        _OPEN[place][0](START, os.getpid)
    return _OPEN[place][0](deadline * PATIENCE, function, *of)


def mark_semaphores() -> None:
    """Name our semaphores after the run's scratch folder, so that they can be removed with it.

    Their names lie in /dev/shm until the process that made them ends in an orderly way.
    """
    parts = Path(os.environ.get("STOREFUZZ_SCRATCH", "")).parts
    for name in (part for part in parts if part.startswith("storefuzz-")):
        multiprocessing.current_process()._config["semprefix"] = f"/{name}"  # type: ignore[attr-defined]


def drop_all() -> None:
    """End every pool and its workers: one of them hung, or broke."""
    for _, close in _OPEN.values():
        with contextlib.suppress(Exception):
            close()
    _OPEN.clear()
    for child in multiprocessing.active_children():
        child.kill()


def open_pool(name: str, context: str) -> tuple[Runner, Callable[[], Any]]:
    """How a pool runs a function, and how it is closed."""
    if name == "multiprocessing.Pool":
        own = multiprocessing.get_context(context).Pool(1)
        return lambda timeout, *call: own.apply_async(call[0], call[1:]).get(timeout), own.terminate
    if name == "LocalCluster":
        return open_cluster()
    pool: Any = (
        ThreadPoolExecutor(1)
        if name == "ThreadPoolExecutor"
        else ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(context))
    )
    return (
        lambda timeout, *call: pool.submit(*call).result(timeout),
        lambda: pool.shutdown(wait=False, cancel_futures=True),
    )


def open_cluster() -> tuple[Runner, Callable[[], Any]]:
    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        dashboard_address=None,
        local_directory=tempfile.gettempdir(),
    )
    client = Client(cluster)

    def close() -> None:
        client.close(1)
        cluster.close(1)

    return lambda timeout, *call: client.submit(*call, pure=False).result(timeout), close
