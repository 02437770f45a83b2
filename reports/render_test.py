"""Tests of the pages: true to the run, safe with hostile text, clear about broken input."""

import copy
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import render
import run_directory
import stores
import telling

HERE = Path(__file__).parent
FINDING_SCHEMA = json.loads((HERE / "finding.schema.json").read_text("utf-8"))
RUN_SCHEMA = json.loads((HERE / "run.schema.json").read_text("utf-8"))
HOSTILE = (
    "</style></pre><script>alert(1)</script> <img src=http://evil.example/x> `a` ``` | x | "
    "[l](http://evil.example) ![i](http://evil.example) **b** @someone {{ 7*7 }} "
    "\x00\x1b[31m\r\n\n# title\n\ud800 \udfff\u202e\u2028' \" onload=x"
)


def a_run(**changes: Any) -> dict[str, Any]:
    """Makes a run.json that found nothing."""
    return {
        "storefuzz": "0.1.0",
        "command": "storefuzz run --zarr 3.0.1 --time 60s",
        "started": "2026-11-23T23:00:00Z",
        "subject": {"release": "3.0.1", "path": None},
        "python": "3.13.0",
        "platform": "Linux 6.1 x86_64",
        "targets": ["store_journey"],
        "stores": ["zip", "logging over local"],
        "skipped": {"icechunk fork": "icechunk is not installed"},
        "packages": {"obstore": "0.12.1", "fsspec": "2026.9.0"},
        "seed": 1,
        "jobs": 1,
        "time": 60.0,
        "seconds": 60.1,
        "finish_seconds": 30.2,
        "executions": 91234,
        "executions_per_second": 1518.0,
        "coverage": {"lines": 412, "of": 630},
        "transports": {
            "fork": {"cases": 804, "seconds": 9.1},
            "same process": {"cases": 70230, "seconds": 31.0},
            "spawn": {"cases": 20200, "seconds": 20.0},
        },
        "arrived": 0.93,
        "quirks": {"zip-lock-is-new": 8123, "zip-_zf-until-first-use": 12},
        "self_proof": {"planted": "zip forgets path", "found": True, "seconds": 3.1},
        "containment": "Landlock ABI 7",
        "restarts": 0,
        "interrupted": False,
        "findings": 0,
        "unconfirmed": 0,
        **changes,
    }


def a_case(**changes: Any) -> dict[str, Any]:
    """Makes a case that reads one key of a zip archive after unpickling."""
    return {
        "store": "zip",
        "archive": {
            "entries": [{"key": "zarr.json", "value": '{"zarr_format": 3}', "repeat": 1}],
            "compression": "stored",
        },
        "constructor": {
            "path": "absolute",
            "mode": "r",
            "read_only": None,
            "compression": "stored",
            "allowZip64": True,
        },
        "operations": [{"do": "set", "key": "a", "value": "x", "repeat": 3}],
        "lifecycle": "open",
        "parent": "warm",
        "driver": "loop",
        "looks": ["state", "reads"],
        "carrier": "pickle 5",
        "transport": "spawn",
        "comes_back": "nothing",
        **changes,
    }


# A case whose journey says all there is to say.
A_LONG_WAY = {
    **{"cargo": "list", "twice": True, "pool": "LocalCluster", "meanwhile": "closes"},
    **{"surroundings": "other config", "comes_back": "grandchild", "twin": True},
}


def a_finding(**changes: Any) -> dict[str, Any]:
    """Makes the finding the project was born from."""
    return {
        "fingerprint": "zip-attributes-_read_only-lost",
        "cause": "_read_only is lost",
        "oracle": "attributes",
        "store": "zip",
        "field": "_read_only",
        "class": "lost",
        "subject": "3.0.1",
        "headline": "`_read_only` is lost when a ZipStore is pickled",
        "carrier": "pickle 5",
        "transport": "same process",
        "seen_on": [
            {"carrier": "pickle 2", "transport": "spawn", "seconds": 1.2},
            {"carrier": "deepcopy", "transport": "same process", "seconds": 2.5},
            {"carrier": "pickle 5", "transport": "fork", "seconds": None},
        ],
        "case": a_case(),
        "parent": {
            "answer": "shown",
            "value": {"_is_open": True, "_read_only": True, "compression": 0, "mode": "r"},
        },
        "child": {
            "answer": "shown",
            "value": {"_is_open": True, "compression": 0, "mode": "r"},
        },
        "confirmed": True,
        "known": None,
        "executions_to_find": 12,
        "seconds_to_find": 0.4,
        "count": 512,
        "security": None,
        "releases": {
            "first_bad": "3.0.0",
            "last_bad": "3.0.1",
            "first_good": "3.0.2",
            "sentence": "bad in 3.0.0 – 3.0.1, good from 3.0.2",
            "table": {
                "3.0.2": "good",
                "3.0.10": "good",
                "3.0.0": "bad",
                "3.0.1": "bad",
                "2.18.0": "not applicable",
            },
        },
        "symptoms": ["`set` raises AttributeError", "`open_array` raises AttributeError"],
        **changes,
    }


