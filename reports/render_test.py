"""Tests of the pages: true to the run, safe with hostile text, clear about broken input."""

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
        "targets": ["program"],
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
        "quirks": {"zip-lock-is-new": 8123, "zip-_zf-until-first-use": 12},
        "self_proof": {"planted": "zip forgets path", "found": True, "seconds": 3.1},
        "containment": "Landlock ABI 7",
        "restarts": 0,
        "interrupted": False,
        "findings": 0,
        "unconfirmed": 0,
        **changes,
    }


def a_finding(**changes: Any) -> dict[str, Any]:
    """Makes the finding the project was born from."""
    return {
        "fingerprint": "attributes-lost-zip",
        "cause": "attributes / lost / read_only on zip / after pickle 5",
        "severity": 5,
        "journey": True,
        "question": False,
        "oracle": "attributes",
        "asks": "Is every attribute still there, with the same value?",
        "class": "lost",
        "headline": "`_read_only` is lost when a ZipStore is pickled",
        "store": "zip",
        "subject": "3.0.1",
        "rows": [
            ["should be", "True"],
            ["was", "AttributeError: 'ZipStore' object has no attribute '_read_only'"],
            ["needs a journey", "yes"],
        ],
        "steps": [
            "s0 = zip at z, mode 'r'",
            "s1 = s0 by pickle 5 in the same process",
            "→ s1.read_only",
        ],
        "stores": {},
        "stacks": "",
        "case": {"format": 2, "program": [{"make": "zip", "at": "z", "mode": "r", "as": "s0"}]},
        "script": True,
        "confirmed": True,
        "known": None,
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
        "seen_as": [],
        "count": 512,
        "executions_to_find": 12,
        "seconds_to_find": 0.4,
        **changes,
    }


def a_hang(**changes: Any) -> dict[str, Any]:
    """Makes a finding whose process never answered."""
    return a_finding(
        **{
            "fingerprint": "deadline-hangs-zip",
            "cause": "deadline / hangs / get on zip / in a fork",
            "severity": 4,
            "oracle": "deadline",
            "asks": "Does every call come back?",
            "class": "hangs",
            "headline": "`get` hangs in a forked process",
            "stacks": 'Thread 0x1:\n  File "zarr/core/sync.py", line 142 in sync',
            **changes,
        }
    )


def a_question(**changes: Any) -> dict[str, Any]:
    """Makes a difference between stores, of which none is wrong for sure."""
    return a_finding(
        **{
            "fingerprint": "stores-disagree-getsize",
            "severity": 7,
            "question": True,
            "store": "logging, memory",
            "stores": {"memory": "KeyError: 'a'", "logging": "0"},
            **changes,
        }
    )


KNOWN: dict[str, Any] = {
    "page": "zip-pickle",
    "link": "https://example.org/1",
    "reason": "It was told.",
}
OWN_PAGE = {
    "by": "page",
    "page": "zip-two-writers",
    "link": "reports/defects/zip-two-writers.md",
    "reason": "The second to close takes away what the first wrote.",
}
AGAINST = {"release": "3.4.2", "path": None}
PASSED = {
    "oracles": ["reads", "listing"],
    "carries": [
        {"carrier": "pickle 5", "transport": "spawn", "steps": 1200},
        {"carrier": "handed over", "transport": "fork", "steps": 30},
        {"carrier": "pickle 5", "transport": "here", "steps": 7},
    ],
}
SEEN = {"confirmed": False, "why": "not followed yet", "releases": None, "script": False}


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
        if not finding["script"]:
            continue
        own = folder / "findings" / finding["fingerprint"]
        own.mkdir(parents=True, exist_ok=True)
        (own / "repro.py").write_text(repro)
    return folder


def draw(folder: Path) -> tuple[str, str]:
    """Draws the pages; gives index.html and summary.md."""
    assert render.main([str(folder)]) == 0
    return (folder / "index.html").read_text("utf-8"), (folder / "summary.md").read_text("utf-8")


def draw_findings(folder: Path, findings: list[dict[str, Any]], **about: Any) -> "Page":
    """Draws the page of a run with these findings."""
    return Page(draw(write_run(folder, findings, **about))[0])


class Page(HTMLParser):
    """Collects the elements of a page, and checks that they are closed in order."""

    VOID = ("meta", "link", "img", "br", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        self.text = "".join(self.texts)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append("" if tag in ("b", "code", "a") else " ")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "script" not in self.open:
            self.texts.append(data)

    def of(self, name: str) -> list[dict[str, str | None]]:
        """Gives the attributes of every element with this tag or this class."""
        return [
            attributes
            for tag, attributes in self.elements
            if name == tag or name in (attributes.get("class") or "").split()
        ]

    def ids(self, name: str) -> list[str | None]:
        """Gives the ids of those elements, in the order of the page."""
        return [attributes.get("id") for attributes in self.of(name)]


def readable(html: str) -> str:
    """Gives the text of a page on one line."""
    return " ".join(Page(html).text.split())


def fault_of(value: Any, schema: dict[str, Any]) -> bool:
    """Tells whether our own checker refuses a value."""
    return run_directory.first_fault(value, schema) is not None


def validator(schema: dict[str, Any]) -> Any:
    """Makes the validator of a schema, the schema itself checked."""
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    "line",
    [
        a_finding(),
        a_hang(),
        a_question(),
        a_finding(confirmed=False, why="It needed the parent's memory."),
        a_finding(known=KNOWN, confirmed=False, releases=None, script=False, more=1),
        a_finding(known={**KNOWN, "link": None}, rows=[], steps=[], seen_as=["a", "b"]),
        a_finding(known=OWN_PAGE, confirmed=False, script=False),
    ],
)
def test_sample_findings_fit_the_schema(line: dict[str, Any]) -> None:
    validator(FINDING_SCHEMA).validate(line)
    assert not fault_of(line, FINDING_SCHEMA)


