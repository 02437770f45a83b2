"""Names stores, and writes the call that makes one, from the adapters in reference/stores.json.

There is no table of stores here; a word without an adapter, such as a stranger's, stays as it is.
"""

import json
from pathlib import Path
from typing import Any

from run_directory import cut

REFERENCE = Path(__file__).parent.parent / "reference"
ADAPTERS: dict[str, dict[str, Any]] = {
    adapter["kind"]: adapter
    for adapter in json.loads((REFERENCE / "stores.json").read_text("utf-8"))["stores"]
}
ARGUMENTS = ["mode", "compression", "allowZip64", "read_only"]  # in the order of a script
OVER = " over "
USUAL = {"compression": "stored", "allowZip64": True, "read_only": None}  # not worth saying
FILE_MODES = {"r": "rb", "w": "w+b", "x": "x+b"}
LONGEST_CALL = 2000


def adapters(word: str) -> list[dict[str, Any]]:
    """Gives the adapters of a store, the outermost wrapper first; invents one for a stranger's."""
    return [
        ADAPTERS.get(kind)
        or {"kind": kind, "type": kind, "make": f"{kind}({{path}}{{arguments}})"}
        | {"arguments": ARGUMENTS}
        for kind in word.split(OVER)
    ]


def store_name(word: str) -> str:
    """Gives "LoggingStore over ZipStore"; also the word where the type does not tell it."""

    def name(adapter: dict[str, Any]) -> str:
        kind, name = adapter["kind"], adapter["type"]
        return name if kind.replace(" ", "") in name.lower() or kind == name else f"{name} ({kind})"

    return OVER.join(name(adapter) for adapter in adapters(word))


def medium(word: str) -> str:
    """Tells where the content of a store lies: zip, folder or memory."""
    return adapters(word)[-1].get("medium", "folder")


def arguments_text(made: dict[str, Any], taken: list[str]) -> str:
    """Writes those arguments of a case that its store takes, each with a comma before it."""
    usual = USUAL if "mode" in taken else {**USUAL, "read_only": False}
    text = ""
    for name in [*taken, *(name for name in made if name not in (*ARGUMENTS, "path"))]:
        value = made.get(name)
        if value is None or value == usual.get(name):
            continue
        literal = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
        text += f", {name}={'zipfile.ZIP_DEFLATED' if value == 'deflated' else cut(literal, 200)}"
    return text


def making(case: dict[str, Any]) -> str:
    """Writes the call that makes the store of a case, as case/construct.cc does for scripts."""
    chain, made = adapters(case["store"]), case.get("constructor", {})
    place = '"store.zip"' if medium(case["store"]) == "zip" else '"store"'
    mode = str(made.get("mode", "r"))
    appended = "r+b" if case.get("archive") else "w+b"
    text = "{inner}"
    for adapter in chain:
        text = text.replace("{inner}", adapter["make"])
    for hole, filling in (
        ("{path}", place if made.get("path") == "relative" else f"os.path.abspath({place})"),
        ("{file mode}", f'"{FILE_MODES.get(mode, appended)}"'),
        ("{arguments}", arguments_text(made, chain[-1].get("arguments", []))),
    ):
        text = text.replace(hole, filling)
    return cut(text.replace("(, ", "("), LONGEST_CALL)
