"""Turns a checked run directory into what a reader wants told: verdict, causes, cases, answers.

Everything here gives plain text and plain values; escaping is the templates' part.
"""

import difflib
import json
import re
import shlex
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from run_directory import Run, cut
from stores import making, medium, store_name

Finding = dict[str, Any]

# Plainest first, as fingerprints count them.
TRANSPORTS = ["same process", "thread", "spawn", "forkserver", "fork"]
CARRIERS = [
    *(f"pickle {protocol}" for protocol in (5, 0, 1, 2, 3, 4)),
    *("cloudpickle", "forking pickler", "dask"),
    *("copy", "deepcopy", "handed over", "inherited", "made anew"),
]
TRANSPORT_WORDS = {
    "same process": "in the same process",
    "thread": "in another thread",
    "spawn": "in a freshly spawned interpreter",
    "forkserver": "in a child of the fork server",
    "fork": "in a forked child of the parent",
}
CARRIER_NAMES = {
    "forking pickler": "multiprocessing's ForkingPickler",
    "dask": "Dask's serialization",
}
CARRIER_WORDS = {
    **CARRIER_NAMES,
    "copy": "copy.copy",
    "deepcopy": "copy.deepcopy",
    "handed over": "the object itself, handed over",
    "inherited": "inherited by the fork",
    "made anew": "only its path; the store is made anew",
}
POOLS = {
    "ProcessPoolExecutor": "a ProcessPoolExecutor, which pickles by itself",
    "multiprocessing.Pool": "a multiprocessing.Pool, which pickles by itself",
    "ThreadPoolExecutor": "a ThreadPoolExecutor, which hands the object over",
    "LocalCluster": "a Dask LocalCluster of processes, which serializes by itself",
}
CARGO_WORDS = {
    "store": "",
    "list": "inside a list",
    "dict": "inside a dict",
    "two references": "two references in one pickle",
    "store path": "inside a StorePath",
    "array": "inside an Array",
    "group": "inside a Group",
}
# What else there is to a journey: member of a case, label, and words; an empty one is not told.
ON_THE_WAY = [
    (
        "meanwhile",
        "Meanwhile",
        {
            "idle": "",
            "closes": "the parent closes its store",
            "writes on": "the parent writes one more key",
            "deletes the file": "the parent deletes what lies at the store's path",
            "changes directory": "the parent changes its working directory",
            "forgets the store": "the parent forgets its store, and it is garbage-collected",
            "holds the store's lock": "another thread of the parent holds the store's lock",
            "holds zarr's lock": "another thread of the parent holds the lock of zarr's event loop",
        },
    ),
    (
        "surroundings",
        "Around it",
        {
            "same": "",
            "other directory": "the child works in another directory",
            "other environment": "the child has other environment variables",
            "other config": "the child has a zarr.config of its own",
        },
    ),
    (
        "comes_back",
        "Sent on",
        {
            "nothing": "",
            "store": "the child sends the store back to the parent",
            "array": "the child sends the array it opened back to the parent",
            "grandchild": "the child sends the store on to a grandchild",
        },
    ),
]
LIFECYCLES = {
    "new": "not opened yet",
    "open": "open",
    "closed": "closed again",
    "reopened": "closed and opened again",
    "used after close": "closed, then used once more",
    "inside with": "open, inside its with block",
}
# Operations that are not simply a method of that name.
METHODS = {"enter": "__enter__"}
RANGES = {
    "get range": "RangeByteRequest",
    "get offset": "OffsetByteRequest",
    "get suffix": "SuffixByteRequest",
}
WARMTH = {
    "warm": "warm: it has used zarr's event loop before",
    "cold": "cold: it has not used zarr's event loop",
}
DRIVERS = {"loop": "by zarr's event loop", "caller": "by the caller, without zarr's event loop"}
ORACLES = {
    "attributes": "Is every attribute and property still there, with the same value?",
    "equality": "Does the store equal what came of it, and does == notice what it must?",
    "reads": "Do values, ranges, sizes and selections give the same bytes, or the same error?",
    "listing": "Do all ways of listing agree with each other, with nothing twice?",
    "writable": "Does nothing change through a read-only store; can a writable one still write?",
    "on disk": "Does reading change nothing on disk, does a write stay, is nothing lost?",
    "parent intact": "Does the store in the parent still work after it was sent?",
    "refusal": "Are errors of a fitting type, the same on both sides, no accident inside zarr?",
    "deadline": "Does every call come back? A hang is shown with the Python stacks of both sides.",
    "survival": "Does no process die by a signal, and is nothing left behind?",
    "expectation": "Is what was read what the case had written?",
    "stores agree": "Does a store answer as a MemoryStore with the same content does?",
    "readers agree": "Do zarr and independent readers see the same in the same archive?",
}
# What the two sides of a finding are, where they are not simply parent and child.
FIRST_SIDE = {
    "equality": "Should be",
    "expectation": "Should be",
    "listing": "Should be",
    "writable": "Should be",
    "on disk": "Before",
    "parent intact": "Parent, before",
    "stores agree": "MemoryStore",
}
SECOND_SIDE = {"on disk": "After", "parent intact": "Parent, after"}
PLACES = ("Should be", "Before", "After")
WRONG_SIDE = {"child": "Child", "parent": "Parent", "returned": "Parent, of what came back"}
LINES_COMPARED = 1000
LINES_SHOWN = 60
EQUAL_AROUND = 2
FEWEST_LEFT_OUT = 4
LONGEST_FLAT = 60
LONGEST_LINE = 300


