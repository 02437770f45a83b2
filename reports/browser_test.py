"""Tests of the page of a run in a headless Chromium, where there is one: drawn, filtered, linked.

Chromium is told what to do through a pair of pipes, by its DevTools protocol: JSON, parted by NUL.
"""

import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nights_test
from render_test import (
    HOSTILE,
    KNOWN,
    OWN_PAGE,
    SEEN,
    a_finding,
    a_hang,
    a_question,
    draw,
    hostile_findings,
    write_run,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 60.0
WIDTHS = {"phone": 360, "desktop": 1280}
COMPLAINTS = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")


class Browser:
    """A Chromium with one tab."""

    def __init__(self, profile: Path) -> None:
        assert CHROMIUM is not None
        pipes = [*os.pipe(), *os.pipe()]
        # The protocol has its place at the descriptors 3 and 4: ours lie above.
        theirs_in, self.to, self.back, theirs_out = (
            fcntl.fcntl(pipe, fcntl.F_DUPFD_CLOEXEC, 10) for pipe in pipes
        )
        for pipe in pipes:
            os.close(pipe)
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        flags += ["--remote-debugging-pipe", f"--user-data-dir={profile}"]
        moved = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out} {theirs_in}<&- {theirs_out}>&-'
        self.process = subprocess.Popen(
            ["bash", "-c", moved, "bash", CHROMIUM, *flags],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest = b""
        self.number = 0
        self.events: list[dict[str, Any]] = []
        self.session: dict[str, str] = {}
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self.session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def message(self) -> dict[str, Any]:
        """Waits for the next message of the browser."""
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.back], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            read = os.read(self.back, 1 << 20)
            assert read, "the browser ended"
            self.rest += read
        line, _, self.rest = self.rest.partition(b"\0")
        told: dict[str, Any] = json.loads(line)
        self.events.append(told)
        return told

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Sends a command and gives its result."""
        self.number += 1
        sent = {"id": self.number, "method": method, "params": given, **self.session}
        os.write(self.to, json.dumps(sent).encode() + b"\0")
        while (told := self.message()).get("id") != self.number:
            pass
        assert "error" not in told, told
        result: dict[str, Any] = told["result"]
        return result

    def open(self, address: str, width: int) -> None:
        """Loads a page into a window of this width, and waits until it is there."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        # From another page, or an address that differs only in its fragment loads nothing.
        for next_one in ("about:blank", address):
            self.events.clear()
            self.ask("Page.navigate", url=next_one)
            while not self.events_of("Page.loadEventFired"):
                self.message()

    def run(self, script: str) -> Any:
        """Gives what an expression is on the page, or comes to be."""
        told = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def events_of(self, *methods: str) -> list[dict[str, Any]]:
        return [it["params"] for it in self.events if it.get("method") in methods]

    def close(self) -> None:
        os.close(self.to)
        os.close(self.back)
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


def a_whole_run(folder: Path, count: int) -> Path:
    """Draws a run with findings of every kind; gives its page."""
    stores = ["zip", "logging, memory", "a store of a stranger with a long name"]
    findings = [
        a_finding(
            fingerprint=f"f{n}",
            severity=n % 7 + 1,
            store=stores[n % 3],
            known=KNOWN if n % 5 == 4 else None,
        )
        for n in range(count)
    ]
    loose = [a_hang(fingerprint="loose", confirmed=False, why="It came and went.")]
    draw(write_run(folder, findings, loose))
    return folder / "index.html"


def visible(browser: Browser) -> list[str]:
    """Gives the ids of the findings that can be seen, after opening nothing."""
    ids: list[str] = browser.run(
        "[...document.querySelectorAll('.finding')].filter(it => it.checkVisibility())"
        ".map(it => it.id)"
    )
    return ids


def told_shown(browser: Browser) -> str:
    """Gives what the filter says of how much is shown."""
    told: str = browser.run("document.querySelector('form.filter output').textContent")
    return told


def choose(browser: Browser, name: str, value: str) -> None:
    """Chooses a value of a filter, as a person does."""
    browser.run(
        f"{{ const it = document.querySelector('select[name={name}]');"
        f"it.value = {json.dumps(value)};"
        "it.dispatchEvent(new Event('change', {bubbles: true})); }"
    )


