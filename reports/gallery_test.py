"""Tests of the gallery's page: true to its manifest, safe with hostile names, clear when broken."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import gallery

HOSTILE = (
    "</style></td><script>alert(1)</script><img src=http://evil.example/x onerror=x> {{ 7*7 }} "
    "\x00\x1b[31m\r\n\ud800 \udfff\u202e\u2028' \" onload=x"
)
CLASSES = [
    {"name": "B1", "section": "4.3.2", "says": "the same name twice"},
    {"name": "wrong crc", "section": "4.4.7", "says": "a value does not have its CRC"},
    {"name": "sound", "section": "", "says": "nothing is wrong"},
]


def an_archive(name: str, zip_class: str, libzip: str = "value", **changes: Any) -> dict[str, Any]:
    """Makes an archive that `other` reads."""
    return {
        "file": name,
        "class": zip_class,
        "classes": [zip_class],
        "section": "4.3.2",
        "why": f"why {name}",
        "readers": {
            "libzip": {"version": "1.7.3", "answer": libzip, "values": 1},
            "other": {"version": "2.0", "answer": "value", "values": 9},
        },
        "differences": [],
        "faults": [],
        "news": False,
        "twist": {"name": "a twist", "entry": 0, "amount": 0, "says": f"says {name}"},
        **changes,
    }


def a_difference(**changes: Any) -> dict[str, Any]:
    """Makes a difference of libzip."""
    return {
        "reader": "libzip",
        "direction": "other data",
        "about": "key c/0",
        "says": "4 bytes",
        "others": "other: 5 bytes",
        **changes,
    }


def a_manifest() -> dict[str, Any]:
    """Makes the manifest of three archives and two readers."""
    return {
        "classes": copy.deepcopy(CLASSES),
        "readers": [
            {"name": "libzip", "version": "1.7.3"},
            {"name": "other", "version": "2.0"},
        ],
        "archives": [
            an_archive("sound.zip", "sound", twist=None),
            an_archive("B1-first.zip", "B1", "silence", differences=[a_difference()]),
            an_archive("B1-second.zip", "B1", "refusal"),
        ],
    }


class Page(HTMLParser):
    """Collects elements, attributes and text, and checks that elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append("")
        if tag in ("td", "th") and self.rows:
            self.rows[-1] += "|"
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.text += data
        if "tr" in self.open:
            self.rows[-1] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def drawn(folder: Path, manifest: Any) -> Page:
    """Draws the page of a manifest in the folder."""
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert gallery.main(folder) == 0
    return Page((folder / "index.html").read_text("utf-8"))


def test_the_page_is_a_table_of_classes_by_readers(tmp_path: Path) -> None:
    rows = drawn(tmp_path, a_manifest()).rows
    assert "libzip 1.7.3" in rows[0]
    assert "other 2.0" in rows[0]
    cells = [" ".join(cell.split()) for cell in rows[1].split("|")]
    assert cells[1:] == ["B1", "the same name twice (4.3.2)", "refusal 1 silence 1", "value 2"]
    cells = [" ".join(cell.split()) for cell in rows[2].split("|")]
    assert cells[1:] == ["sound", "nothing is wrong", "value 1", "value 1"]


def test_a_class_without_archives_has_no_row(tmp_path: Path) -> None:
    assert "wrong crc" not in drawn(tmp_path, a_manifest()).text


def test_every_archive_is_told_with_what_readers_made_of_it(tmp_path: Path) -> None:
    page = drawn(tmp_path, a_manifest())
    assert "3 archives" in page.text
    for archive in a_manifest()["archives"]:
        (row,) = [row for row in page.rows if archive["file"] in row]
        assert archive["why"] in row
        assert ("says " in row) == (archive["twist"] is not None)
        assert archive["readers"]["libzip"]["answer"] in row
        assert ("key c/0: 4 bytes" in row) == bool(archive["differences"])


def test_what_was_left_out_of_an_archive_is_told(tmp_path: Path) -> None:
    manifest = a_manifest()
    manifest["archives"][1]["unread"] = ["64 of 65 entries asked"]
    (row,) = [row for row in drawn(tmp_path, manifest).rows if "B1-first.zip" in row]
    assert "64 of 65 entries asked" in row


def test_links_lead_to_archives_and_to_classes(tmp_path: Path) -> None:
    manifest = a_manifest()
    manifest["archives"].append(an_archive("wrong crc #1?50%.zip", "wrong crc"))
    page = drawn(tmp_path, manifest)
    targets = [link["href"] or "" for link in page.of("a")]
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    inside = [target for target in targets if target.startswith("#")]
    assert {target.removeprefix("#") for target in inside} == ids
    assert len(inside) == 3
    files = {unquote(target) for target in targets if target not in inside}
    assert files == {f"./{archive['file']}" for archive in manifest["archives"]}
    assert all("?" not in target and " " not in target for target in targets)