def a_hang(**changes: Any) -> dict[str, Any]:
    """Makes a finding whose child never answered."""
    stacks = 'Thread 0x1 (most recent call first):\n  File "zarr/core/sync.py", line 142 in sync'
    return a_finding(
        **{
            "fingerprint": "zip-deadline-open_array-hangs",
            "cause": "zarr's event loop does not exist in a forked child",
            "oracle": "deadline",
            "field": "open_array",
            "class": "hangs",
            "headline": "`open_array` hangs in a forked child of a warm parent",
            "transport": "fork",
            "seen_on": [],
            "case": a_case(transport="fork", operations=[]),
            "child": {"answer": "timed out", "stacks": stacks},
            "executions_to_find": 900,
            "symptoms": [],
            **changes,
        }
    )


def write_run(
    folder: Path,
    findings: list[dict[str, Any]] | None = None,
    unconfirmed: list[dict[str, Any]] | None = None,
    repro: str = 'print("gone")\n',
    **about: Any,
) -> Path:
    """Writes a run directory, its counts agreeing with its lines."""
    findings, unconfirmed = findings or [], unconfirmed or []
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"findings": len(findings), "unconfirmed": len(unconfirmed)}
    (folder / "run.json").write_text(json.dumps(a_run(**{**counts, **about})))
    for name, lines in (("findings", findings), ("unconfirmed", unconfirmed)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text)
    for finding in [*findings, *unconfirmed]:
        own = folder / "findings" / finding["fingerprint"]
        own.mkdir(parents=True, exist_ok=True)
        (own / "repro.py").write_text(repro)
    return folder


def draw(folder: Path) -> tuple[str, str]:
    """Draws the pages; gives index.html and summary.md."""
    assert render.main([str(folder)]) == 0
    return (folder / "index.html").read_text("utf-8"), (folder / "summary.md").read_text("utf-8")


class Page(HTMLParser):
    """Collects the elements of a page, and checks that they are closed in order."""

    VOID = ("meta", "link", "img", "br", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += "" if tag in ("b", "code", "a") else " "
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def readable(html: str) -> str:
    """Gives the text of a page on one line."""
    return " ".join(Page(html).text.split())


def fault_of(value: Any, schema: dict[str, Any]) -> bool:
    """Tells whether our own checker refuses a value."""
    return run_directory.first_fault(value, schema, schema, "") is not None


def validator(schema: dict[str, Any]) -> Any:
    """Makes the validator of a schema, the schema itself checked."""
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


ANSWERS: list[Any] = [
    {"answer": "shown", "value": None},
    {"answer": "refused", "type": "KeyError", "text": "a"},
    {"answer": "crashed", "signal": "SIGSEGV", "stacks": "x"},
    {"answer": "timed out", "stacks": "x"},
    {"answer": "absent"},
    None,
]


@pytest.mark.parametrize(
    "line",
    [
        a_finding(),
        a_hang(),
        a_finding(confirmed=False, why="It needed the parent's memory."),
        a_finding(known={"id": "x", "link": None, "reason": "told"}, releases=None, more=1),
        a_finding(seen_as="logging-over-zip-attributes-_read_only-lost"),
        *(a_finding(parent=answer, child=answer) for answer in ANSWERS),
    ],
)
def test_sample_findings_fit_the_schema(line: dict[str, Any]) -> None:
    validator(FINDING_SCHEMA).validate(line)
    assert not fault_of(line, FINDING_SCHEMA)


def test_sample_runs_fit_the_schema() -> None:
    for run in (a_run(), a_run(coverage=None, self_proof=None, time=None, later={})):
        validator(RUN_SCHEMA).validate(run)
        assert not fault_of(run, RUN_SCHEMA)


def test_every_field_is_described() -> None:
    def walk(schema: Any) -> None:
        for name, part in schema.get("properties", {}).items():
            assert "description" in part, name
            walk(part)
            walk(part.get("items", {}))
            if isinstance(part.get("additionalProperties"), dict):
                walk(part["additionalProperties"])

    for schema in (FINDING_SCHEMA, RUN_SCHEMA, *FINDING_SCHEMA["$defs"].values()):
        walk({key: part for key, part in schema.items() if key != "if"})


@pytest.mark.parametrize(
    ("sample", "schema"), [(a_finding(), FINDING_SCHEMA), (a_run(), RUN_SCHEMA)]
)
def test_own_checker_refuses_what_the_schema_refuses(
    sample: dict[str, Any], schema: dict[str, Any]
) -> None:
    checker = validator(schema)
    refused = 0
    for key in sample:
        without = {name: value for name, value in sample.items() if name != key}
        assert not checker.is_valid(without), key
        assert fault_of(without, schema), key
        for wrong in (None, True, "text", 1, 1.5, [], ["x"], {}, {"x": "y"}, [{}]):
            changed = {**sample, key: wrong}
            assert fault_of(changed, schema) is not checker.is_valid(changed), (key, wrong)
            refused += not checker.is_valid(changed)
    assert refused > 50


@pytest.mark.parametrize("bad", ["", "../x", "a/b", ".hidden", "a\n", "a b", "x" * 300])
def test_a_fingerprint_is_a_safe_folder_name(bad: str) -> None:
    assert fault_of(a_finding(fingerprint=bad), FINDING_SCHEMA)
    assert not validator(FINDING_SCHEMA).is_valid(a_finding(fingerprint=bad))


def test_the_page_tells_a_finding(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [a_finding(), a_hang()], repro="print('<here>')")
    html, summary = draw(folder)
    text = readable(html)
    for told in (
        "2 causes, 2 findings in zarr 3.0.1; all confirmed.",
        "23 November 2026, 23:00 UTC",
        "91,234",
        "1,518 a second; 93 % went all the way",
        "65 % 412 of 630 lines",
        "planted loss found",
        "_read_only is lost when a ZipStore is pickled",
        "bad in 3.0.0 – 3.0.1, good from 3.0.2",
        "3.0.0 – 3.0.1 bad",
        "3.0.2 – 3.0.10 good",
        "uv run --with zarr==3.0.1 findings/zip-attributes-_read_only-lost/repro.py",
        "uv run --with zarr==3.0.2 findings/zip-attributes-_read_only-lost/repro.py",
        "print('<here>')",
        'ZipStore zarr.storage.ZipStore(os.path.abspath("store.zip"), mode="r")',
        "set('a', 'x' * 3)",
        "Seen in 512 cases, first after 12 cases, 0.4 s into the fuzzing.",
        "did not answer in time",
        "zarr/core/sync.py",
        "2 symptoms",
    ):
        assert told in text, told
    assert '<span class="differs">  &#34;_read_only&#34;: true,</span>' in html
    assert "2 causes, 2 findings in zarr 3.0.1; all confirmed." in summary
    row = next(line for line in summary.splitlines() if line.startswith(r"| \_read\_only"))
    assert row == (
        r"| \_read\_only is lost | `_read_only` is lost when a ZipStore is pickled | ZipStore: "
        "pickle, protocol 5; in a freshly spawned interpreter | bad in 3.0.0 – 3.0.1, good from "
        "3.0.2 | `findings/zip-attributes-_read_only-lost/repro.py` |"
    )
    readme = (folder / "findings" / a_finding()["fingerprint"] / "README.md").read_text("utf-8")
    assert readme.startswith("# `_read_only` is lost when a ZipStore is pickled\n")
    assert "```sh\nuv run --with zarr==3.0.1 repro.py\n```" in readme
    assert "Releases: bad in 3.0.0 – 3.0.1, good from 3.0.2." in readme
    assert "- **Arrives:** in a freshly spawned interpreter" in readme
    assert not list(folder.rglob("*.part"))


def test_causes_are_counted_not_findings(tmp_path: Path) -> None:
    known = {"id": "hang", "link": "https://example.org/1", "reason": "told"}
    findings = [
        a_hang(),
        a_finding(fingerprint="one", executions_to_find=50),
        a_finding(fingerprint="two", executions_to_find=5),
        a_finding(fingerprint="three", cause="the archive is emptied", security="It empties."),
        a_hang(fingerprint="four", cause="an old one", known=known),
    ]
    loose = a_finding(fingerprint="five", confirmed=False, why="It came and went.")
    html, summary = draw(write_run(tmp_path, findings, [loose]))
    sentence = (
        "3 causes, 4 findings in zarr 3.0.1; 1 more could not be confirmed; "
        "1 known cause seen again."
    )
    assert sentence in readable(html)
    assert sentence in summary
    sections = [a["id"] for tag, a in Page(html).elements if tag == "section" and "id" in a]
    assert sections == [
        "cause-three",
        "cause-two",
        "cause-zip-deadline-open_array-hangs",
        "cause-four",
    ]
    assert "It came and went." in readable(html)
    assert summary.count("repro.py") == 4
    ids = [a["id"] for _, a in Page(html).elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] for tag, a in Page(html).elements if tag == "a"]
    assert {link[1:] for link in links if link and link[0] == "#"} <= set(ids)