def test_sample_runs_fit_the_schema() -> None:
    more = {"budget_seconds": 60.0, "not_reached": 3, "later": {}, "passed": None, "stage": None}
    held = {
        **{"against": AGAINST, "passed": PASSED, "stage": "fuzzed"},
        "mended_here": [{"page": "", "headline": "x"}],
    }
    for run in (a_run(), a_run(coverage=None, self_proof=None, time=None, **more), a_run(**held)):
        validator(RUN_SCHEMA).validate(run)
        assert not fault_of(run, RUN_SCHEMA)


def test_what_is_neither_confirmed_nor_known_says_why() -> None:
    assert not validator(FINDING_SCHEMA).is_valid(a_finding(confirmed=False))


def test_every_field_is_described() -> None:
    def walk(schema: Any) -> None:
        for name, part in schema.get("properties", {}).items():
            assert "description" in part, name
            walk(part)
            walk(part.get("items", {}))
            if isinstance(part.get("additionalProperties"), dict):
                walk(part["additionalProperties"])

    for schema in (FINDING_SCHEMA, RUN_SCHEMA):
        walk({key: part for key, part in schema.items() if key != "if"})


WRONG: list[Any] = [
    *(None, True, "text", 0, 1, 1.5, 7, 8, [], ["x"], {}, {"x": "y"}, {"x": 1}, [{}]),
    *([["a", "b"]], [["a"]], [["a", "b", "c"]], [["a", 1]]),
]


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
        for wrong in WRONG:
            # The checker leaves to its caller that what is not confirmed says why.
            changed = {**sample, "why": "", key: wrong}
            assert fault_of(changed, schema) is not checker.is_valid(changed), (key, wrong)
            refused += not checker.is_valid(changed)
    assert refused > 100


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (a_finding(known={**KNOWN, "by": "rumour"}), FINDING_SCHEMA),
        (a_finding(known={**KNOWN, "by": "page\n"}), FINDING_SCHEMA),
        (a_run(stage="half"), RUN_SCHEMA),
        (a_run(against={"release": "3.4.2"}), RUN_SCHEMA),
        (a_run(mended_here=[{"page": "x"}]), RUN_SCHEMA),
        (a_run(passed={**PASSED, "carries": [{"carrier": "x"}]}), RUN_SCHEMA),
    ],
)
def test_what_does_not_fit_is_refused_by_both(value: Any, schema: dict[str, Any]) -> None:
    assert fault_of(value, schema)
    assert not validator(schema).is_valid(value)


@pytest.mark.parametrize("bad", ["", "../x", "a/b", ".hidden", "a\n", "a b", "x" * 300])
def test_a_fingerprint_is_a_safe_folder_name(bad: str) -> None:
    assert fault_of(a_finding(fingerprint=bad), FINDING_SCHEMA)
    assert not validator(FINDING_SCHEMA).is_valid(a_finding(fingerprint=bad))


def test_the_page_tells_a_finding(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [a_finding(), a_hang()], repro="print('<here>')")
    html, summary = draw(folder)
    text = readable(html)
    for told in (
        "2 new causes in zarr 3.0.1. 1 of severity 4, 1 of severity 5.",
        "23 November 2026, 23:00 UTC",
        "91,234",
        "1,518 a second",
        "65 % 412 of 630 lines",
        "planted loss found",
        "_read_only is lost when a ZipStore is pickled",
        "oracle attributes class lost store zip Is every attribute still there, with the same",
        "should be True was AttributeError: 'ZipStore' object has no attribute '_read_only'",
        "s0 = zip at z, mode 'r' s1 = s0 by pickle 5 in the same process → s1.read_only",
        "bad in 3.0.0 – 3.0.1, good from 3.0.2",
        "3.0.0 – 3.0.1 bad",
        "3.0.2 – 3.0.10 good",
        "uv run --with zarr==3.0.1 findings/attributes-lost-zip/repro.py",
        "uv run --with zarr==3.0.2 findings/attributes-lost-zip/repro.py",
        "print('<here>')",
        "attributes / lost / read_only on zip / after pickle 5. Seen in 512 cases, first after 12 "
        "cases, 0.4 s into the fuzzing.",
        "zarr/core/sync.py",
    ):
        assert told in text, told
    assert '<li class="wrong"><code>→ s1.read_only</code></li>' in html
    assert "2 new causes in zarr 3.0.1. 1 of severity 4, 1 of severity 5." in summary
    row = next(line for line in summary.splitlines() if line.startswith("| 5 |"))
    assert row == (
        "| 5 | `_read_only` is lost when a ZipStore is pickled | zip | bad in 3.0.0 – 3.0.1, good "
        "from 3.0.2 | `findings/attributes-lost-zip/repro.py` |"
    )
    assert not list(folder.rglob("*.part"))


