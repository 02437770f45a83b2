"""The folder server, asked over real connections."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from folder_server import serve


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    place = tmp_path / "f"
    (place / "a").mkdir(parents=True)
    (place / "a" / "b").write_bytes(b"0123456789")
    (tmp_path.parent / "outside").write_bytes(b"secret")
    with serve(str(tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        server.shutdown()


def ask(connection: http.client.HTTPConnection, path: str, asked: str = "") -> tuple[int, bytes]:
    connection.request("GET", path, headers={"Range": asked} if asked else {})
    response = connection.getresponse()
    return response.status, response.read()


def test_a_file_is_given_whole_in_both_ways(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "/ranges/f/a/b") == (200, b"0123456789")
    assert ask(connection, "/whole/f/a/b") == (200, b"0123456789")
    assert ask(connection, "/ranges/f/nothing")[0] == 404
    assert ask(connection, "/ranges/f/%00")[0] == 404


@pytest.mark.parametrize(
    ("asked", "given"),
    [("bytes=1-2", b"12"), ("bytes=7-", b"789"), ("bytes=-3", b"789"), ("bytes=8-99", b"89")],
)
def test_ranges_are_known_in_one_way(
    connection: http.client.HTTPConnection, asked: str, given: bytes
) -> None:
    assert ask(connection, "/ranges/f/a/b", asked) == (206, given)
    assert ask(connection, "/whole/f/a/b", asked) == (200, b"0123456789")


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=5-2", "bytes=-0", "bytes=-", "lines=1-2"])
def test_a_range_that_cannot_be_had_is_refused(
    connection: http.client.HTTPConnection, asked: str
) -> None:
    assert ask(connection, "/ranges/f/a/b", asked) == (416, b"")


def test_a_folder_is_given_as_links(connection: http.client.HTTPConnection) -> None:
    status, page = ask(connection, "/ranges/f/")
    assert status == 200
    assert b'href="a/"' in page
    assert ask(connection, "/ranges/f")[0] == 301


def test_nothing_outside_is_given_and_nothing_is_taken(
    connection: http.client.HTTPConnection,
) -> None:
    assert ask(connection, "/ranges/../../outside")[0] == 404
    assert ask(connection, "/ranges/%2e%2e/outside")[0] == 404
    connection.request("PUT", "/ranges/f/a/b", body=b"x")
    assert connection.getresponse().status == 501