@pytest.mark.parametrize(
    ("about", "sentence", "tone"),
    [
        (
            {},
            "Nothing found in zarr 3.0.1, and the planted loss was found, so the run could see.",
            "clean",
        ),
        (
            {"self_proof": {"planted": "p", "found": False}},
            "Nothing found in zarr 3.0.1, but the planted loss was missed: this run may be blind.",
            "blind",
        ),
        (
            {"self_proof": None},
            "Nothing found in zarr 3.0.1, but no planted loss was tried: this run may be blind.",
            "blind",
        ),
        (
            {"executions": 0, "transports": {}, "quirks": {}},
            "Nothing found in zarr 3.0.1, because no case was run.",
            "blind",
        ),
        (
            {"subject": {"release": "3.5.0.dev1", "path": "checkouts/zarr"}},
            "Nothing found in zarr 3.5.0.dev1 from checkouts/zarr, and the planted loss was found",
            "clean",
        ),
    ],
)
def test_a_page_without_findings(
    tmp_path: Path, about: dict[str, Any], sentence: str, tone: str
) -> None:
    html, summary = draw(write_run(tmp_path, **about))
    assert sentence in readable(html)
    assert f'class="verdict {tone}"' in html
    assert "<article" not in html
    assert "| cause |" not in summary


def test_a_run_that_counts_otherwise_says_so(tmp_path: Path) -> None:
    html, summary = draw(write_run(tmp_path, findings=[], interrupted=True, unconfirmed=[]))
    assert "interrupted after 60 s" in readable(html)
    assert "interrupted after 60 s" in summary
    (tmp_path / "run.json").write_text(json.dumps(a_run(findings=3)))
    html, summary = draw(tmp_path)
    assert "run.json counts 3 findings, findings.jsonl holds 0." in readable(html)
    assert "run.json counts 3 findings" in summary


SEEN = {"confirmed": False, "why": "not followed yet", "releases": None}