def hostile(value: Any) -> Any:
    """Puts hostile text wherever a manifest has text, but where it is looked up."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, list):
        return [hostile(item) for item in value]
    if isinstance(value, dict):
        fixed = ("class", "answer", "reader", "readers")
        return {k: v if k in fixed else hostile(v) for k, v in value.items()}
    return value


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    manifest = a_manifest()
    manifest["archives"] = hostile(manifest["archives"])
    manifest["classes"] = [
        {"name": it["name"], "section": HOSTILE, "says": HOSTILE} for it in CLASSES
    ]
    page = drawn(tmp_path, manifest)
    plain = drawn(tmp_path, a_manifest())
    kinds = {tag for tag, _ in plain.elements}
    assert {tag for tag, _ in page.elements} == kinds
    allowed = {name for _, attributes in plain.elements for name in attributes}
    assert {name for _, attributes in page.elements for name in attributes} <= allowed
    assert "alert(1)" in page.text
    assert "{{ 7*7 }}" in page.text


def test_hostile_names_of_classes_and_readers_stay_text(tmp_path: Path) -> None:
    text = json.dumps(a_manifest())
    quoted = json.dumps(HOSTILE)
    page = drawn(tmp_path, json.loads(text.replace('"B1"', quoted).replace('"other"', quoted)))
    assert not page.of("script")
    assert not page.of("img")
    assert all(name not in ("onload", "onerror") for _, it in page.elements for name in it)


@pytest.mark.parametrize(
    "name",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "\x01javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//evil.example/a.zip",
        "\\\\evil.example\\a.zip",
        "https://evil.example/a.zip",
        "file:///etc/passwd",
    ],
)
def test_no_link_leads_elsewhere(tmp_path: Path, name: str) -> None:
    manifest = a_manifest()
    manifest["archives"][1]["file"] = name
    page = drawn(tmp_path, manifest)
    for link in page.of("a"):
        assert re.fullmatch(r"(#|\./)[^:\\\x00-\x20]*", link["href"] or ""), link
    assert not any("src" in attributes for _, attributes in page.elements)


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    page = drawn(tmp_path, a_manifest())
    assert not page.of("link")
    assert not page.of("script")
    html = (tmp_path / "index.html").read_text("utf-8")
    assert "url(" not in html
    assert "@import" not in html


def test_the_same_manifest_gives_the_same_bytes(tmp_path: Path) -> None:
    drawn(tmp_path, a_manifest())
    first = (tmp_path / "index.html").read_bytes()
    drawn(tmp_path, a_manifest())
    assert (tmp_path / "index.html").read_bytes() == first
    other = tmp_path / "elsewhere"
    other.mkdir()
    drawn(other, a_manifest())
    assert (other / "index.html").read_bytes() == first
    assert {path.name for path in other.iterdir()} == {"manifest.json", "index.html"}


def test_an_empty_gallery_has_a_page(tmp_path: Path) -> None:
    page = drawn(tmp_path, {"classes": [], "readers": [], "archives": []})
    assert "0 archives" in page.text


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Draws the page as the command does."""
    return subprocess.run(
        [sys.executable, gallery.__file__, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


def expect_one_sentence(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert re.fullmatch(r"[^\n]+\.\n", done.stderr), done.stderr


def test_a_missing_gallery_is_one_sentence(tmp_path: Path) -> None:
    expect_one_sentence(run(tmp_path / "none"))
    expect_one_sentence(run(tmp_path))
    (tmp_path / "manifest.json").mkdir()
    expect_one_sentence(run(tmp_path))
    assert not (tmp_path / "index.html").exists()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"7",
        b"[]",
        b'"x"',
        b"{}",
        b'{"name": "an app", "icons": []}',
        b'{"classes": {}, "readers": [], "archives": 7}',
        b'{"classes": [{"name": "B1"}], "readers": [], "archives": [7]}',
        b'{"classes": [], "readers": [7], "archives": []}',
        b"[" * 200_000,
    ],
)
def test_a_broken_manifest_is_one_sentence(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(text)
    expect_one_sentence(run(tmp_path))
    assert not (tmp_path / "index.html").exists()


def without(*path: Any) -> Callable[[Any], None]:
    def change(manifest: Any) -> None:
        for step in path[:-1]:
            manifest = manifest[step]
        del manifest[path[-1]]

    return change


@pytest.mark.parametrize(
    "path",
    [
        ("classes",),
        ("readers",),
        ("archives",),
        ("readers", 0, "name"),
        ("readers", 0, "version"),
        ("classes", 0, "name"),
        ("classes", 0, "says"),
        ("classes", 0, "section"),
        ("archives", 1, "class"),
        ("archives", 1, "file"),
        ("archives", 1, "why"),
        ("archives", 1, "twist"),
        ("archives", 1, "twist", "says"),
        ("archives", 1, "readers"),
        ("archives", 1, "readers", "libzip"),
        ("archives", 1, "readers", "libzip", "answer"),
        ("archives", 1, "differences"),
        ("archives", 1, "differences", 0, "reader"),
        ("archives", 1, "differences", 0, "says"),
    ],
    ids=lambda path: "-".join(map(str, path)),
)
def test_a_manifest_that_lacks_a_member_is_broken(tmp_path: Path, path: tuple[Any, ...]) -> None:
    manifest = a_manifest()
    without(*path)(manifest)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "index.html").write_text("older")
    assert gallery.main(tmp_path) == 2
    assert (tmp_path / "index.html").read_text() == "older"


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(a_manifest()))
    (tmp_path / "index.html").mkdir()
    (tmp_path / "index.html" / "in").write_text("x")
    expect_one_sentence(run(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"manifest.json", "index.html"}
