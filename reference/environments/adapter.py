"""Prints the STORE of a stranger's Python file, as one line of JSON: `python adapter.py FILE`.

    {"store": {"kind": "mine", ...}}        what the file says
    {"wrong": "ValueError: no such thing"}  why it says nothing

The file imports what the stranger's store needs, so the subject's interpreter runs it. While it is
imported it may print, start threads that never end, or leave the process: what it prints is
dropped, threads are not waited for, and where no line comes, the caller tells how the process
ended.
"""

from __future__ import annotations

import json
import os
import runpy
import sys


def in_one_line(error: BaseException) -> str:
    """The type of an exception, and the first line of a text that may have many."""
    first = str(error).strip().partition("\n")[0][:300]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def read(file: str) -> str:
    try:
        names = runpy.run_path(file)
        if "STORE" not in names:
            return json.dumps({"wrong": "that name is not in it"})
        return json.dumps({"store": names["STORE"]})
    except BaseException as error:  # SystemExit as well
        return json.dumps({"wrong": in_one_line(error)})


def main(file: str) -> None:
    answer = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.path[0] = os.path.dirname(file)  # where the file finds its neighbours, as when it is run
    print(read(file), file=answer, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