def write_killed_run(folder: Path, **about: Any) -> Path:
    """Writes what a run leaves that was killed: one finding followed, one not, one half written."""
    confirmed = a_hang(fingerprint="zip-deadline-fork", seen_as="zip-deadline-wrapped")
    write_run(folder, [confirmed])
    (folder / "run.json").write_text(json.dumps(a_run(**{"ended": None, **about})))
    seen = [a_finding(**SEEN), a_hang(fingerprint="zip-deadline-wrapped", **SEEN)]
    half = json.dumps(a_finding(fingerprint="half", **SEEN))[:-40]
    text = "".join(json.dumps(line) + "\n" for line in seen) + half
    (folder / "seen.jsonl").write_text(text)
    with (folder / "unconfirmed.jsonl").open("a") as file:
        file.write(half)
    return folder


def test_a_killed_run_shows_what_it_had_seen(tmp_path: Path) -> None:
    html, summary = draw(write_killed_run(tmp_path))
    sentence = (
        "The run of zarr 3.0.1 goes on, or was killed before it ended; 1 cause confirmed, "
        "1 finding seen and not followed yet."
    )
    for text in (readable(html), summary):
        assert sentence in text
        assert "run.json counts" not in text
    assert "Seen, and not followed yet: 1" in readable(html)
    ids = [attributes.get("id") for tag, attributes in Page(html).elements if tag == "article"]
    assert ids == ["zip-deadline-fork", "zip-attributes-_read_only-lost"]
    assert "seen.jsonl >case.json; storefuzz replay case.json --zarr 3.0.1" in readable(html)


def test_what_a_killed_run_had_seen_is_no_all_clear(tmp_path: Path) -> None:
    write_killed_run(tmp_path)
    for name in ("findings.jsonl", "unconfirmed.jsonl"):
        (tmp_path / name).write_text("")
    html, _ = draw(tmp_path)
    assert "nothing new confirmed, 2 findings seen and not followed yet." in readable(html)
    assert 'class="verdict blind"' in html
    assert "No confirmed difference to report" in html


def test_a_run_that_followed_nothing_is_no_all_clear(tmp_path: Path) -> None:
    write_run(tmp_path, ended="2026-11-23T23:01:00Z")
    (tmp_path / "seen.jsonl").write_text(json.dumps(a_finding(**SEEN)) + "\n")
    html, _ = draw(tmp_path)
    assert "only measured when it saw what; nothing new confirmed, 1 finding seen" in readable(html)
    assert 'class="verdict blind"' in html


def test_half_a_line_of_a_run_that_ended_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_killed_run(tmp_path, ended="2026-11-23T23:01:00Z")
    assert render.main([str(folder)]) == 2
    assert "unconfirmed.jsonl, line 1, is not JSON" in capsys.readouterr().err


def test_troubles_come_before_the_verdict(tmp_path: Path) -> None:
    trouble = "3 of 400 cases could not be played, by a fault of storefuzz: <side.py> failed"
    html, summary = draw(write_run(tmp_path, troubles=[trouble], ended="x", failed=None))
    page = readable(html)
    assert page.index(trouble) < page.index("Nothing found in zarr 3.0.1, and the planted loss")
    assert 'class="verdict clean"' in html
    shown = summary.index("3 of 400 cases could not be played")
    assert shown < summary.index("Nothing found in zarr 3.0.1")


@pytest.mark.parametrize(("findings", "tone"), [([], "blind"), ([a_hang()], "found")])
def test_a_run_that_failed_is_no_all_clear(
    tmp_path: Path, findings: list[dict[str, Any]], tone: str
) -> None:
    failed = "more than 2 % of its cases were lost"
    html, summary = draw(write_run(tmp_path, findings, ended="x", failed=failed))
    for text in (readable(html), summary):
        assert f"The run of zarr 3.0.1 is no all-clear: {failed}; " in text
        assert "the run could see" not in text
    assert f'class="verdict {tone}"' in html


# What is written beside its place goes to a disk that is always full.
def test_a_full_disk_is_a_fault_of_the_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path)
    (tmp_path / f".summary.md.{os.getpid()}.part").symlink_to("/dev/full")
    assert render.main([str(tmp_path)]) == 3
    assert capsys.readouterr().err.endswith("No space left on device.\n")


def test_known_findings_alone_are_not_news(tmp_path: Path) -> None:
    known = {"id": "hang", "link": "https://example.org/1", "reason": "told"}
    html, summary = draw(write_run(tmp_path, [a_hang(known=known)]))
    sentence = (
        "Nothing new found in zarr 3.0.1, and the planted loss was found, so the run could see; "
        "1 known cause seen again."
    )
    assert sentence in readable(html)
    assert sentence in summary
    assert 'class="verdict clean"' in html
    assert "Known, seen again: `open_array` hangs" in summary


def test_a_missed_planted_loss_is_told_beside_findings(tmp_path: Path) -> None:
    proof = {"planted": "zip forgets path", "found": False}
    html, _ = draw(write_run(tmp_path, [a_hang()], self_proof=proof))
    assert "The planted loss zip forgets path was missed" in readable(html)


