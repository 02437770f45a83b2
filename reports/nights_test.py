"""Tests of the page of nights: true to the state, safe with hostile text, clear if it is broken."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

import nights
from render_test import HOSTILE, Page


def a_moment(night: int) -> dict[str, Any]:
    return {"night": night, "date": f"2026-11-{night % 30 + 1:02}T03:00:00Z", "subject": "3.4.2"}


def a_night(night: int, **changes: Any) -> dict[str, Any]:
    """Makes a night that found nothing new."""
    return {
        **a_moment(night),
        "targets": ["program", "zip_program"],
        "seconds": 600.0,
        "executions_per_second": 150.0 + night,
        "executions": 90_000 + night,
        "lines": 1500 + night,
        "lines_of": 4309,
        **{name: [] for name in ("news", "reopened", "back", "gone", "mended")},
        "still": 12,
        "still_pages": 58,
        "questions": 0,
        "unconfirmed": 0,
        "planted": "state drops _read_only",
        "found": True,
        "why": "",
        **changes,
    }


def a_cause(number: int, **changes: Any) -> dict[str, Any]:
    """Makes a cause that is open since its night."""
    return {
        "page": "",
        "sentence": f"`get` number {number} is lost",
        "cause": f"reads / absent / {number}",
        "of_class": "reads / absent",
        "oracle": "reads",
        "wrong": "absent",
        "at": "get",
        "severity": number % 7 + 1,
        "question": number % 7 == 6,
        "security": None,
        "releases": None,
        "program": {"format": 2},
        "status": "open",
        "mended_in": "",
        "first": a_moment(1),
        "last": a_moment(2),
        "changes": [{"at": a_moment(1), "what": "new"}],
        **changes,
    }


def a_page(page: str, **changes: Any) -> dict[str, Any]:
    return a_cause(0, page=page, program=None, severity=0, sentence=page, **changes)


def a_state(night_count: int = 30, cause_count: int = 5, **changes: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "begun": 0,
        "nights": [a_night(number + 1) for number in range(night_count)],
        "reached": {"subject": "3.4.2", "numbers": "0-3", "missed": {"x/_zip.py": "12 40-52"}},
        "causes": {f"cause-{number}": a_cause(number) for number in range(cause_count)},
        **changes,
    }


def a_hostile_state(text: str) -> dict[str, Any]:
    """Makes a state that says this text everywhere."""
    state = a_state(2, 0)
    state["causes"][text] = a_cause(1, sentence=text, mended_in=text, page=text)
    state["nights"][-1] = a_night(2, why=text, subject=text, planted=text, news=[text])
    return state


def draw(folder: Path, state: dict[str, Any]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state.json").write_text(json.dumps(state))
    assert nights.main([str(folder)]) == 0
    return (folder / "index.html").read_text("utf-8")


def test_the_same_state_gives_the_same_page(tmp_path: Path) -> None:
    assert draw(tmp_path, a_state()) == draw(tmp_path, a_state())


def test_what_is_new_comes_first_and_leads_to_its_history(tmp_path: Path) -> None:
    state = a_state()
    state["nights"][-1] = a_night(30, news=["cause-0"], why="1 cause new, 0 reopened")
    text = draw(tmp_path, state)
    page = Page(text)
    assert "Night 30: 1 cause new, 0 reopened" in text
    assert ("a", {"href": "#cause-0"}) in page.elements
    assert any(it.get("id") == "cause-0" for _, it in page.elements)


def test_a_page_that_never_changed_is_counted_and_not_listed(tmp_path: Path) -> None:
    state = a_state()
    state["causes"]["page still"] = a_page("still", changes=[])
    state["causes"]["page mended"] = a_page(
        "mended",
        status="mended",
        mended_in="3.5.0",
        changes=[{"at": a_moment(3), "what": "mended"}],
    )
    text = draw(tmp_path, state)
    assert "1 show, 1 do not" in text
    assert "page mended" in text and "in zarr 3.5.0" in text
    assert "page still" not in text


def test_curves_are_pictures_without_a_script(tmp_path: Path) -> None:
    page = Page(draw(tmp_path, a_state()))
    addresses = [it["src"] or "" for name, it in page.elements if name == "img"]
    assert len(addresses) == 3
    for address in addresses:
        start, _, data = address.partition(",")
        svg = base64.b64decode(data).decode()
        assert start == "data:image/svg+xml;base64"
        assert svg.startswith("<svg") and "<path" in svg
        assert "<script" not in svg
        assert set(re.findall(r"https?://[^\s\"']*", svg)) == {"http://www.w3.org/2000/svg"}


def test_a_night_that_failed_leaves_a_gap_in_the_curve(tmp_path: Path) -> None:
    state = a_state(3)
    state["nights"][1] = a_night(2, executions=0, lines=0, why="the disk is full")
    text = draw(tmp_path, state)
    assert "the disk is full" in text
    lines = next(iter(nights.curves(state).values()))
    assert lines.count('class="dot reactive') == 2


@pytest.mark.parametrize("count", [0, 1])
def test_before_there_are_two_nights_there_is_no_curve(tmp_path: Path, count: int) -> None:
    assert "<img" not in draw(tmp_path, a_state(count))


def test_lines_that_no_night_has_reached_are_told(tmp_path: Path) -> None:
    text = draw(tmp_path, a_state())
    assert "<th>x/_zip.py</th><td>12 40-52</td>" in text


def test_archives_are_told_by_class_and_reader(tmp_path: Path) -> None:
    twisted = {"before": {"z": {"twists": [{"name": "gap"}, {"name": "a <b> comment"}]}}}
    differs = {"oracle": "readers agree", "at": "libzip", "program": twisted}
    state = a_state()
    state["causes"]["read-1"] = a_cause(1, **differs)
    state["causes"]["read-2"] = a_cause(2, **differs, status="mended")
    page = "zip-end-record-in-comment"
    state["causes"][f"page {page}"] = a_cause(3, page=page, program=None)
    read = nights.readings(state)
    assert read["a <b> comment, gap"] == {"libzip": 1}
    assert read["empty archive in the comment"] == {"zarr": 2}  # two programs of the page
    assert "<th>a &lt;b&gt; comment, gap</th>" in draw(tmp_path, state)


def test_files_of_a_cause_are_linked_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "causes/cause-1").mkdir(parents=True)
    (tmp_path / "causes/cause-1/issue.md").write_text("x")
    page = Page(draw(tmp_path, a_state()))
    linked = [it["href"] for name, it in page.elements if name == "a" and "causes" in it["href"]]
    assert linked == ["./causes/cause-1/issue.md"]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    page = Page(draw(tmp_path, a_hostile_state(HOSTILE)))
    assert not any(name == "script" for name, _ in page.elements)
    sources = [it["src"] or "" for name, it in page.elements if name == "img"]
    assert all(it.startswith("data:image/svg+xml;base64,") for it in sources)
    assert not any("onload" in it for _, it in page.elements)


def test_what_is_no_state_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = a_state()
    del broken["nights"][0]["why"]
    for text in ("{", "[]", "{}", json.dumps(broken), json.dumps({"nights": 5})):
        (tmp_path / "state.json").write_text(text)
        assert nights.main([str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and said.startswith(f"report: {tmp_path} holds no state")
    (tmp_path / "state.json").write_text(json.dumps(a_state() | {"format": 99}))
    assert nights.main([str(tmp_path)]) == 2
    assert "has format 99, and this storefuzz reads format 1." in capsys.readouterr().err
    assert nights.main([str(tmp_path / "none")]) == 2
    assert nights.main([]) == 2
