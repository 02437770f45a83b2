"""What all readers written in Python share: frames, the loop, limits and how refusals are told.

A reader is a child process that says what one independent implementation sees in a zip file. The
requests come on standard input and the replies go to file descriptor 3, each as a 32-bit length
and so many bytes of JSON; standard output and standard error are left to the libraries.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

REPLIES = 3
MAX_LISTED = 4096
MAX_TEXT = 200
MAX_VALUE = 64 << 20
MAX_VALUES = 256 << 20  # all of one request
MAX_ARRAY = 1 << 20

# What a request may take that a child of the reader answers; of a large file a second more for
# every BYTES_A_SECOND, since a reader goes through its whole directory first.
CPU_SECONDS = 0.25
WALL_SECONDS = 10
BYTES_A_SECOND = 10_000_000

Answer = list[Any]


class TooLarge(Exception):
    """What is asked for would cost more than the limits allow."""


class NoOpinionError(Exception):
    """What is asked is beyond this reader, in whatever file it stands: nobody compares it."""


class Refused(Exception):
    """A refusal for whose kind the library has a word of its own."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Archive:
    """One zip file as the implementation sees it; a reader overrides what its views need.

    The constructor opens the file, and raises where the library refuses it.
    """

    def listed(self) -> Iterable[str | bytes] | None:
        """Every key; None when the library cannot list."""
        return None

    def key(self, key: str) -> bytes | memoryview | None:
        """The value; None when there is none."""
        raise NotImplementedError

    def array(self, path: str) -> np.ndarray | None:
        """The elements; None when there is no array."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of the file."""


def readable(name: str | bytes) -> str:
    r"""A name as text that any JSON parser takes: what is not valid UTF-8 becomes \xNN."""
    if isinstance(name, str):
        if name.isascii():
            return name
        try:
            name = name.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            name = name.encode("utf-8", "surrogatepass")
    return name.decode("utf-8", "backslashreplace")


def refusal(error: BaseException, file: str) -> Answer:
    kind = error.kind if isinstance(error, Refused) else type(error).__name__
    text = readable(str(error).replace(file, "<file>"))
    return ["refused", kind, text[:MAX_TEXT]]


def attempt(file: str, action: Callable[..., Any], *arguments: Any) -> Any:
    """What the action returns, or the refusal it ended with."""
    try:
        return action(*arguments)
    except NoOpinionError as error:
        return ["no opinion", str(error)[:MAX_TEXT]]
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic in Rust is no Exception
        return refusal(error, file)


def check_value(size: int) -> None:
    if size > MAX_VALUE:
        raise TooLarge(f"a value of {size} bytes")


def check_array(shape: Iterable[int], chunk: Iterable[int], item_size: int) -> None:
    """Asked before anything is read: neither the array nor one chunk may be a bomb."""
    size = item_size
    for length in shape:
        size *= length
    if size > MAX_ARRAY:
        raise TooLarge(f"an array of {size} bytes")
    size = item_size
    for length in chunk:
        size *= length
    if size > MAX_VALUE:
        raise TooLarge(f"a chunk of {size} bytes")


def take(source: Iterable[str | bytes] | None) -> list[str] | None:
    if source is None:
        return None
    return [readable(name) for _, name in zip(range(MAX_LISTED), source, strict=False)]


def key_answer(archive: Archive, key: str) -> Answer:
    value = archive.key(key)
    return ["missing"] if value is None else ["value", len(value), zlib.crc32(value)]


def key_answers(file: str, archive: Archive, keys: list[str]) -> dict[str, Answer]:
    """The answer to each key, until the values are more than MAX_VALUES bytes in all."""
    answers: dict[str, Answer] = {}
    left = MAX_VALUES
    for key in keys:
        if left <= 0:
            answers[key] = refusal(TooLarge(f"all values are more than {MAX_VALUES} bytes"), file)
            continue
        answers[key] = attempt(file, key_answer, archive, key)
        left -= answers[key][1] if answers[key][0] == "value" else 0
    return answers


def array_answer(archive: Archive, path: str) -> Answer:
    array = archive.array(path)
    if array is None:
        return ["missing"]
    if array.dtype.itemsize == 0:
        raise NoOpinionError(f"elements of type {array.dtype} have no size")
    if array.dtype.hasobject:
        raise Refused("NoPlainElements", f"elements of type {array.dtype} have no bytes")
    little = array.dtype.newbyteorder("<")
    data = array.astype(little, order="C", copy=False).tobytes()
    name = str(little.newbyteorder("="))
    return ["value", name, list(array.shape), len(data), zlib.crc32(data)]


def unopened(refused: Answer) -> dict:
    return {"opened": refused, "listed": None, "keys": {}, "arrays": {}}


def look(opener: Callable[[dict], Archive], views: list[str], request: dict) -> dict:
    """The reply to one request to read."""
    file = request["file"]
    archive = attempt(file, opener, request)
    if isinstance(archive, list):
        return unopened(archive)
    try:
        keys = request.get("keys", []) if "keys" in views else []
        arrays = request.get("arrays", []) if "arrays" in views else []
        return {
            "opened": ["value"],
            "listed": attempt(file, lambda: take(archive.listed())),
            "keys": key_answers(file, archive, keys),
            "arrays": {path: attempt(file, array_answer, archive, path) for path in arrays},
        }
    finally:
        attempt(file, archive.close)


def size_of(file: str) -> int:
    try:
        return os.path.getsize(file)
    except OSError:
        return 0


def apart(file: str, answer: Callable[[], dict]) -> dict:
    """Answers in a child, since the library can loop for ever where nothing but a kill ends it."""
    more = size_of(file) / BYTES_A_SECOND
    source, target = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS + more)
            signal.alarm(WALL_SECONDS + int(more))
            with os.fdopen(target, "wb") as replies:
                replies.write(json.dumps(answer()).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(target)
    with os.fdopen(source, "rb") as replies:
        data = replies.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 0:
        return json.loads(data)
    if -code in (signal.SIGPROF, signal.SIGALRM):
        return unopened(
            ["refused", "Hang", f"no answer in {CPU_SECONDS + more:.2f} s of a processor"]
        )
    return unopened(["refused", "Crash", f"ended with {code}"])


def send(reply: dict) -> None:
    data = json.dumps(reply).encode()
    frame = memoryview(struct.pack("=I", len(data)) + data)
    while frame:
        frame = frame[os.write(REPLIES, frame) :]


def serve(
    reader: str,
    version: str,
    views: list[str],
    opener: Callable[[dict], Archive],
    more: Callable[[dict], dict | None] = lambda _: None,
    *,
    loops: bool = False,
) -> None:
    """Answers requests until there are no more; `more` may answer those of one reader only.

    loops: the library is known not to come back from some archives.
    """
    hello = {"reader": reader, "version": version, "views": views}
    source = sys.stdin.buffer
    while len(head := source.read(4)) == 4:
        request = json.loads(source.read(*struct.unpack("=I", head)))
        if "hello" in request:
            send(hello)
        elif loops:
            send(apart(request["file"], lambda asked=request: look(opener, views, asked)))
        else:
            send(more(request) or look(opener, views, request))