def hostile(value: Any) -> Any:
    """Puts hostile text wherever a sample has free text."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, list):
        return [hostile(item) for item in value]
    if isinstance(value, dict):
        fixed = ("fingerprint", "answer")
        return {k: v if k in fixed else hostile(v) for k, v in value.items()}
    return value


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    known = {"id": "x", "link": "javascript:alert(1)", "reason": "x"}
    findings = [
        hostile(a_finding(known=known)),
        hostile(a_hang(security="yes")),
        hostile(a_finding(fingerprint="w", case={**a_case(**A_LONG_WAY), HOSTILE: HOSTILE})),
    ]
    findings[2]["releases"]["table"] = {HOSTILE: HOSTILE}
    loose = hostile(a_finding(fingerprint="loose", why="x"))
    about = hostile(a_run(quirks={}, transports={}))
    about |= {"quirks": {HOSTILE: 1}, "transports": {HOSTILE: {"cases": 1, "seconds": 1.0}}}
    about |= {"skipped": {HOSTILE: HOSTILE}, "packages": {HOSTILE: HOSTILE}}
    del about["findings"], about["unconfirmed"]
    html, summary = draw(
        write_run(tmp_path, findings, [{**loose, "confirmed": False}], repro="</pre>```", **about)
    )
    page = Page(html)
    assert {tag for tag, _ in page.elements}.isdisjoint(
        {"script", "img", "iframe", "link", "object"}
    )
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    readmes = [path.read_text("utf-8") for path in tmp_path.rglob("README.md")]
    assert len(readmes) == 4
    for text in (html, summary, *readmes):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]", text)
    table = [line for line in summary.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 2
    for line in table:
        assert len(re.findall(r"(?<!\\)\|", line)) == 6
    for text in (summary, *readmes):
        prose = re.sub(r"(?s)^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE)
        prose = re.sub(r"(?s)(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", prose)
        assert not re.search(r"<(?!/?code>)[a-z/!]", prose)
        assert not re.search(r"[^\\]\]\(|http://|(?m:^# title)", prose)


def test_huge_and_deep_values_are_cut(tmp_path: Path) -> None:
    deep: Any = "end"
    for _ in range(300):
        deep = [deep]
    findings = [
        a_finding(
            parent={"answer": "shown", "value": "x" * 1_000_000},
            child={"answer": "shown", "value": "x" * 999_999 + "y"},
            case=a_case(operations=[{"do": "set", "key": "k", "value": "v" * 1_000_000}]),
        ),
        a_hang(
            parent={"answer": "refused", "type": "E", "text": "t" * 1_000_000},
            child={"answer": "timed out", "stacks": "s\n" * 1_000_000},
        ),
        a_finding(
            fingerprint="wide",
            parent={"answer": "shown", "value": list(range(50_000))},
            child={"answer": "shown", "value": deep},
            symptoms=["|" * 1_000_000],
            headline="h" * 1_000_000,
        ),
    ]
    findings += [a_finding(fingerprint=f"f{n}", cause="`|" * 100_000) for n in range(80)]
    html, summary = draw(write_run(tmp_path, findings, repro="#" * 1_000_000))
    assert len(summary.encode()) < 200_000
    assert "33 more findings in index.html" in summary
    assert "1,000,000 characters in all" in html
    digests = set(re.findall(r"1,000,000 characters in all, sha256 (\w{8})", html))
    assert len(digests) >= 5
    assert "more lines" in html
    assert "nested deeper" in html
    for path in tmp_path.rglob("README.md"):
        assert path.stat().st_size < 100_000


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    known = {"id": "x", "link": "https://example.org/issues/1", "reason": "told"}
    html, _ = draw(write_run(tmp_path, [a_finding(), a_hang(known=known)]))
    page = Page(html)
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "img", "iframe")
        assert not {"src", "srcset", "action", "style"} & set(attributes)
        if tag == "a":
            assert attributes["href"] == known["link"] or str(attributes["href"]).startswith("#")
    assert not re.search(r"url\(|@import", html)
    policy = next(a for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    findings = [a_finding(), a_hang(), a_finding(fingerprint="other", executions_to_find=12)]
    first = draw(write_run(tmp_path / "a", findings))
    assert draw(tmp_path / "a") == first
    about = {"transports": dict(reversed(a_run()["transports"].items()))}
    assert draw(write_run(tmp_path / "b", findings[::-1], **about)) == first


def broken_line(folder: Path, line: str) -> None:
    """Makes `line` the second of findings.jsonl."""
    path = folder / "findings.jsonl"
    path.write_text(f"{json.dumps(a_finding())}\n{line}\n")


def without(key: str) -> str:
    """Gives a finding's line without one field."""
    return json.dumps({k: v for k, v in a_finding(fingerprint="b").items() if k != key})


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "is not JSON: "),
        ("[1]", "does not fit finding.schema.json: it is not of type object."),
        ("[" * 100_000, "is not JSON: "),
        (without("cause"), "does not fit finding.schema.json: cause is missing."),
        (
            json.dumps(a_finding(fingerprint="b", seen_on=[{"carrier": 1}])),
            "does not fit finding.schema.json: seen_on[0].transport is missing.",
        ),
        (
            json.dumps(a_finding(fingerprint="b", parent={"answer": "maybe"})),
            "parent.answer is none",
        ),
        (json.dumps(a_finding(fingerprint="../../x")), "fingerprint does not match"),
        (
            json.dumps(a_finding()),
            "repeats the fingerprint zip-attributes-_read_only-lost of line 1.",
        ),
        (json.dumps(a_finding(fingerprint="b", confirmed=False, why="x")), "must be confirmed."),
    ],
)
def test_a_broken_line_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    write_run(tmp_path)
    broken_line(tmp_path, line)
    assert render.main([str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"report: {tmp_path / 'findings.jsonl'}, line 2, ")
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "index.html").exists()