def test_a_finding_has_a_page_of_its_own(tmp_path: Path) -> None:
    rows = [["was", "one\n```\ntwo"], ["should be", "True"]]
    draw(write_run(tmp_path, [a_finding(rows=rows, stores={"memory": "1"}, stacks="Thread 1")]))
    readme = (tmp_path / "findings" / "attributes-lost-zip" / "README.md").read_text("utf-8")
    assert readme.startswith("# `_read_only` is lost when a ZipStore is pickled\n")
    for told in (
        "Severity 5 of 7, where 1 is the worst. attributes: Is every attribute still there",
        "```sh\nuv run --with zarr==3.0.1 repro.py\n```",
        "Releases: bad in 3.0.0 – 3.0.1, good from 3.0.2.",
        "was: \n\n````\none\n```\ntwo\n````\n",
        "should be: `True`\n",
        "- memory: `1`\n",
        "3. `→ s1.read_only`\n",
        "```\nThread 1\n```",
        "Python 3.13.0, with fsspec 2026.9.0, obstore 0.12.1, by storefuzz 0.1.0.",
    ):
        assert told in readme, told


def test_a_question_shows_what_each_store_answered(tmp_path: Path) -> None:
    text = readable(draw(write_run(tmp_path, [a_question(severity=5)]))[0])
    assert "question severity 5" in text
    assert "What each store answered logging 0 memory KeyError: 'a'" in text


def test_what_has_no_script_says_nothing_of_one(tmp_path: Path) -> None:
    html, summary = draw(write_run(tmp_path, [a_finding(script=False)]))
    article = html[html.index("<article") : html.index("</article")]
    assert "Run it" not in article
    assert "repro.py" not in article
    assert "repro.py" not in summary


def test_a_script_that_is_gone_is_no_error(tmp_path: Path) -> None:
    write_run(tmp_path, [a_finding()])
    (tmp_path / "findings" / "attributes-lost-zip" / "repro.py").unlink()
    assert "The run directory holds no repro.py for it." in readable(draw(tmp_path)[0])


def test_the_severest_come_first_and_then_the_shortest(tmp_path: Path) -> None:
    findings = [
        a_finding(fingerprint="e", severity=5),
        a_finding(fingerprint="long", severity=2, steps=["a", "b", "c"]),
        a_finding(fingerprint="short", severity=2, steps=["a"]),
        a_finding(fingerprint="b", severity=2, steps=["a", "b"]),
        a_finding(fingerprint="a", severity=2, steps=["a", "b"]),
        a_finding(fingerprint="lost", severity=1, steps=["a"] * 9),
    ]
    page = draw_findings(tmp_path, findings)
    order = ["lost", "short", "a", "b", "long", "e"]
    assert page.ids("article") == order
    links = [attributes["href"] for attributes in page.of("a")]
    assert links[: len(order)] == [f"#{name}" for name in order]


def test_new_ones_come_before_known_ones_and_mild_ones_are_folded(tmp_path: Path) -> None:
    findings = [
        a_finding(fingerprint="known-5", known=KNOWN),
        a_finding(fingerprint="known-1", severity=1, known=KNOWN),
        a_finding(fingerprint="new-5"),
        a_finding(fingerprint="known-6", severity=6, known=KNOWN),
        a_question(fingerprint="new-7"),
        a_finding(fingerprint="new-6", severity=6, steps=["a"]),
    ]
    loose = a_finding(fingerprint="loose", severity=1, confirmed=False, why="It came and went.")
    html, summary = draw(write_run(tmp_path, findings, [loose]))
    page = Page(html)
    assert page.ids("finding") == [
        *("new-5", "known-1", "known-5", "new-6", "known-6", "new-7", "unconfirmed-loose")
    ]
    folded = html[html.index('<details class="later">') : html.index("<h2>Unconfirmed: 1</h2>")]
    assert Page(folded[: folded.rindex("</details>") + 10]).ids("finding") == [
        *("new-6", "known-6", "new-7")
    ]
    assert " open" not in re.sub(r"\bopen\(", "", folded)
    text = readable(html)
    for told in (
        "3 new causes in zarr 3.0.1. 1 of severity 5, 1 of severity 6, 1 of severity 7; "
        "1 unconfirmed; 3 known causes seen again.",
        "New, of severity 1 to 5: 1 cause",
        "Known, of severity 1 to 5: 2 causes",
        "Severity 6 and above: 3 causes",
        "It came and went.",
    ):
        assert told in text, told
    told_apart = ("New, of", "Known, of", "Severity 6", "Unconfirmed: 1", "About this run")
    places = [text.index(it) for it in told_apart]
    assert places == sorted(places)
    assert (
        "(1 of severity 1, 1 of severity 5, 1 of severity 6): `zip-pickle` (3 causes)." in summary
    )
    assert "Unconfirmed: `_read_only` is lost when a ZipStore is pickled." in summary
    assert summary.count("repro.py") == 3