class Row(NamedTuple):
    """One line about a case: a label, words, and code."""

    label: str
    words: str = ""
    code: str = ""


class Line(NamedTuple):
    """One line of an answer; mark is "differs", "gap" or empty."""

    text: str
    mark: str = ""


class Side(NamedTuple):
    """One side's answer: whose, what kind, in words, and what there is to see."""

    name: str
    answer: str
    words: str
    lines: list[Line]
    stacks: str


class Cause(NamedTuple):
    """Findings with the same root."""

    name: str
    anchor: str
    findings: list[Finding]


class Verdict(NamedTuple):
    """The run in one sentence; tone is "found", "clean" or "blind"."""

    sentence: str
    tone: str


def counted(number: int, noun: str) -> str:
    """Gives "1 cause", "2 causes", "1,000 causes"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """Gives 0.934 as "93 %"; only all is 100 %, only nothing is 0 %."""
    rounded = round(share * 100)
    if share < 1:
        rounded = min(rounded, 99)
    if share > 0:
        rounded = max(rounded, 1)
    return f"{rounded} %"


def seconds(value: float) -> str:
    """Gives a duration as a person would say it: "0.4 s", "61 s", "5 min 2 s"."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes:,} min {rest} s" if rest else f"{minutes:,} min"


def rate(cases: int, took: float) -> str:
    """Gives cases a second; a dash where no time was spent."""
    if took <= 0:
        return "–"
    return f"{cases / took:,.0f}" if cases >= 10 * took else f"{cases / took:.1f}"


def packages(about: dict[str, Any]) -> str:
    """Names the packages beside zarr, with their versions."""
    return ", ".join(f"{name} {version}" for name, version in sorted(about["packages"].items()))


