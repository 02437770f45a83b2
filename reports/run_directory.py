"""Reads a run directory: checks what it holds, and makes every text in it fit to be shown.

A run directory is written by programs under test as much as by us, so nothing in it is trusted:
after reading, no string holds control characters, lone surrogates or direction overrides (they are
spelled out), none is huge, and nothing is nested without end.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parent
LONGEST_TEXT = 20_000
DEEPEST = 40
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
CUT_NOTE = re.compile(r"… \[cut: [\d,]+ characters in all, sha256 \w{8}…\]")
# Control characters, zero-width and direction marks, line separators, surrogates, noncharacters.
UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\uffff\U000e0000-\U000e0fff]"
)


class BrokenRunError(Exception):
    """The run directory cannot be reported on; the message is one sentence for the user."""


@dataclass(frozen=True)
class Run:
    """What a run directory holds, checked and cleaned."""

    about: dict[str, Any]
    findings: list[dict[str, Any]]  # confirmed, or known
    unconfirmed: list[dict[str, Any]]
    seen: list[dict[str, Any]]  # not followed: of seen.jsonl, or told so in unconfirmed.jsonl
    repros: dict[str, str]
    altered: set[str]  # whose repro.py can only be shown in part, or with characters spelled out


def spell_out(match: re.Match[str]) -> str:
    """Gives the escape sequence for one character that must not be shown as it is."""
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cut(text: str, limit: int) -> str:
    """Shortens `text` to about `limit` characters; a digest tells two long texts apart.

    Of a text that was cut before, the first note stays: it tells of the whole.
    """
    if len(text) <= limit:
        return text
    if note := CUT_NOTE.search(text, limit):
        return text[:limit] + note[0]
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{text[:limit]}… [cut: {len(text):,} characters in all, sha256 {digest}…]"


def clean_text(text: str, limit: int = LONGEST_TEXT) -> str:
    """Spells out what cannot be shown in `text` and cuts it."""
    return UNSHOWABLE.sub(spell_out, cut(text, limit))


def clean(value: Any, depth: int = 0) -> Any:
    """Gives `value`, any JSON, with every string in it cleaned and nothing nested too deep."""
    if isinstance(value, str):
        return clean_text(value)
    if depth > DEEPEST and isinstance(value, dict | list):
        return "… [cut: nested deeper]"
    if isinstance(value, list):
        return [clean(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): clean(item, depth + 1) for key, item in value.items()}
    return value


def is_a(value: Any, name: str) -> bool:
    """Tells whether `value` is of the JSON type `name`; true and false are no numbers."""
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def first_fault(value: Any, schema: dict[str, Any], where: str = "") -> str | None:
    """Finds the first place where `value` is not what `schema` asks, in words; None if it is.

    Knows only the keywords on which the page relies; the tests hold it against jsonschema.
    """
    name = where or "it"
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_a(value, wanted) for wanted in types):
        return f"{name} is not of type {' or '.join(types)}"
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and is_a(value, "number") and not least <= value <= most:
        return f"{name} is not from {least} to {most}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        return f"{name} does not match {schema['pattern']}"
    parts: list[tuple[Any, Any, str]] = []
    if isinstance(value, dict):
        for key in schema.get("required", []):
            if key not in value:
                return f"{where + '.' if where else ''}{key} is missing"
        rest = schema.get("additionalProperties", {})
        rest = rest if isinstance(rest, dict) else {}
        known = schema.get("properties", {})
        prefix = where + "." if where else ""
        parts = [(item, known.get(key, rest), prefix + key) for key, item in value.items()]
    elif isinstance(value, list) and "items" in schema:
        fewest, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
        if not fewest <= len(value) <= most:
            return f"{name} has {len(value)} items"
        parts = [(item, schema["items"], f"{where}[{i}]") for i, item in enumerate(value)]
    for item, item_schema, item_where in parts:
        if fault := first_fault(item, item_schema, item_where):
            return fault
    return None


def parse(data: bytes, schema_name: str, where: str) -> dict[str, Any]:
    """Reads one JSON object and checks it.

    Raises BrokenRunError, its message beginning with `where`.
    """
    try:
        value = json.loads(data.decode())
    except UnicodeDecodeError as error:
        raise BrokenRunError(f"{where} is not UTF-8: {error.reason}.") from error
    except (ValueError, RecursionError) as error:
        raise BrokenRunError(f"{where} is not JSON: {clean_text(str(error), 200)}.") from error
    schema = json.loads((SCHEMAS / schema_name).read_text("utf-8"))
    if fault := first_fault(value, schema):
        raise BrokenRunError(f"{where} does not fit {schema_name}: {clean_text(fault, 200)}.")
    cleaned = clean(value)
    assert isinstance(cleaned, dict)
    return cleaned


def read_bytes(path: Path) -> bytes:
    """Reads a file of the run directory. Raises BrokenRunError if that is not possible."""
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path.parent} is no complete run directory: {path.name}: {error.strerror}."
        raise BrokenRunError(message) from error


def read_findings(path: Path, confirmed: bool, ended: bool = True) -> list[dict[str, Any]]:
    """Reads findings.jsonl, unconfirmed.jsonl or seen.jsonl.

    What a killed run leaves may end in half a line, which is left out.

    Raises BrokenRunError, naming file and line, for a line that is broken, repeats a fingerprint,
    or belongs in the other file.
    """
    findings: list[dict[str, Any]] = []
    first_line: dict[str, int] = {}
    lines = read_bytes(path).split(b"\n")
    if not ended:
        lines.pop()  # empty, or half a line
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}, line {number},"
        finding = parse(line, "finding.schema.json", where)
        if confirmed and not finding["confirmed"] and not finding["known"]:
            raise BrokenRunError(f"{where} must be confirmed, or known.")
        if not confirmed and (finding["confirmed"] or "why" not in finding):
            raise BrokenRunError(f"{where} must be unconfirmed and say why.")
        fingerprint = finding["fingerprint"]
        if fingerprint in first_line:
            first = first_line[fingerprint]
            raise BrokenRunError(f"{where} repeats the fingerprint {fingerprint} of line {first}.")
        first_line[fingerprint] = number
        findings.append(finding)
    return findings


def names_of(finding: dict[str, Any]) -> set[str]:
    """Gives the names under which a finding was seen, its own among them."""
    return {finding["fingerprint"], *finding["seen_as"]}


def kept_as_seen(finding: dict[str, Any]) -> bool:
    """Tells whether a finding was given up unfollowed; it has a folder with its case."""
    return finding.get("followed") is False


def read_run(directory: Path) -> Run:
    """Reads a whole run directory.

    Raises BrokenRunError if it is missing or broken. A finding without repro.py is no error.
    """
    if not directory.is_dir():
        raise BrokenRunError(f"{directory} is not a directory.")
    about = parse(
        read_bytes(directory / "run.json"), "run.schema.json", f"{directory / 'run.json'}"
    )
    ended = about.get("ended", "") is not None
    findings = read_findings(directory / "findings.jsonl", True, ended)
    loose = read_findings(directory / "unconfirmed.jsonl", False, ended)
    unconfirmed = [it for it in loose if not kept_as_seen(it)]
    seen = [it for it in loose if kept_as_seen(it)]
    if (path := directory / "seen.jsonl").exists():
        told = {name for it in [*findings, *loose] for name in names_of(it)}
        seen += [it for it in read_findings(path, False, False) if not names_of(it) & told]
    repros, altered = {}, set()
    for finding in [*findings, *unconfirmed]:
        path = directory / "findings" / finding["fingerprint"] / "repro.py"
        if finding["script"] and path.is_file():
            script = read_bytes(path)
            shown = clean_text(script.decode(errors="backslashreplace"))
            repros[finding["fingerprint"]] = shown
            if shown.encode() != script:
                altered.add(finding["fingerprint"])
    return Run(about, findings, unconfirmed, seen, repros, altered)
