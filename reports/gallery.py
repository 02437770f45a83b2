"""Draws the page of a gallery: `python reports/gallery.py DIR`.

Reads DIR/manifest.json and writes DIR/index.html: class by reader, then every archive. The same
manifest gives the same bytes. Exits 2 with one sentence if DIR holds no gallery or cannot be
written.
"""

import json
import sys
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from drawing import template_environment, write

ANSWERS = ("value", "refusal", "silence", "none")
# What a manifest raises that is none of ours, or is broken.
BROKEN = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    TemplateError,
)


def encodable(value: Any) -> Any:
    """The same with half surrogates, which JSON may have and UTF-8 not, as text."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, list):
        return [encodable(item) for item in value]
    if isinstance(value, dict):
        return {encodable(name): encodable(item) for name, item in value.items()}
    return value


def reader_names(manifest: dict[str, Any]) -> list[str]:
    return [reader["name"] for reader in manifest["readers"]]


def cell(archives: list[dict[str, Any]], reader: str) -> dict[str, int]:
    """How often a reader gave which answer, over the archives of one class."""
    answers = [archive["readers"][reader]["answer"] for archive in archives]
    return {answer: answers.count(answer) for answer in ANSWERS if answer in answers}


def rows(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for every class that the gallery has, in the order of the classes."""
    table = []
    for zip_class in manifest["classes"]:
        archives = [it for it in manifest["archives"] if it["class"] == zip_class["name"]]
        if archives:
            cells = {reader: cell(archives, reader) for reader in reader_names(manifest)}
            table.append(zip_class | {"archives": archives, "cells": cells})
    return table


def draw(manifest: dict[str, Any]) -> str:
    page = template_environment(autoescape=True).get_template("gallery.html.j2")
    return page.render(manifest=manifest, rows=rows(manifest), readers=manifest["readers"])


def main(folder: Path) -> int:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        html = draw(encodable(manifest))
    except BROKEN:
        print(f"{folder} holds no gallery.", file=sys.stderr)
        return 2
    try:
        write(folder / "index.html", html)
    except OSError as error:
        print(f"The page of {folder} cannot be written: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("gallery.py takes the folder of a gallery.", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(Path(sys.argv[1])))