def test_only_mild_news_says_that_nothing_worse_is_new(tmp_path: Path) -> None:
    page = draw_findings(tmp_path, [a_question(), a_finding(known=KNOWN)])
    assert "Nothing new of severity 1 to 5" in page.text
    assert page.ids("article") == []


def test_every_cause_has_a_link(tmp_path: Path) -> None:
    both = a_finding(fingerprint="both")
    findings = [both, a_question(), a_hang(known=KNOWN)]
    write_run(tmp_path, findings, [{**both, "confirmed": False, "why": "x"}])
    page = Page(draw(tmp_path)[0])
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids)) == 4
    assert {attributes["href"] for attributes in page.of("anchor")} == {f"#{it}" for it in ids}


def test_findings_carry_what_they_are_filtered_by(tmp_path: Path) -> None:
    hang = a_hang(releases=None, subject="3.1.0")
    page = draw_findings(tmp_path, [a_question(), a_finding(), hang])
    told = {
        str(attributes["id"]): {
            name: json.loads(str(attributes[f"data-{name}"])) for name in telling.FILTERS
        }
        for attributes in page.of("finding")
    }
    assert told == {
        "deadline-hangs-zip": {
            **{"store": ["zip"], "oracle": ["deadline"], "severity": ["4"]},
            "release": ["3.1.0"],
        },
        "attributes-lost-zip": {
            **{"store": ["zip"], "oracle": ["attributes"], "severity": ["5"]},
            "release": ["3.0.0", "3.0.1"],
        },
        "stores-disagree-getsize": {
            **{"store": ["logging", "memory"], "oracle": ["attributes"], "severity": ["7"]},
            "release": ["3.0.0", "3.0.1"],
        },
    }
    assert [attributes["value"] for attributes in page.of("option")] == [
        *("", "logging", "memory", "zip", "", "attributes", "deadline"),
        *("", "4", "5", "7", "", "3.0.0", "3.0.1", "3.1.0"),
    ]
    assert [attributes["name"] for attributes in page.of("select")] == list(telling.FILTERS)
    assert "hidden" in page.of("form")[0]  # until the script runs


@pytest.mark.parametrize("count", [0, 1, 100, 1000])
def test_any_number_of_findings_is_drawn(tmp_path: Path, count: int) -> None:
    findings = [
        a_finding(fingerprint=f"f{n}", severity=n % 7 + 1, known=KNOWN if n % 3 == 2 else None)
        for n in range(count)
    ]
    html, summary = draw(write_run(tmp_path, findings))
    page = Page(html)
    assert len(page.of("finding")) == count
    assert len(page.ids("article")) == sum(
        it["severity"] < 6 and not it["known"] for it in findings
    )
    assert len(list(tmp_path.rglob("README.md"))) == count
    assert len(summary.splitlines()) < 70
    assert len(html) < 40_000 + 12_000 * count
    if count == 1000:
        assert "617 more causes in index.html." in summary