def moment(text: str) -> str:
    """Gives an ISO 8601 time as "23 November 2026, 23:00 UTC"; anything else as it is."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = " UTC" if time.utcoffset() is not None and not time.utcoffset() else ""
    return f"{time.day} {time:%B %Y, %H:%M}{zone}"


def subject_name(about: dict[str, Any]) -> str:
    """Names what was tested: "zarr 3.0.1", or the checkout."""
    subject = about["subject"]
    name = f"zarr {subject['release']}" if subject["release"] else "zarr"
    return f"{name} from {subject['path']}" if subject["path"] else name


def causes_of(findings: Iterable[Finding]) -> list[Cause]:
    """Groups findings by cause: security first, then the earliest found; the same within one."""

    def rank(finding: Finding) -> tuple[Any, ...]:
        found = finding["executions_to_find"]
        late = (found is None, found or 0)
        return (finding["security"] is None, late, finding["fingerprint"])

    groups: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=rank):
        groups.setdefault(finding["cause"], []).append(finding)
    return [
        Cause(name, f"cause-{group[0]['fingerprint']}", group) for name, group in groups.items()
    ]


def split_known(findings: Iterable[Finding]) -> tuple[list[Cause], list[Cause]]:
    """Gives the causes that are new, and those already told upstream."""
    findings = list(findings)
    new = causes_of(finding for finding in findings if not finding["known"])
    return new, causes_of(finding for finding in findings if finding["known"])


def ended(run: Run) -> bool:
    """Tells whether a run ended by itself; older ones had no run.json before they did."""
    return run.about.get("ended", "") is not None


def broken_off(run: Run) -> Verdict:
    """Says in one sentence what a run found that was killed, goes on, failed, or only measured."""
    new, known = split_known(run.findings)
    name = subject_name(run.about)
    if failed := run.about.get("failed"):
        why = f"The run of {name} is no all-clear: {failed}"
    elif ended(run):
        why = f"The run of {name} only measured when it saw what"
    else:
        why = f"The run of {name} goes on, or was killed before it ended"
    parts = [f"{counted(len(new), 'cause')} confirmed" if new else "nothing new confirmed"]
    if run.seen:
        parts.append(f"{counted(len(run.seen), 'finding')} seen and not followed yet")
    if run.unconfirmed:
        parts.append(f"{len(run.unconfirmed):,} could not be confirmed")
    if known:
        parts.append(f"{counted(len(known), 'known cause')} seen again")
    return Verdict(f"{why}; {', '.join(parts)}.", "found" if new else "blind")


def verdict(run: Run) -> Verdict:
    """Says in one sentence what the run found, or why its silence means something, or does not."""
    about = run.about
    new, known = split_known(run.findings)
    name = subject_name(about)
    if not ended(run) or about.get("failed") or run.seen:
        return broken_off(run)
    also = []
    if run.unconfirmed:
        also.append(f"{len(run.unconfirmed):,} more could not be confirmed")
    if known:
        also.append(f"{counted(len(known), 'known cause')} seen again")
    tail = "".join(f"; {part}" for part in also)
    if new:
        total = sum(len(cause.findings) for cause in new)
        confirmed = "" if run.unconfirmed else "; all confirmed" if total > 1 else "; confirmed"
        sentence = f"{counted(len(new), 'cause')}, {counted(total, 'finding')} in {name}"
        return Verdict(f"{sentence}{confirmed}{tail}.", "found")
    proof = about["self_proof"]
    nothing = f"Nothing{' new' if known else ''}{' confirmed' if run.unconfirmed else ''} found"
    if not about["executions"]:
        return Verdict(f"{nothing} in {name}, because no case was run{tail}.", "blind")
    if not proof or not proof["found"]:
        reason = "the planted loss was missed" if proof else "no planted loss was tried"
        return Verdict(f"{nothing} in {name}, but {reason}: this run may be blind{tail}.", "blind")
    sentence = f"{nothing} in {name}, and the planted loss was found, so the run could see"
    return Verdict(f"{sentence}{tail}.", "clean")


def notices(run: Run) -> list[str]:
    """Lists what a reader must know before trusting the page."""
    about = run.about
    told = []
    if about["interrupted"]:
        told.append(f"The run was interrupted after {seconds(about['seconds'])} of fuzzing.")
    proof = about["self_proof"]
    found = any(not finding["known"] for finding in run.findings)
    if found and proof and not proof["found"]:
        told.append(
            f"The planted loss {proof['planted']} was missed: there may be more than was found."
        )
    # What a run counts is written before its last findings are.
    for name, held in (("findings", run.findings), ("unconfirmed", run.unconfirmed)):
        if ended(run) and about[name] != len(held):
            told.append(
                f"run.json counts {about[name]:,} {name}, {name}.jsonl holds {len(held):,}."
            )
    if about["restarts"]:
        told.append(f"The fuzz process was replaced {counted(about['restarts'], 'time')}.")
    return told


def python_text(value: Any) -> str:
    """Writes a JSON value as Python would, cut for one line."""
    return cut(repr(value), 200)


def call(name: str, arguments: dict[str, Any], positional: tuple[str, ...] = ()) -> str:
    """Writes a call; `repeat` multiplies the value before it, None means not given."""
    parts = []
    for key in (*positional, *(key for key in arguments if key not in positional)):
        value = arguments.get(key)
        if value is None or key == "repeat":
            continue
        text = python_text(value)
        if key == "value" and arguments.get("repeat", 1) != 1:
            text += f" * {python_text(arguments['repeat'])}"
        parts.append(text if key in positional else f"{key}={text}")
    return f"{name}({', '.join(parts)})"


def operation_text(operation: dict[str, Any]) -> str:
    """Writes one thing the parent does with its store, as a call of the store's method."""
    do = operation["do"]
    arguments = {key: value for key, value in operation.items() if key != "do"}
    if do in RANGES:
        key = python_text(arguments.pop("key", ""))
        return f"get({key}, {call(RANGES[do], arguments, ('start', 'end'))})"
    return call(METHODS.get(do, do.replace(" ", "_")), arguments, ("key", "value"))


def travel_rows(case: dict[str, Any]) -> list[Row]:
    """Tells how the store travels, and what happens on the way."""
    carrier, pool = case["carrier"], case.get("pool")
    words = CARRIER_WORDS.get(carrier, carrier.replace("pickle ", "pickle, protocol "))
    how = [POOLS.get(pool, pool) if pool else words]
    cargo = case.get("cargo", "store")
    how.append(CARGO_WORDS.get(cargo, cargo))
    how.append("carried twice" if case.get("twice") else "")
    rows = [
        Row("Carried by", "; ".join(part for part in how if part)),
        Row("Arrives", TRANSPORT_WORDS.get(case["transport"], case["transport"])),
    ]
    for member, label, told in ON_THE_WAY:
        word = case.get(member, "")
        if text := told.get(word, word):
            rows.append(Row(label, text))
    return rows