def test_a_missing_or_broken_run_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def error_of(folder: Path) -> str:
        assert render.main([str(folder)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert error.endswith(".\n")
        return error

    assert f"{tmp_path / 'no'} is not a directory." in error_of(tmp_path / "no")
    assert "is no complete run directory: run.json: No such file" in error_of(tmp_path)
    for name in ("findings.jsonl", "unconfirmed.jsonl"):
        folder = write_run(tmp_path / name)
        (folder / name).unlink()
        assert f"is no complete run directory: {name}: No such file" in error_of(folder)
    folder = write_run(tmp_path / "bytes")
    (folder / "findings.jsonl").write_bytes(b"\xff\n")
    assert "findings.jsonl, line 1, is not UTF-8" in error_of(folder)
    (folder / "run.json").write_text("{}")
    assert "run.json does not fit run.schema.json: storefuzz is missing." in error_of(folder)
    folder = write_run(tmp_path / "taken")
    (folder / "index.html").mkdir()
    assert "cannot write into" in error_of(folder)


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("other", ANSWERS)
def test_every_pair_of_answers_is_drawn(
    tmp_path: Path, answer: dict[str, Any] | None, other: dict[str, Any] | None
) -> None:
    finding = a_finding(parent=answer, child=other)
    html, _ = draw(write_run(tmp_path, [finding]))
    for side in telling.sides(finding):
        assert f"{side.name} {side.words}" in readable(html)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["Parent answered", "Child answered"]),
        ({"side": "returned"}, ["Parent answered", "Parent, of what came back answered"]),
        ({"oracle": "on disk"}, ["Before ", "After "]),
        ({"oracle": "parent intact"}, ["Parent, before answered", "Parent, after answered"]),
        ({"oracle": "expectation", "side": "child"}, ["Should be ", "Child answered"]),
        (
            {"oracle": "stores agree", "side": "parent", "store": "logging over zip file"},
            ["MemoryStore answered", "LoggingStore over ZipStore (zip file) answered"],
        ),
        (
            {"side": "returned", "case": a_case(comes_back="grandchild")},
            ["Parent answered", "Grandchild answered"],
        ),
        (
            {"side": "parent", "parent": ANSWERS[4], "child": {**ANSWERS[1], "frame": "_zip.get"}},
            ["Parent raised an error in _zip.get"],
        ),
    ],
)
def test_the_sides_are_named_for_what_they_are(changes: dict[str, Any], names: list[str]) -> None:
    sides = telling.sides(a_finding(**changes))
    assert [f"{side.name} {side.words}" for side in sides] == names


def test_a_case_of_the_future_is_still_told(tmp_path: Path) -> None:
    case = {"store": "logging over tape", "constructor": {"mode": "a", "speed": 2}}
    case |= {"carrier": "pigeon", "cargo": "letter", "transport": "radio", "meanwhile": "sings"}
    case |= {"lifecycle": "worn", "comes_back": "echo", "weather": ["rain"]}
    finding = a_finding(case=case, store="logging over tape", carrier="pigeon", releases=None)
    text = readable(draw(write_run(tmp_path, [finding]))[0])
    for told in (
        *("pigeon; letter", "radio", "sings", "worn", "echo", "['rain']", "Not tried on other"),
        "LoggingStore over tape",
        'LoggingStore(tape(os.path.abspath("store"), mode="a", speed=2), log_level="CRITICAL")',
    ):
        assert told in text, told


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("zip", "ZipStore"),
        ("zip file", "ZipStore (zip file)"),
        ("managed memory", "ManagedMemoryStore"),
        ("fsspec zip", "FsspecStore (fsspec zip)"),
        ("logging over zip", "LoggingStore over ZipStore"),
        ("path over object local", "StorePath over ObjectStore (object local)"),
        ("cache over tape", "CacheStore over tape"),
        ("tape", "tape"),
    ],
)
def test_stores_are_named_by_their_types(word: str, name: str) -> None:
    assert stores.store_name(word) == name


@pytest.mark.parametrize(
    ("store", "made", "call"),
    [
        (
            "zip",
            {"mode": "w", "compression": "deflated", "allowZip64": False, "read_only": False},
            'zarr.storage.ZipStore(os.path.abspath("store.zip"), mode="w", '
            "compression=zipfile.ZIP_DEFLATED, allowZip64=False, read_only=False)",
        ),
        ("local", {"path": "relative", "mode": "a"}, 'zarr.storage.LocalStore("store")'),
        ("memory", {"read_only": False}, "zarr.storage.MemoryStore()"),
        ("memory", {"read_only": True}, "zarr.storage.MemoryStore(read_only=True)"),
        (
            "wrapper over path over fsspec memory",
            {"read_only": True},
            "zarr.storage.WrapperStore(zarr.storage.StorePath("
            'zarr.storage.FsspecStore.from_url("memory://store", read_only=True)))',
        ),
        (
            "zip file",
            {"path": "relative", "mode": "a"},
            'zarr.storage.ZipStore(open("store.zip", "r+b"), mode="a")',
        ),
        (
            "zip file",
            {"mode": "x"},
            'zarr.storage.ZipStore(open(os.path.abspath("store.zip"), "x+b"), mode="x")',
        ),
    ],
)
def test_the_call_that_makes_the_store_is_that_of_a_script(
    store: str, made: dict[str, Any], call: str
) -> None:
    assert stores.making(a_case(store=store, constructor=made)) == call