@pytest.mark.parametrize(
    ("about", "sentence", "tone"),
    [
        (
            {},
            "Nothing found in zarr 3.0.1. The planted loss was found, so the run could see.",
            "clean",
        ),
        (
            {"self_proof": {"planted": "p", "found": False}},
            "Nothing found in zarr 3.0.1, but this run may be blind. The planted loss was missed.",
            "blind",
        ),
        (
            {"self_proof": None},
            "Nothing found in zarr 3.0.1, but this run may be blind. No planted loss was tried.",
            "blind",
        ),
        (
            {"executions": 0, "quirks": {}},
            "Nothing found in zarr 3.0.1, because no case was run.",
            "blind",
        ),
        (
            {"subject": {"release": "3.5.0.dev1", "path": "checkouts/zarr"}},
            "Nothing found in zarr 3.5.0.dev1 from checkouts/zarr. The planted loss was found",
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
    assert Page(html).of("finding") == []
    assert "| severity |" not in summary


def test_a_run_that_counts_otherwise_says_so(tmp_path: Path) -> None:
    html, summary = draw(write_run(tmp_path, findings=[], interrupted=True, unconfirmed=[]))
    assert "interrupted after 60 s" in readable(html)
    assert "interrupted after 60 s" in summary
    (tmp_path / "run.json").write_text(json.dumps(a_run(findings=3)))
    html, summary = draw(tmp_path)
    assert "run.json counts 3 findings, findings.jsonl holds 0." in readable(html)
    assert "run.json counts 3 findings" in summary


def write_killed_run(folder: Path, **about: Any) -> Path:
    """Writes what a run leaves that was killed: one finding followed, one not, one half written."""
    confirmed = a_hang(fingerprint="hang", seen_as=["hang-wrapped"])
    write_run(folder, [confirmed])
    (folder / "run.json").write_text(json.dumps(a_run(**{"ended": None, **about})))
    seen = [a_finding(**SEEN), a_hang(fingerprint="hang-wrapped", **SEEN)]
    half = json.dumps(a_finding(fingerprint="half", **SEEN))[:-40]
    text = "".join(json.dumps(line) + "\n" for line in seen) + half
    (folder / "seen.jsonl").write_text(text)
    with (folder / "unconfirmed.jsonl").open("a") as file:
        file.write(half)
    return folder


def test_a_killed_run_shows_what_it_had_seen(tmp_path: Path) -> None:
    html, summary = draw(write_killed_run(tmp_path))
    sentence = (
        "1 new cause in zarr 3.0.1 so far. 1 of severity 4; 1 finding not followed. "
        "The run goes on, or was killed before it ended."
    )
    for text in (readable(html), summary):
        assert sentence in text
        assert "run.json counts" not in text
    assert "Not followed: 1" in readable(html)
    assert Page(html).ids("finding") == ["hang", "seen-attributes-lost-zip"]
    assert "seen.jsonl >case.json; storefuzz replay case.json --zarr 3.0.1" in readable(html)


def test_what_a_killed_run_had_seen_is_no_all_clear(tmp_path: Path) -> None:
    write_killed_run(tmp_path)
    for name in ("findings.jsonl", "unconfirmed.jsonl"):
        (tmp_path / name).write_text("")
    html, _ = draw(tmp_path)
    assert (
        "Nothing confirmed in zarr 3.0.1, and this is no all-clear. 2 findings not "
        "followed. The run goes on"
    ) in readable(html)
    assert 'class="verdict blind"' in html
    assert "No confirmed difference to report" in html


def test_a_run_that_followed_nothing_is_no_all_clear(tmp_path: Path) -> None:
    write_run(tmp_path, ended="2026-11-23T23:01:00Z")
    (tmp_path / "seen.jsonl").write_text(json.dumps(a_finding(**SEEN)) + "\n")
    html, _ = draw(tmp_path)
    assert "1 finding not followed. The run only measured when it saw what." in readable(html)
    assert 'class="verdict blind"' in html


@pytest.mark.parametrize(
    ("changes", "followed"),
    [
        ({"fingerprint": "same"}, True),
        ({"fingerprint": "one"}, True),
        ({"fingerprint": "other", "seen_as": ["two", "three"]}, True),
        ({"fingerprint": "other", "seen_as": ["three"]}, False),
    ],
)
def test_what_was_followed_is_not_shown_as_seen(
    tmp_path: Path, changes: dict[str, Any], followed: bool
) -> None:
    write_run(tmp_path, [a_finding(fingerprint="same", seen_as=["one", "two"])], ended=None)
    (tmp_path / "seen.jsonl").write_text(json.dumps(a_finding(**SEEN, **changes)) + "\n")
    assert ("Not followed: " in draw(tmp_path)[0]) is not followed


def test_a_run_without_time_to_follow_all_is_no_all_clear(tmp_path: Path) -> None:
    about = {"ended": "x", "budget_seconds": 60.0, "not_reached": 3}
    html, summary = draw(write_run(tmp_path, **about))
    sentence = (
        "Nothing confirmed in zarr 3.0.1, and this is no all-clear. 3 findings not "
        "followed. 60 s were too little to follow what was seen."
    )
    assert sentence in readable(html)
    assert sentence in summary
    assert 'class="verdict blind"' in html
    html, _ = draw(write_run(tmp_path, [a_hang()], **{**about, "budget_seconds": None}))
    assert "not followed. There was too little time to follow what was seen." in readable(html)
    assert 'class="verdict found"' in html


def test_what_there_was_no_time_for_is_not_called_unconfirmed(tmp_path: Path) -> None:
    unreached = a_hang(fingerprint="late", followed=False, **{**SEEN, "why": "no time"})
    tried = a_finding(confirmed=False, why="It came and went.", fingerprint="tried")
    write_run(tmp_path, [], [unreached, tried], ended="x", not_reached=1, budget_seconds=9)
    html, summary = draw(tmp_path)
    text = readable(html)
    for told in (text, summary):
        assert (
            "no all-clear. 1 finding not followed; 1 unconfirmed. 9.0 s were too little"
        ) in told
        assert "run.json counts" not in told
    assert "Not followed: 1 " in text
    assert "Unconfirmed: 1 " in text
    assert "storefuzz replay findings/late/case.json --zarr 3.0.1" in text
    readme = (tmp_path / "findings" / "late" / "README.md").read_text("utf-8")
    assert "storefuzz replay case.json --zarr 3.0.1" in readme


def test_a_summary_names_few_of_those_that_were_not_confirmed(tmp_path: Path) -> None:
    loose = [
        a_finding(fingerprint=f"f{n}", headline=f"h{n}", confirmed=False, why="x", severity=5)
        for n in range(13)
    ]
    summary = draw(write_run(tmp_path, [], loose))[1]
    (line,) = [it for it in summary.splitlines() if it.startswith("Unconfirmed: ")]
    assert line.count("; ") == 10
    assert line.endswith("; and 3 more.")


def test_half_a_line_of_a_run_that_ended_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_killed_run(tmp_path, ended="2026-11-23T23:01:00Z")
    assert render.main([str(folder)]) == 2
    assert "unconfirmed.jsonl, line 1, is not JSON" in capsys.readouterr().err


def test_troubles_stand_right_below_the_verdict(tmp_path: Path) -> None:
    trouble = "3 of 400 cases could not be played, by a fault of storefuzz: <worker> failed"
    html, summary = draw(write_run(tmp_path, troubles=[trouble], ended="x", failed=None))
    page = readable(html)
    sentence = "Nothing found in zarr 3.0.1. The planted loss was found, so the run could see."
    assert f"{sentence} {trouble}" in page
    assert 'class="verdict clean"' in html
    assert f"{sentence}\n\n> 3 of 400 cases could not be played" in summary


@pytest.mark.parametrize(("findings", "tone"), [([], "blind"), ([a_hang()], "found")])
def test_a_run_that_failed_is_no_all_clear(
    tmp_path: Path, findings: list[dict[str, Any]], tone: str
) -> None:
    failed = "more than 2 % of its cases were lost"
    html, summary = draw(write_run(tmp_path, findings, ended="x", failed=failed))
    for text in (readable(html), summary):
        assert f"This is no all-clear: {failed}." in text
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
    html, summary = draw(write_run(tmp_path, [a_hang(known=KNOWN, confirmed=False)]))
    sentence = (
        "Nothing new found in zarr 3.0.1. The planted loss was found, so the run could see; "
        "1 known cause seen again."
    )
    assert sentence in readable(html)
    assert sentence in summary
    assert 'class="verdict clean"' in html
    assert "Known, seen again (1 of severity 4): `zip-pickle`." in summary


@pytest.mark.parametrize(
    ("known", "cell", "in_verdict"),
    [
        (OWN_PAGE, "zip-two-writers", "1 known cause seen again."),
        ({**KNOWN, "by": "file", "page": ""}, "known", "1 known cause seen again."),
        (
            {**OWN_PAGE, "page": "", "link": "corpus/regressions/x.json"},
            "corpus/regressions/x.json",
            "1 known cause seen again.",
        ),
        ({**KNOWN, "by": "run", "page": "", "link": ""}, "an earlier run", "1 known cause seen"),
        (
            {**KNOWN, "by": "base", "page": "", "link": ""},
            "zarr 3.4.2 as well",
            "1 cause that zarr 3.4.2 shows as well.",
        ),
        (
            {**KNOWN, "by": "zarr", "page": "", "link": ""},
            "zarr's own as well",
            "1 cause of zarr's own.",
        ),
    ],
)
def test_a_known_cause_says_who_knows_it(
    tmp_path: Path, known: dict[str, Any], cell: str, in_verdict: str
) -> None:
    finding = a_hang(known=known, confirmed=False, script=False, releases=None)
    html, summary = draw(write_run(tmp_path, [finding], against=AGAINST))
    text = readable(html)
    assert f"zip 512 {cell} New" not in text
    assert f" zip 512 {cell} " in text
    for told in (text, summary):
        assert "Nothing new found in zarr 3.0.1 against zarr 3.4.2. The planted" in told
        assert in_verdict in told
    assert f"Known, seen again (1 of severity 4): `{cell}`." in summary
    assert not list(tmp_path.rglob("README.md"))
    assert "Releases:" not in text


def test_a_page_of_ours_is_on_the_page(tmp_path: Path) -> None:
    mended = [{"page": "zip-empty-key-index-error", "headline": '`set` of "" is refused'}]
    findings = [a_hang(known=OWN_PAGE), a_finding(known={**OWN_PAGE, "page": "../defects/cases"})]
    html, _ = draw(write_run(tmp_path, findings, mended_here=mended, against=AGAINST))
    page = Page(html)
    names = ["zip-empty-key-index-error", "zip-two-writers"]
    shown = [str(it["id"]) for it in page.of("details") if str(it.get("id")).startswith("page-")]
    assert shown == [f"page-{name}" for name in names]
    hrefs = [it["href"] for it in page.of("a")]
    assert {f"#page-{name}" for name in names} <= set(hrefs)
    assert (HERE / "defects" / f"{names[1]}.md").read_text("utf-8").strip() in page.text


def test_a_cause_that_is_gone_is_mended_here(tmp_path: Path) -> None:
    mended = [{"page": "", "headline": "`get` hangs"}, {"page": "x", "headline": "`set` too"}]
    html, summary = draw(write_run(tmp_path, mended_here=mended, against=AGAINST))
    text = readable(html)
    for told in (text, summary):
        assert "the run could see; 2 causes mended here." in told
    assert "Mended here: 2 causes Shown by zarr 3.4.2 alone. get hangs set too (x)" in text
    assert "Mended here, shown by zarr 3.4.2 alone: `get` hangs; `set` too." in summary
    assert "Held against zarr 3.4.2" in text


def test_a_green_run_of_ones_own_store_says_what_it_passed(tmp_path: Path) -> None:
    html, summary = draw(write_run(tmp_path, passed=PASSED))
    assert (
        "What was asked After every step: reads, listing. carried by spawn fork here "
        "pickle 5 1,200 – 7 handed over – 30 –"
    ) in readable(html)
    assert (
        "Asked: reads, listing.\n\n| carried by | spawn | fork | here |\n|---|---|---|---|\n"
        in (summary)
    )
    assert "\n| pickle 5 | 1,200 | – | 7 |\n| handed over | – | 30 | – |\n" in summary


def test_a_run_of_ones_own_store_is_about_its_file(tmp_path: Path) -> None:
    html, summary = draw(write_run(tmp_path, adapter="my_store.py"))
    assert "in my_store.py with zarr 3.0.1" in readable(html)
    assert summary.startswith(r"## storefuzz: my\_store.py with zarr 3.0.1")


@pytest.mark.parametrize(
    ("stage", "told", "releases"),
    [
        ("fuzzed", "Not done yet: what was seen is to be reduced", "not asked yet"),
        ("followed", "Not done yet: the releases in which each shows", "not asked yet"),
        ("dated", "All is done but the last lines", "not tried"),
        (None, "goes on, or was killed", "not tried"),
    ],
)
def test_a_page_that_grows_says_what_is_not_done(
    tmp_path: Path, stage: str | None, told: str, releases: str
) -> None:
    finding = a_hang(releases=None)
    html, summary = draw(write_run(tmp_path, [finding], stage=stage, ended=None))
    for text in (readable(html), summary):
        assert told in text
        assert "1 new cause in zarr 3.0.1 so far. 1 of severity 4. The run goes on, or was" in text
    assert f"Releases: {releases}" in readable(html)
    assert f"| zip | {releases} |" in summary
    html, _ = draw(write_run(tmp_path, [finding], stage=stage, ended="x"))
    assert "ot done yet" not in html


def test_a_missed_planted_loss_is_told_beside_findings(tmp_path: Path) -> None:
    proof = {"planted": "zip forgets path", "found": False}
    html, _ = draw(write_run(tmp_path, [a_hang()], self_proof=proof))
    assert "The planted loss zip forgets path was missed" in readable(html)


def hostile(value: Any, text: str = HOSTILE) -> Any:
    """Puts a text wherever a sample has free text, also for the keys of tables."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [hostile(item, text) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key == "fingerprint" else hostile(item, text)
            for key, item in value.items()
        }
    return value


def hostile_findings(text: str) -> list[dict[str, Any]]:
    """Makes findings of every kind, with a text wherever there can be one."""
    tables = {"stores": {text: text}, "case": {text: text}}
    findings = [
        hostile(a_finding(known={**KNOWN, "link": "javascript:alert(1)"}), text),
        hostile(a_hang(security="yes"), text),
        hostile(a_question(security="yes"), text),
        hostile(a_finding(fingerprint="w", known=KNOWN, severity=1), text),
    ]
    for finding in findings:
        finding |= tables
        finding["releases"]["table"] = {text: text, text + "2": "bad"}
        finding["steps"] = [text, f"→ {text}"]
    return findings


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    loose = {**hostile(a_finding(fingerprint="loose", why="x")), "confirmed": False}
    seen = {**hostile(a_finding(fingerprint="seen", **SEEN)), "seen_as": []}
    about = hostile(a_run(quirks={})) | {"quirks": {HOSTILE: 1}}
    about |= {"skipped": {HOSTILE: HOSTILE}, "packages": {HOSTILE: HOSTILE}}
    about |= {"phases": {HOSTILE: {"seconds": 1, "share": 1}}, "readers": {HOSTILE: HOSTILE}}
    about |= {
        "troubles": [HOSTILE],
        "failed": HOSTILE,
        "against": {"release": None, "path": HOSTILE},
    }
    about |= {"mended_here": [{"page": HOSTILE, "headline": HOSTILE}]}
    about |= {"passed": hostile(PASSED)}
    del about["findings"], about["unconfirmed"]
    write_run(tmp_path, hostile_findings(HOSTILE), [loose], repro="</pre>```", **about)
    (tmp_path / "seen.jsonl").write_text(json.dumps(seen) + "\n")
    html, summary = draw(tmp_path)
    page = Page(html)
    assert {tag for tag, _ in page.elements}.isdisjoint({"img", "iframe", "link", "object"})
    assert len(page.of("script")) == 1
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert len(page.of("finding")) == 6
    readmes = [path.read_text("utf-8") for path in tmp_path.rglob("README.md")]
    assert len(readmes) == 5
    for text in (html, summary, *readmes):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]", text)
    lines = [line for line in summary.splitlines() if line.startswith("|")]
    table = lines[:4]
    assert len(lines) == 4 + 3  # and of what was passed
    for line in table:
        assert len(re.findall(r"(?<!\\)\|", line)) == 6
    for text in (summary, *readmes):
        prose = re.sub(r"(?s)^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE)
        prose = re.sub(r"(?s)(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", prose)
        assert not re.search(r"<(?!/?code>)[a-z/!]", prose)
        assert not re.search(r"[^\\]\]\(|http://|(?m:^# title)", prose)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "\x00",
        "\u202eabc\u202c",
        "שלום",
        "\ud800",
        "\n\n",
        "→ ",
        "`",
        "[" * 300,
        "e\u0301" * 99,
    ],
)
def test_any_text_is_drawn_wherever_it_stands(tmp_path: Path, text: str) -> None:
    findings = hostile_findings(text)
    for finding in findings:
        finding |= {"cause": f"c{text}", "headline": f"h{text}"}
    page = draw_findings(tmp_path, findings)
    assert len(page.of("finding")) == len(findings)


def test_huge_and_deep_values_are_cut(tmp_path: Path) -> None:
    deep: Any = "end"
    for _ in range(300):
        deep = [deep]
    findings = hostile_findings("x" * 1_000_000)
    findings.append(a_finding(fingerprint="deep", case={"deep": deep}))
    findings += [a_finding(fingerprint=f"f{n}", headline="`|" * 100_000) for n in range(80)]
    html, summary = draw(write_run(tmp_path, findings, repro="#" * 1_000_000))
    assert len(summary.encode()) < 200_000
    assert "33 more causes in index.html" in summary
    assert "1,000,000 characters in all" in html
    for path in tmp_path.rglob("README.md"):
        assert path.stat().st_size < 100_000


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    html, _ = draw(write_run(tmp_path, [a_finding(), a_hang(known=KNOWN)]))
    page = Page(html)
    for tag, attributes in page.elements:
        assert tag not in ("link", "img", "iframe")
        assert not {"src", "srcset", "action", "style"} & set(attributes)
        if tag == "a":
            assert attributes["href"] == KNOWN["link"] or str(attributes["href"]).startswith("#")
    assert not re.search(r"url\(|@import|fetch\(|import\(", html)
    policy = next(a for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    script = re.findall(r"(?s)<script>(.*)</script>", html)
    assert policy["content"] == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src '{render.digest_of(script[0])}'"
    )


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    findings = [a_finding(), a_hang(), a_question(), a_finding(fingerprint="other")]
    first = draw(write_run(tmp_path / "a", findings))
    assert draw(tmp_path / "a") == first
    about = {"quirks": dict(reversed(a_run()["quirks"].items()))}
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
            json.dumps(a_finding(fingerprint="b", known={"page": "x", "link": None})),
            "does not fit finding.schema.json: known.reason is missing.",
        ),
        (json.dumps(a_finding(fingerprint="b", rows=[["a"]])), "rows[0] has 1 items."),
        (json.dumps(a_finding(fingerprint="b", severity=8)), "severity is not from 1 to 7."),
        (json.dumps(a_finding(fingerprint="../../x")), "fingerprint does not match"),
        (
            json.dumps(a_finding()),
            "repeats the fingerprint attributes-lost-zip of line 1.",
        ),
        (json.dumps(a_finding(fingerprint="b", confirmed=False, why="x")), "must be confirmed, or"),
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


def test_words_of_the_future_are_drawn_as_they_are(tmp_path: Path) -> None:
    finding = a_finding(
        oracle="taste",
        asks="Does it taste?",
        store="tape, drum",
        rows=[["weather", "rain"]],
        steps=["→ s0 sings"],
        **{"class": "bitter", "cause": "taste / bitter / drum"},
    )
    page = draw_findings(tmp_path, [finding], stores=["tape"], skipped={"drum": "it is loud"})
    text = " ".join(page.text.split())
    for told in (
        "oracle taste class bitter store tape, drum Does it taste?",
        "weather rain",
        "→ s0 sings",
        "Stores tape 1 skipped, see below",
        "Stores that were skipped drum it is loud",
    ):
        assert told in text, told


def test_a_run_that_lacked_nothing_says_nothing_of_it(tmp_path: Path) -> None:
    html, summary = draw(write_run(tmp_path, skipped={}, packages={}))
    assert "skipped" not in readable(html) + summary
    assert "Packages" not in readable(html)


def test_a_finding_that_no_release_shows_is_still_told(tmp_path: Path) -> None:
    releases = {"first_bad": None, "sentence": "bad nowhere", "table": {"3.0.1": "good"}}
    html, _ = draw(write_run(tmp_path, [a_finding(releases=releases)]))
    assert "bad nowhere" in readable(html)


def test_words_for_numbers() -> None:
    assert telling.counted(1, "cause") == "1 cause"
    assert [telling.seconds(value) for value in (0.04, 9.9, 61, 300, 302)] == [
        *("0.0 s", "9.9 s", "61 s", "5 min", "5 min 2 s"),
    ]
    assert [telling.percent(share) for share in (0, 0.0001, 0.5, 0.9999, 1)] == [
        *("0 %", "1 %", "50 %", "99 %", "100 %"),
    ]
    assert telling.moment("yesterday") == "yesterday"


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
