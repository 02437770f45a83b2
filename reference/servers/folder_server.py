"""Gives the files of one folder by HTTP, on loopback, to be read: what a remote store reads.

A path begins with a word: below /ranges/ a part of a file can be asked for (RFC 9110, 14), below
/whole/ such a question is answered with the whole file, which a server may do.

Started with the folder. The first frame on descriptor 3 (process/process.h) says the address.
"""

from __future__ import annotations

import http.server
import io
import os
import re
import struct
import sys
from typing import Any

REPLY = 3
RANGES = "ranges"


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open, as those of real servers do
    disable_nagle_algorithm = True  # a small answer would wait for the client's delayed ACK
    wbufsize = 65536

    def translate_path(self, path: str) -> str:
        _, _, rest = path.lstrip("/").partition("/")
        return super().translate_path("/" + rest).replace("\0", "\ufffd")

    def knows_ranges(self) -> bool:
        return self.path.startswith(f"/{RANGES}/")

    def send_head(self) -> Any:
        path = self.translate_path(self.path)
        asked = self.headers.get("Range")
        if asked is None or not self.knows_ranges() or not os.path.isfile(path):
            del self.headers["Range"]
            return super().send_head()
        with open(path, "rb") as file:
            return self.send_part(file.read(), asked)

    def send_part(self, content: bytes, asked: str) -> io.BytesIO | None:
        part = part_of(len(content), asked)
        if part is None:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        start, end = part
        self.send_response(206)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        return io.BytesIO(content[start:end])

    def end_headers(self) -> None:
        self.send_header("Accept-Ranges", "bytes" if self.knows_ranges() else "none")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def part_of(size: int, asked: str) -> tuple[int, int] | None:
    """The part of a file that a Range header means; None: it cannot be had."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked.strip())
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    return (start, end) if start < end else None


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """Whoever asks may be killed in the middle of it."""


def serve(folder: str, port: int = 0) -> Server:
    def handle(*arguments: Any) -> Handler:
        return Handler(*arguments, directory=folder)

    return Server(("127.0.0.1", port), handle)


def main() -> None:
    with serve(sys.argv[1]) as server:
        address = f"http://127.0.0.1:{server.server_port}".encode()
        os.write(REPLY, struct.pack("<I", len(address)) + address)
        server.serve_forever()


if __name__ == "__main__":
    main()