def test_a_file_that_is_not_there_yet_is_made() -> None:
    case = a_case(store="zip file", archive=None, constructor={"mode": "a"})
    assert '"w+b"' in stores.making(case)


def test_every_adapter_makes_a_call_without_holes() -> None:
    for kind, adapter in stores.ADAPTERS.items():
        if "{server}" in adapter["make"]:  # of programs, which are not drawn here yet
            continue
        word = f"{kind} over zip" if "{inner}" in adapter["make"] else kind
        assert not re.search(r"\{[a-z]+\}", stores.making(a_case(store=word))), kind


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"carrier": "cloudpickle"}, "cloudpickle; in a freshly"),
        ({"carrier": "forking pickler"}, "multiprocessing's ForkingPickler"),
        ({"carrier": "dask"}, "Dask's serialization"),
        ({"cargo": "list"}, "pickle, protocol 5; inside a list"),
        ({"cargo": "two references"}, "two references in one pickle"),
        ({"cargo": "group", "twice": True}, "inside a Group; carried twice"),
        ({"twice": False, "cargo": "store"}, "pickle, protocol 5; in a freshly"),
        ({"transport": "forkserver"}, "in a child of the fork server"),
        ({"pool": "ProcessPoolExecutor"}, "a ProcessPoolExecutor, which pickles by itself"),
        ({"pool": "multiprocessing.Pool"}, "a multiprocessing.Pool, which pickles by itself"),
        ({"pool": "ThreadPoolExecutor"}, "a ThreadPoolExecutor, which hands the object over"),
        ({"pool": "LocalCluster", "cargo": "dict"}, "serializes by itself; inside a dict"),
        ({"meanwhile": "closes"}, "the parent closes its store"),
        ({"meanwhile": "holds zarr's lock"}, "holds the lock of zarr's event loop"),
        ({"surroundings": "other directory"}, "the child works in another directory"),
        ({"surroundings": "other config"}, "the child has a zarr.config of its own"),
        ({"comes_back": "store"}, "the child sends the store back to the parent"),
        ({"comes_back": "grandchild"}, "the child sends the store on to a grandchild"),
    ],
)
def test_the_whole_journey_is_told_everywhere(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    case = a_case(**changes)
    finding = a_finding(case=case, carrier=case["carrier"], transport=case["transport"])
    validator(FINDING_SCHEMA).validate(finding)
    html, summary = draw(write_run(tmp_path, [finding]))
    assert told in telling.travels(case)
    assert telling.travels(case) in summary
    readme = next(tmp_path.rglob("README.md")).read_text("utf-8")
    for row in telling.travel_rows(case):
        assert f"{row.label} {row.words}" in readable(html)
        assert f"- **{row.label}:** {row.words}" in readme


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"lifecycle": "reopened"}, ("It travels", "closed and opened again", "")),
        ({"lifecycle": "used after close"}, ("It travels", "closed, then used once more", "")),
        ({"lifecycle": "inside with"}, ("It travels", "open, inside its with block", "")),
        (
            {"twin": True},
            ("Compared", "with a MemoryStore of the same content, asked the same", ""),
        ),
        ({"store": "wrapper over zip"}, ("On disk", "a zip archive, stored, with 1 key", "")),
        (
            {"operations": [{"do": "get range", "key": "a", "start": 1, "end": -2}]},
            ("Then", "", "get('a', RangeByteRequest(1, -2))"),
        ),
        (
            {"operations": [{"do": "get suffix", "key": "a", "start": 0}]},
            ("Then", "", "get('a', SuffixByteRequest(0))"),
        ),
        (
            {"operations": [{"do": "set if not exists", "key": "a", "value": "x"}]},
            ("Then", "", "set_if_not_exists('a', 'x')"),
        ),
        ({"operations": [{"do": "enter"}]}, ("Then", "", "__enter__()")),
    ],
)
def test_a_case_is_told_in_words(changes: dict[str, Any], row: tuple[str, str, str]) -> None:
    rows = telling.case_rows(a_case(**changes))
    assert row in rows
    told = {"twin", "twice", "pool", "cargo", "meanwhile", "surroundings", "comes_back"}
    assert told.isdisjoint(row.label for row in rows)


def test_nothing_lies_on_disk_of_a_store_in_memory() -> None:
    labels = [row.label for row in telling.case_rows(a_case(store="memory", archive=None))]
    assert "On disk" not in labels


def test_every_word_of_a_case_has_words_here() -> None:
    source = (HERE.parent / "harness" / "case" / "case.cc").read_text("utf-8")
    words: dict[str, list[str]] = {}
    for name, word in re.findall(r'Word<(\w+)>\{\w+::\w+,\s*"([^"]+)"\}', source):
        words.setdefault(name, []).append(word)
    on_the_way = {member: told for member, _, told in telling.ON_THE_WAY}
    assert set(words["Carrier"]) == set(telling.CARRIERS)
    assert set(words["Transport"]) == set(telling.TRANSPORT_WORDS)
    for name, told in {
        "Cargo": telling.CARGO_WORDS,
        "Pool": {**telling.POOLS, "none": ""},
        "Lifecycle": telling.LIFECYCLES,
        "Meanwhile": on_the_way["meanwhile"],
        "Surroundings": on_the_way["surroundings"],
        "ComesBack": on_the_way["comes_back"],
    }.items():
        assert set(words[name]) == set(told), name


