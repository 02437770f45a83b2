"""Every reader is started and reads small archives; one that cannot be installed is skipped.

Not covered: what a reader says about archives that implementations read in different ways; that is
what the readers are for.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
READERS = json.loads((HERE / "readers.json").read_text())["readers"]
INSTALL = [sys.executable, HERE / "install.py"]

# Puts the pipe at descriptor 3, where a reader replies.
AT_THREE = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.execvp(sys.argv[2], sys.argv[2:])"

ELEMENTS = struct.pack("<6h", 1, -2, 3, -4, 5, -6)
ARRAY_3 = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [2, 3],
    "data_type": "int16",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 3]}},
    "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
    "fill_value": 0,
    "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
    "attributes": {},
}
ARRAY_2 = {
    "zarr_format": 2,
    "shape": [2, 3],
    "chunks": [2, 3],
    "dtype": "<i2",
    "compressor": None,
    "filters": None,
    "fill_value": 0,
    "order": "C",
}
ENTRIES = {
    "zarr.json": json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}).encode(),
    "three/zarr.json": json.dumps(ARRAY_3).encode(),
    "three/c/0/0": ELEMENTS,
    "two/.zarray": json.dumps(ARRAY_2).encode(),
    "two/0.0": ELEMENTS,
}
SOUND_ARRAY = ["value", "int16", [2, 3], len(ELEMENTS), zlib.crc32(ELEMENTS)]


class Reader:
    def __init__(self, command: list[str], kind: dict) -> None:
        self.views = kind["views"]
        replies, end = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", AT_THREE, str(end), *command],
            stdin=subprocess.PIPE,
            pass_fds=[end],
        )
        os.close(end)
        self.replies = os.fdopen(replies, "rb")

    def ask(self, **request: object) -> dict:
        data = json.dumps(request).encode()
        self.process.stdin.write(struct.pack("=I", len(data)) + data)
        self.process.stdin.flush()
        head = self.replies.read(4)
        assert len(head) == 4, f"the reader ended with {self.process.wait()}"
        return json.loads(self.replies.read(*struct.unpack("=I", head)))

    def end(self) -> int:
        self.process.stdin.close()
        self.replies.close()
        return self.process.wait(timeout=30)


def install(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*INSTALL, name],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | variables,
    )


@pytest.fixture(scope="module", params=READERS, ids=lambda reader: reader["name"])
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    done = install(request.param["name"])
    if done.returncode == 3 and request.param["name"] != "zarr":
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    started = Reader(json.loads(done.stdout), request.param)
    yield started
    assert started.end() == 0


def write(file: Path, entries: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, value in entries.items():
            archive.writestr(name, value)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    file = tmp_path / "a {b} é.zip"
    write(file, ENTRIES)
    return file


def value(data: bytes) -> list:
    return ["value", len(data), zlib.crc32(data)]


def test_says_what_it_is(reader: Reader) -> None:
    hello = reader.ask(hello=True)
    assert hello["views"] == reader.views
    assert hello["reader"] and hello["version"]


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_reads_a_sound_archive(reader: Reader, tmp_path: Path, how: int) -> None:
    file = tmp_path / "sound.zip"
    write(file, ENTRIES, how)
    before = file.read_bytes(), file.stat().st_mtime_ns
    arrays = ["three", "two", "", "none"]
    reply = reader.ask(file=str(file), keys=[*ENTRIES, "none"], arrays=arrays)
    assert reply["opened"] == ["value"]
    if "keys" in reader.views:
        assert sorted(reply["listed"]) == sorted(ENTRIES)
        wanted = {key: value(data) for key, data in ENTRIES.items()}
        assert reply["keys"] == wanted | {"none": ["missing"]}
    else:
        assert (reply["listed"], reply["keys"]) == (None, {})
    assert reply["arrays"] == dict(
        zip(arrays, [SOUND_ARRAY, SOUND_ARRAY, ["missing"], ["missing"]], strict=True)
    )
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert os.listdir(tmp_path) == ["sound.zip"]


def test_an_array_may_be_the_root_and_may_have_no_dimension(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "scalar.zip"
    grid = {"name": "regular", "configuration": {"chunk_shape": []}}
    described = json.dumps(ARRAY_3 | {"shape": [], "chunk_grid": grid}).encode()
    write(file, {"zarr.json": described, "c": ELEMENTS[:2]})
    reply = reader.ask(file=str(file), keys=[], arrays=[""])
    assert reply["arrays"] == {"": ["value", "int16", [], 2, zlib.crc32(ELEMENTS[:2])]}


def test_elements_are_told_in_order_c(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "fortran.zip"
    by_columns = struct.pack("<6h", 1, -4, -2, 5, 3, -6)
    write(file, {".zarray": json.dumps(ARRAY_2 | {"order": "F"}).encode(), "0.0": by_columns})
    reply = reader.ask(file=str(file), keys=[], arrays=[""])
    assert reply["arrays"] == {"": SOUND_ARRAY}


def test_an_array_of_a_type_it_does_not_know_is_not_missing(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "halves.zip"
    described = json.dumps(ARRAY_2 | {"dtype": "<f2", "fill_value": 0.0}).encode()
    write(file, {".zarray": described, "0.0": ELEMENTS})
    reply = reader.ask(file=str(file), keys=[], arrays=[""])
    assert reply["arrays"][""][0] != "missing"


def test_refuses_garbage_and_reads_on(reader: Reader, sound: Path, tmp_path: Path) -> None:
    file = tmp_path / "broken.zip"
    file.write_bytes(b"garbage " * 100)
    reply = reader.ask(file=str(file), keys=["zarr.json"], arrays=[""])
    kind, word, text = reply.pop("opened")
    assert kind == "refused" and word and len(text) <= 200 and str(file) not in text
    assert reply == {"listed": None, "keys": {}, "arrays": {}}
    assert reader.ask(file=str(sound), keys=[], arrays=["two"])["arrays"] == {"two": SOUND_ARRAY}


def test_an_entry_that_ends_behind_the_directory_is_answered(reader: Reader, sound: Path) -> None:
    data = bytearray(sound.read_bytes())
    place = data.index(b"PK\1\2")
    data[place + 28 : place + 30] = b"\xff\xff"
    sound.write_bytes(data)
    reply = reader.ask(file=str(sound), keys=["two/0.0"], arrays=["two"])
    assert reply["opened"][0] in ("value", "refused")
    write(sound, ENTRIES)
    assert reader.ask(file=str(sound), keys=[], arrays=["two"])["arrays"] == {"two": SOUND_ARRAY}


def test_a_wrong_checksum_concerns_one_entry(reader: Reader, sound: Path) -> None:
    data = sound.read_bytes()
    place = data.index(ELEMENTS)
    sound.write_bytes(data[:place] + b"\xff" + data[place + 1 :])
    reply = reader.ask(file=str(sound), keys=["three/c/0/0", "two/0.0"], arrays=["three", "two"])
    # Not every implementation looks at checksums.
    changed = value(b"\xff" + ELEMENTS[1:])
    answers = [*reply["keys"].values(), *reply["arrays"].values()]
    assert all(answer[0] in ("value", "refused") for answer in answers)
    if "keys" in reader.views:
        first = reply["keys"]["three/c/0/0"]
        assert first[0] == "refused" or first == changed
        assert reply["keys"]["two/0.0"] == value(ELEMENTS)
    assert reply["arrays"]["two"] == SOUND_ARRAY


def test_what_was_replaced_is_read_anew(reader: Reader, sound: Path) -> None:
    first = reader.ask(file=str(sound), keys=["two/0.0"], arrays=["two", "three"])
    times = sound.stat().st_atime_ns, sound.stat().st_mtime_ns
    write(sound, ENTRIES | {"two/0.0": ELEMENTS[::-1], "three/c/0/0": ELEMENTS[::-1]})
    os.utime(sound, ns=times)
    second = reader.ask(file=str(sound), keys=["two/0.0"], arrays=["two", "three"])
    fresh = [*SOUND_ARRAY[:4], zlib.crc32(ELEMENTS[::-1])]
    assert first["arrays"] == {"two": SOUND_ARRAY, "three": SOUND_ARRAY}
    assert second["arrays"] == {"two": fresh, "three": fresh}
    if "keys" in reader.views:
        assert second["keys"] == {"two/0.0": value(ELEMENTS[::-1])}


def names_of(descriptors: Path) -> list[str]:
    names = []
    for one in descriptors.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            names.append(os.readlink(one))
    return names


def test_keeps_no_file_open(reader: Reader, sound: Path) -> None:
    reader.ask(file=str(sound), keys=["two/0.0"], arrays=["two"])
    # Our child became the reader.
    held = Path(f"/proc/{reader.process.pid}/fd")
    # tensorstore closes its files on a thread of its own, a moment after it has answered.
    until = time.monotonic() + 5
    while str(sound) in (names := names_of(held)) and time.monotonic() < until:
        time.sleep(0.01)
    assert str(sound) not in names


def test_an_enormous_array_is_refused(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "bomb.zip"
    size = [1 << 20, 1 << 20]
    grid = {"name": "regular", "configuration": {"chunk_shape": size}}
    wide = json.dumps(ARRAY_3 | {"shape": size}).encode()
    deep = json.dumps(ARRAY_3 | {"chunk_grid": grid}).encode()
    write(file, {"wide/zarr.json": wide, "deep/zarr.json": deep})
    reply = reader.ask(file=str(file), keys=[], arrays=["wide", "deep"])
    assert {answer[0] for answer in reply["arrays"].values()} == {"refused"}
    assert reply["arrays"]["wide"][1] == "TooLarge"


def test_an_enormous_value_is_refused(reader: Reader, tmp_path: Path) -> None:
    if "keys" not in reader.views:
        pytest.skip("reads no keys")
    file = tmp_path / "bomb.zip"
    write(file, {"bomb": bytes(65 << 20)}, zipfile.ZIP_DEFLATED)
    answer = reader.ask(file=str(file), keys=["bomb"], arrays=[])["keys"]["bomb"]
    # TensorStore leaves out of what it sees what shrank too much.
    assert answer == ["missing"] or answer[:2] == ["refused", "TooLarge"]


LARGE = bytes(60 << 20)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six values of 60 MiB; a request gets 256 MiB of them."""
    file = tmp_path_factory.mktemp("large") / "large.zip"
    write(file, {f"c/{number}": LARGE for number in range(6)}, zipfile.ZIP_DEFLATED)
    return file