def expect_sound(browser: Browser, address: str) -> None:
    """Expects no complaint, nothing asked of elsewhere, and nothing wider than the window."""
    assert browser.events_of(*COMPLAINTS) == []
    asked = [it["request"]["url"] for it in browser.events_of("Network.requestWillBeSent")]
    assert [it for it in asked if not it.startswith("data:")] == [address]
    assert browser.run("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("count", [0, 1, 100, 1000])
def test_the_page_is_drawn(browser: Browser, tmp_path: Path, count: int) -> None:
    address = a_whole_run(tmp_path, count).as_uri()
    for width in WIDTHS.values():
        browser.open(address, width)
        expect_sound(browser, address)
        assert told_shown(browser) == f"{count + 1} of {count + 1} shown"


@pytest.mark.parametrize("count", [1, 100, 1000])
def test_any_number_of_causes_is_filtered_and_linked(
    browser: Browser, tmp_path: Path, count: int
) -> None:
    address = a_whole_run(tmp_path, count).as_uri()
    browser.open(address, WIDTHS["phone"])
    choose(browser, "store", "zip")
    choose(browser, "severity", "1")
    matching = [f"f{n}" for n in range(count) if n % 3 == 0 and n % 7 == 0]
    assert sorted(visible(browser)) == sorted(matching)
    assert told_shown(browser) == f"{len(matching)} of {count + 1} shown"
    # The last cause, be it in the list, in the table of known ones or folded.
    last = f"f{count - 1}"
    browser.open(f"{address}#{last}", WIDTHS["phone"])
    assert last in visible(browser)
    top = browser.run(f"document.getElementById('{last}').getBoundingClientRect().top")
    assert -5 < top < 700
    assert browser.run("document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.events_of(*COMPLAINTS) == []


def test_what_is_new_is_on_the_first_screen(browser: Browser, tmp_path: Path) -> None:
    address = a_whole_run(tmp_path, 100).as_uri()
    for width in WIDTHS.values():
        browser.open(address, width)
        tops = browser.run(
            "['h1', '.contents a', 'dl.facts'].map(it => document.querySelector(it))"
            ".map(it => it.getBoundingClientRect().top)"
        )
        assert tops[0] < 200 < 800 < tops[2]
        assert tops[1] < 800
        first = browser.run("document.querySelector('.contents li').textContent")
        assert "severity 1" in first


def test_a_known_cause_leads_to_its_page(browser: Browser, tmp_path: Path) -> None:
    draw(write_run(tmp_path, [a_finding(known=OWN_PAGE)]))
    address = (tmp_path / "index.html").as_uri()
    browser.open(address, WIDTHS["phone"])
    page = "document.getElementById('page-zip-two-writers')"
    assert not browser.run(f"{page}.open")
    browser.run(
        "new Promise(done => { addEventListener('hashchange', done);"
        "document.querySelector('.causes a[href=\"#page-zip-two-writers\"]').click(); })"
        ".then(() => true)"
    )
    assert browser.run(f"{page}.open")
    assert "Of two stores that append" in browser.run(f"{page}.innerText")
    expect_sound(browser, address)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
@pytest.mark.parametrize("text", [HOSTILE, "x" * 5000], ids=["hostile", "long"])
def test_hostile_text_breaks_no_page(
    browser: Browser, tmp_path: Path, text: str, width: int
) -> None:
    write_run(tmp_path, hostile_findings(text))
    seen = json.dumps(a_question(**{**SEEN, "store": text, "headline": f"h{text}"}))
    (tmp_path / "seen.jsonl").write_text(seen + "\n")
    draw(tmp_path)
    address = (tmp_path / "index.html").as_uri()
    browser.open(address, width)
    browser.run("document.querySelectorAll('details').forEach(it => { it.open = true; })")
    expect_sound(browser, address)
    choose(browser, "store", browser.run("document.querySelectorAll('option')[1].value"))
    assert len(visible(browser)) >= 1
    expect_sound(browser, address)


def test_a_complaint_of_the_page_is_noticed(browser: Browser, tmp_path: Path) -> None:
    page = a_whole_run(tmp_path, 1)
    text = page.read_text("utf-8")
    page.write_text(text.replace("<main>", "<main><script>alert(1)</script>"), "utf-8")
    browser.open(page.as_uri(), WIDTHS["desktop"])
    assert "Content Security Policy" in str(browser.events_of("Log.entryAdded"))


def test_filters_show_what_they_say(browser: Browser, tmp_path: Path) -> None:
    findings = [
        a_finding(fingerprint="one", severity=1, store="zip"),
        a_hang(fingerprint="two", severity=2, store="logging, memory", subject="3.1.0"),
        a_hang(fingerprint="known", store="memory", known=KNOWN),
        a_question(fingerprint="mild", store="memory, zip", releases=None),
    ]
    findings[1]["releases"] = None
    draw(write_run(tmp_path, findings))
    browser.open((tmp_path / "index.html").as_uri(), WIDTHS["desktop"])
    assert visible(browser) == ["one", "two", "known"]
    for name, value, shown in (
        ("store", "memory", ["two", "known", "mild"]),
        ("oracle", "deadline", ["two", "known"]),
        ("severity", "2", ["two"]),
        ("release", "3.1.0", ["two"]),
        ("release", "3.0.0", []),
        ("severity", "", ["known"]),
    ):
        choose(browser, name, value)
        assert visible(browser) == shown, (name, value)
    links = "[...document.querySelectorAll('.contents li')].filter(it => !it.hidden).length"
    assert browser.run(links) == 0
    assert told_shown(browser) == "1 of 4 shown"
    browser.run(
        "new Promise(done => { addEventListener('hashchange', done); location.hash = 'two'; })"
        ".then(() => true)"
    )
    assert visible(browser) == ["one", "two", "known", "mild"]


def test_a_link_leads_to_a_folded_cause(browser: Browser, tmp_path: Path) -> None:
    draw(write_run(tmp_path, [a_finding(), a_question()]))
    page = (tmp_path / "index.html").as_uri()
    browser.open(f"{page}#stores-disagree-getsize", WIDTHS["phone"])
    assert visible(browser) == ["attributes-lost-zip", "stores-disagree-getsize"]
    whole = "document.querySelector('#stores-disagree-getsize details.whole').open"
    assert browser.run(whole)
    top = "document.getElementById('stores-disagree-getsize').getBoundingClientRect().top"
    assert -5 < browser.run(top) < 700
    assert browser.events_of(*COMPLAINTS) == []


def test_without_its_script_the_page_has_all_but_the_filter(
    browser: Browser, tmp_path: Path
) -> None:
    page = a_whole_run(tmp_path, 1)
    page.write_text(page.read_text("utf-8").replace("<script>", "<script type=none>"), "utf-8")
    browser.open(page.as_uri(), WIDTHS["phone"])
    assert visible(browser) == ["f0", "unconfirmed-loose"]
    assert not browser.run("document.querySelector('form').checkVisibility()")


@pytest.mark.parametrize("count", [1, 100, 1000])
def test_the_page_of_thirty_nights_is_drawn(browser: Browser, tmp_path: Path, count: int) -> None:
    nights_test.draw(tmp_path, nights_test.a_state(30, count))
    address = (tmp_path / "index.html").as_uri()
    for width in WIDTHS.values():
        browser.open(address, width)
        expect_sound(browser, address)
        assert (
            browser.run("document.querySelectorAll('table:not(.rows) tbody tr').length")
            == count + 30
        )
        # A picture that cannot be read has no width of its own.
        widths = browser.run("[...document.images].map(it => it.naturalWidth)")
        assert len(widths) == 3 and all(widths)
    browser.open(f"{address}#cause-0", WIDTHS["phone"])
    top = "document.getElementById('cause-0').getBoundingClientRect().top"
    assert -5 < browser.run(top) < 800
    browser.run("document.querySelectorAll('details').forEach(it => { it.open = true; })")
    expect_sound(browser, address)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
@pytest.mark.parametrize("text", [HOSTILE, "x" * 5000], ids=["hostile", "long"])
def test_hostile_text_breaks_no_page_of_nights(
    browser: Browser, tmp_path: Path, text: str, width: int
) -> None:
    nights_test.draw(tmp_path, nights_test.a_hostile_state(text))
    address = (tmp_path / "index.html").as_uri()
    browser.open(address, width)
    browser.run("document.querySelectorAll('details').forEach(it => { it.open = true; })")
    expect_sound(browser, address)
