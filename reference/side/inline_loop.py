"""An event loop that runs at once what it should hand to a thread."""

from __future__ import annotations

import asyncio
from typing import Any


class InlineLoop(asyncio.SelectorEventLoop):
    """LocalStore and fsspec's wrapper of plain file systems hand every call to `asyncio.to_thread`.

    To wake a thread and to be woken by it costs several times what the call itself costs; and a
    coroutine that never waits can be driven by hand, in one order. Threads are what zarr's own loop
    has.
    """

    def __init__(self) -> None:
        super().__init__()
        # The task of whatever is driven by hand. It never runs itself.
        self.caller = self.create_task(self._wait_for_ever())

    async def _wait_for_ever(self) -> None:
        await self.create_future()

    def run_in_executor(self, executor: Any, function: Any, *arguments: Any) -> Any:
        future = self.create_future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future