def travels(case: dict[str, Any]) -> str:
    """Tells how the store travels in one line."""
    return "; ".join(row.words for row in travel_rows(case))


def case_rows(case: dict[str, Any]) -> list[Row]:
    """Tells a case in order: what lies on disk, what the parent does, how the store travels."""
    rows = []
    archive, lies = case.get("archive"), medium(case["store"])
    if archive is not None:
        entries = archive.get("entries", [])
        zipped = f"a zip archive, {archive.get('compression', 'stored')},"
        made = zipped if lies == "zip" else "a folder"
        rows.append(Row("On disk", f"{made} with {counted(len(entries), 'key')}"))
        for entry in entries:
            value = python_text(entry.get("value", ""))
            times = entry.get("repeat", 1)
            code = f"{python_text(entry['key'])}: {value}"
            rows.append(Row("", code=code if times == 1 else f"{code} * {python_text(times)}"))
    elif "archive" in case and lies != "memory":
        rows.append(Row("On disk", "nothing yet"))
    rows.append(Row("Store", store_name(case["store"]), making(case)))
    for step, operation in enumerate(case.get("operations", [])):
        rows.append(Row("" if step else "Then", code=operation_text(operation)))
    if "lifecycle" in case:
        state = LIFECYCLES.get(case["lifecycle"], case["lifecycle"])
        rows.append(Row("It travels", state))
    if "parent" in case:
        rows.append(Row("Parent", WARMTH.get(case["parent"], case["parent"])))
    rows += travel_rows(case)
    if case.get("looks"):
        driver = DRIVERS.get(case.get("driver", ""), case.get("driver", ""))
        rows.append(
            Row(
                "Looked at",
                ", ".join(case["looks"]) + (f"; coroutines run {driver}" if driver else ""),
            )
        )
    if case.get("twin"):
        rows.append(Row("Compared", "with a MemoryStore of the same content, asked the same"))
    told = {
        *("store", "archive", "constructor", "operations", "lifecycle", "parent", "carrier"),
        *("transport", "looks", "driver", "cargo", "twice", "pool", "twin"),
        *(member for member, _, _ in ON_THE_WAY),
    }
    rows += [Row(key, code=python_text(value)) for key, value in case.items() if key not in told]
    return rows


def answer_lines(answer: dict[str, Any] | None) -> list[str]:
    """Writes what an answer shows, line by line, whole lines for comparing."""
    if answer is None or answer["answer"] not in ("shown", "refused"):
        return []
    if answer["answer"] == "refused":
        kind, text = answer.get("type", "an error"), answer.get("text", "")
        return (f"{kind}: {text}" if text else kind).split("\n")
    value = answer.get("value")
    flat = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if len(flat) <= LONGEST_FLAT and not isinstance(value, dict):
        return [flat]
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).split("\n")


def marked(lines: list[str], other: list[str]) -> list[Line]:
    """Marks the lines that `other` has not, and leaves long equal stretches out."""
    if not other:
        result = [Line(text) for text in lines]
    else:
        result = []
        match = difflib.SequenceMatcher(None, lines, other, autojunk=False)
        for kind, start, end, _, _ in match.get_opcodes():
            if kind != "equal":
                result += [Line(text, "differs") for text in lines[start:end]]
            elif end - start < 2 * EQUAL_AROUND + FEWEST_LEFT_OUT:
                result += [Line(text) for text in lines[start:end]]
            else:
                left_out = counted(end - start - 2 * EQUAL_AROUND, "equal line")
                result += [Line(text) for text in lines[start : start + EQUAL_AROUND]]
                result.append(Line(f"… {left_out}", "gap"))
                result += [Line(text) for text in lines[end - EQUAL_AROUND : end]]
    if len(result) > LINES_SHOWN:
        rest = counted(len(result) - LINES_SHOWN, "more line")
        result = [*result[:LINES_SHOWN], Line(f"… {rest}", "gap")]
    return [Line(cut(line.text, LONGEST_LINE), line.mark) for line in result]


