"""The real pools of the slow lane: one worker each, opened once and kept, as a user does."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

START = 30.0  # seconds until a new pool must have answered: it starts interpreters
PATIENCE = 3  # deadlines of a child that a worker may take


def open_pool(name: str, context: str) -> Callable[..., Any]:
    """A pool of one worker: `run(timeout, function, *arguments)`."""
    if name == "ThreadPoolExecutor":
        pool: Any = ThreadPoolExecutor(1)
    elif name == "ProcessPoolExecutor":
        pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(context))
    elif name == "multiprocessing.Pool":
        own = multiprocessing.get_context(context).Pool(1)
        return lambda timeout, *call: own.apply_async(call[0], call[1:]).get(timeout)
    else:
        from distributed import Client, LocalCluster

        cluster = LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            dashboard_address=None,
            local_directory=tempfile.gettempdir(),
        )
        client = Client(cluster)
        return lambda timeout, *call: client.submit(*call, pure=False).result(timeout)
    return lambda timeout, *call: pool.submit(*call).result(timeout)