def test_every_oracle_is_explained() -> None:
    source = (HERE.parent / "harness" / "journey" / "oracle.cc").read_text("utf-8")
    assert re.findall(r'^ +\{"([^"]+)", "', source, re.MULTILINE) == list(telling.ORACLES)


@pytest.mark.parametrize("member", ["cargo", "pool", "meanwhile", "surroundings", "twice", "twin"])
@pytest.mark.parametrize("wrong", [None, 1, [], {}, ["list"]])
def test_a_case_with_a_member_of_a_wrong_type_is_refused(member: str, wrong: Any) -> None:
    finding = a_finding(case=a_case(**{member: wrong}))
    assert not validator(FINDING_SCHEMA).is_valid(finding)
    assert fault_of(finding, FINDING_SCHEMA)


def test_the_names_of_carriers_are_plain_in_tags_and_tables(tmp_path: Path) -> None:
    seen = [{"carrier": "forking pickler", "transport": "forkserver", "seconds": 3.0}]
    case = a_case(carrier="dask", pool="LocalCluster")
    html, _ = draw(write_run(tmp_path, [a_finding(case=case, carrier="dask", seen_on=seen)]))
    text = readable(html)
    assert "carrier Dask's serialization transport same process pool LocalCluster" in text
    assert "multiprocessing's ForkingPickler 3.0 s" in text
    readme = next(tmp_path.rglob("README.md")).read_text("utf-8")
    assert "- multiprocessing's ForkingPickler, forkserver" in readme


def test_the_run_tells_what_it_had_and_how_fast_it_was(tmp_path: Path) -> None:
    html, summary = draw(write_run(tmp_path, [a_finding()]))
    for told in (
        "Stores ZipStore, LoggingStore over LocalStore 1 skipped, see below; store_journey",
        "Packages beside zarr fsspec 2026.9.0, obstore 0.12.1",
        "Stores that were skipped IcechunkStore (icechunk fork) icechunk is not installed",
        "time cases a second same process 70,230 31 s 2,265 spawn 20,200 20 s 1,010",
    ):
        assert told in readable(html), told
    readme = next(tmp_path.rglob("README.md")).read_text("utf-8")
    assert "Python 3.13.0, with fsspec 2026.9.0, obstore 0.12.1, by storefuzz 0.1.0." in readme
    for told in (
        "with fsspec 2026.9.0, obstore 0.12.1, storefuzz 0.1.0.",
        "\nCases a second: same process 2,265 (70,230 cases), spawn 1,010 (20,200 cases), "
        "fork 88 (804 cases).\n",
        "\nStores that were skipped: IcechunkStore (icechunk fork): icechunk is not installed.\n",
    ):
        assert told in summary, told


def test_a_run_that_lacked_nothing_says_nothing_of_it(tmp_path: Path) -> None:
    html, summary = draw(write_run(tmp_path, skipped={}, packages={}))
    assert "skipped" not in readable(html) + summary
    assert "Packages" not in readable(html)


def test_a_finding_that_no_release_shows_is_still_told(tmp_path: Path) -> None:
    releases = {"first_bad": None, "sentence": "bad nowhere", "table": {"3.0.1": "good"}}
    html, _ = draw(write_run(tmp_path, [a_finding(releases=releases)]))
    assert "bad nowhere" in readable(html)


def test_equal_stretches_are_left_out() -> None:
    parent = {"answer": "shown", "value": {f"key{n:02}": n for n in range(40)}}
    child = copy.deepcopy(parent)
    child["value"]["key20"] = "other"
    lines = telling.side("Child", child, parent).lines
    assert [line.text for line in lines if line.mark == "differs"] == ['  "key20": "other",']
    assert [line.text for line in lines if line.mark == "gap"] == [
        "… 17 equal lines",
        "… 16 equal lines",
    ]


def test_words_for_numbers() -> None:
    assert telling.counted(1, "cause") == "1 cause"
    assert [telling.seconds(value) for value in (0.04, 9.9, 61, 300, 302)] == [
        *("0.0 s", "9.9 s", "61 s", "5 min", "5 min 2 s"),
    ]
    assert [telling.percent(share) for share in (0, 0.0001, 0.5, 0.9999, 1)] == [
        *("0 %", "1 %", "50 %", "99 %", "100 %"),
    ]
    assert telling.moment("yesterday") == "yesterday"
    rates = [telling.rate(cases, took) for cases, took in ((0, 0), (5, 4), (40, 4), (9000, 1.5))]
    assert rates == ["–", "1.2", "10", "6,000"]


def test_markdown_code_cannot_leave_its_place() -> None:
    assert render.markdown_sentence("`a|b` c") == "<code>a&#124;b</code> c"
    assert render.markdown_code("a`b``c") == "``` a`b``c ```"
    assert render.markdown_block("x\n```\n# y\n````") == "`````\nx\n```\n# y\n````\n`````"
    assert render.markdown_sentence("_a_ `b` <c> d`") == r"\_a\_ \`b\` &lt;c\> d\`"


@pytest.mark.parametrize("arguments", [[], ["one", "two"]])
def test_arguments_that_make_no_sense(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert render.main(arguments) == 2
    assert capsys.readouterr().err == "report: render.py takes one run directory.\n"