def side(name: str, answer: dict[str, Any] | None, other: dict[str, Any] | None) -> Side:
    """Tells one side's answer, with what differs from the other side's marked."""
    if answer is None:
        return Side(name, "not asked", "was not asked", [], "")
    kind = answer["answer"]
    words = {
        "shown": "" if name in PLACES else "answered",
        "refused": "raised an error" + (f" in {answer['frame']}" if answer.get("frame") else ""),
        "crashed": f"died of {answer.get('signal', 'a signal')}",
        "timed out": "did not answer in time",
        "absent": "nothing" if name in PLACES else "has no such thing",
    }[kind]
    comparable = other is not None and other["answer"] == kind
    lines, others = answer_lines(answer), answer_lines(other) if comparable else []
    if max(len(lines), len(others)) > LINES_COMPARED:
        others = []
    return Side(name, kind, words, marked(lines, others), answer.get("stacks") or "")


def sides(finding: Finding) -> list[Side]:
    """Tells the answers of a finding, the right one first; it is left out if there is none."""
    oracle, right, wrong = finding["oracle"], finding["parent"], finding["child"]
    whose: str = finding.get("side", "child")
    if whose == "returned" and finding["case"].get("comes_back") == "grandchild":
        whose = "Grandchild"
    first = FIRST_SIDE.get(oracle, "Should be" if whose == "parent" else "Parent")
    second = SECOND_SIDE.get(oracle, WRONG_SIDE.get(whose, whose))
    if oracle == "stores agree":
        second = store_name(finding["store"])
    told = [side(first, right, wrong), side(second, wrong, right)]
    silent = right is None or right["answer"] == "absent"
    broken = wrong is not None and wrong["answer"] in ("refused", "crashed", "timed out")
    return told[1:] if silent and broken else told


def order(names: Iterable[str], plainest: list[str]) -> list[str]:
    """Sorts names as in `plainest`; those not in it follow by the alphabet."""
    known = {name: place for place, name in enumerate(plainest)}
    return sorted(set(names), key=lambda name: (known.get(name, len(known)), name))


def seen_grid(finding: Finding) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Gives where a finding was seen: the transports, then carriers with a cell for each."""
    own = (finding["carrier"], finding["transport"])
    cells = {own: "this case"}
    for seen in finding["seen_on"]:
        took = seen.get("seconds")
        text = "seen" if took is None else seconds(took)
        cells.setdefault((seen["carrier"], seen["transport"]), text)
    transports = order((transport for _, transport in cells), TRANSPORTS)
    carriers = order((carrier for carrier, _ in cells), CARRIERS)
    rows = [(name, [cells.get((name, way), "") for way in transports]) for name in carriers]
    return transports, rows


def release_key(release: str) -> list[tuple[int, int, str]]:
    """Sorts releases by their numbers, 3.10 after 3.9."""
    parts = re.findall(r"\d{1,9}|[^\d.]+", release)
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]


def plays_other_interface(finding: dict) -> bool:
    """True if a finding of zarr 3 is also seen in zarr 2, which its script cannot run in."""
    first = (finding["releases"] or {}).get("first_bad") or ""
    return first.startswith("2.") and not finding["subject"].startswith("2.")


def release_spans(finding: Finding) -> list[tuple[str, str]]:
    """Gives (releases, verdict) from old to new; neighbours of one verdict are one span."""
    table = (finding["releases"] or {}).get("table", {})
    spans = []
    for word, group in groupby(sorted(table, key=release_key), key=lambda name: table[name]):
        names = list(group)
        spans.append((names[0] if len(names) == 1 else f"{names[0]} – {names[-1]}", word))
    return spans


def commands(run: Run, finding: Finding, folder: str = "") -> list[Row]:
    """Gives the shell commands that show a finding, each with what to expect of it.

    That is its repro.py, or for one that was not followed yet, its case.
    """
    if any(finding is one for one in run.seen):
        line = shlex.quote(f'"fingerprint":"{finding["fingerprint"]}"')
        subject = run.about["subject"]
        zarr = shlex.quote(cut(subject["path"] or subject["release"] or "newest", 300))
        replay = f"storefuzz replay case.json --zarr {zarr}"
        code = f"grep -m1 -F {line} seen.jsonl >case.json; {replay}"
        return [Row("plays it again", "exits 1 if it shows", code)]
    path = run.about["subject"]["path"]
    script = shlex.quote(f"{folder}repro.py")

    def command(package: str) -> str:
        return f"uv run --with {shlex.quote(cut(package, 300))} {script}"

    here = command(path) if path else command(f"zarr=={finding['subject']}")
    rows = [Row("shows it", "exits 1 after printing DEFECT", here)]
    good = (finding["releases"] or {}).get("first_good")
    if good:
        rows.append(Row("shows it gone", "exits 0 after printing gone", command(f"zarr=={good}")))
    return rows