def test_values_of_one_request_are_read_up_to_a_bound(reader: Reader, large: Path) -> None:
    if "keys" not in reader.views:
        pytest.skip("reads no keys")
    keys = [f"c/{number}" for number in range(6)]
    answers = reader.ask(file=str(large), keys=keys, arrays=[])["keys"]
    if answers["c/0"] != ["missing"]:  # TensorStore leaves out of what it sees what shrank too much
        assert answers["c/0"] == value(LARGE)
        assert answers["c/5"][:2] == ["refused", "TooLarge"]


@pytest.fixture(params=["zarr", "zarr==3.0.2"])
def zarr_reader(request: pytest.FixtureRequest) -> Iterator[Callable[..., dict]]:
    done = install(request.param)
    assert done.returncode == 0, done.stderr
    started = Reader(json.loads(done.stdout), READERS[0])
    yield started.ask
    assert started.end() == 0


def test_reads_through_a_packed_store(zarr_reader: Callable[..., dict], sound: Path) -> None:
    packed = zarr_reader(file=str(sound), pack=True)["packed"]
    plain = zarr_reader(file=str(sound), keys=["two/0.0"], arrays=["three"])
    assert zarr_reader(file=str(sound), pickle=packed, keys=["two/0.0"], arrays=["three"]) == plain
    assert plain["keys"] == {"two/0.0": value(ELEMENTS)}
    sound.unlink()
    gone = zarr_reader(file=str(sound), pickle=packed, keys=[], arrays=[])
    assert gone["opened"][:2] == ["refused", "FileNotFoundError"]


def test_installing_says_what_is_missing(tmp_path: Path) -> None:
    done = install("zarrita", PATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (
        3,
        "The reader zarrita needs Node 20 or newer.\n",
    )
    assert install("nobody").returncode == 2
