"""What a script asks with, and looks at the disk with.

A script prints those it needs as they stand here, so there are no annotations and few lines. Those
that an operation needs stand in side/operation_helpers.py. harness/findings/script_frame.cc must
know what they import.
"""

import os
import pathlib
import zipfile
from http.server import SimpleHTTPRequestHandler


def answer(question):
    try:
        return question()
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"


def data(buffer):
    return None if buffer is None else buffer.to_bytes()


async def collect(listing, *arguments):
    return [item async for item in listing(*arguments)]


async def gathered(items):
    return [item async for item in items]


async def first(items):
    return [await anext(items, None)]


def first_entry(path, key):  # as readers take it that read from the front
    with zipfile.ZipFile(path) as archive:
        return archive.read(archive.infolist()[archive.namelist().index(key)])


class Ranges(SimpleHTTPRequestHandler):  # gives a part of a file where one is asked for
    def end_headers(self):
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def do_GET(self):
        asked, path = self.headers["Range"], self.translate_path(self.path)
        if not asked or not os.path.isfile(path):
            return super().do_GET()
        content, (first, last) = pathlib.Path(path).read_bytes(), asked[6:].split("-")
        size = len(content)
        start = int(first) if first else max(0, size - int(last))
        part = content[start : int(last) + 1 if first and last else size]
        self.send_response(206 if part else 416)
        at = f"{start}-{start + len(part) - 1}" if part else "*"
        self.send_header("Content-Range", f"bytes {at}/{size}")
        self.send_header("Content-Length", len(part))
        self.end_headers()
        self.wfile.write(part)


def archived(path):
    with zipfile.ZipFile(path) as archive:
        return {it: archive.read(it) for it in archive.namelist()}


def files(folder):
    found = [it for it in pathlib.Path(folder).rglob("*") if it.is_file()]
    return {it.relative_to(folder).as_posix(): it.read_bytes() for it in found}
