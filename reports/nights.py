"""Draws the page of a state of nights: `python reports/nights.py STATE`.

Reads STATE/state.json and writes STATE/index.html: what the last night said, every cause with its
history, and curves over the nights as SVG, which need no script. The same state gives the same
bytes. Exits 2 with one sentence if STATE holds no state or cannot be written, and 3 if the machine
fails: its disk is full, or a package is missing.
"""

import base64
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jinja2 import TemplateError

from drawing import write
from render import FAULTS_OF_THE_MACHINE, environments
from run_directory import clean

FORMAT = 1  # of state.json (harness/campaign/state.h)
# What a state raises that is none of ours, or is broken.
BROKEN = (ValueError, KeyError, TypeError, AttributeError, RecursionError, TemplateError)
NIGHTS_DRAWN = 60  # of a curve
LAST = 7  # nights whose run directories are there
ORDER = {"open": 0, "gone": 1, "mended": 2}
SHOWN = {"open": "open", "gone": "gone, on the subject that showed it", "mended": "mended"}
COLOURS = ("#3d7fbd", "#c8503f", "#3b8f5c")
DIFFER = "readers agree"  # the oracle that asks several readers about one archive
ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "reports" / "defects" / "cases.json"
REGRESSIONS = ROOT / "corpus" / "regressions"
QUIET = "#80868f"  # on light ground and on dark


def curve(title: str, nights: list[dict[str, Any]], lines: dict[str, Callable[[Any], Any]]) -> str:
    """Draws a curve over nights, with a line for each function of a night, as SVG."""
    import pygal
    from pygal.style import Style

    style = Style(
        background="transparent",
        plot_background="transparent",
        colors=COLOURS,
        font_family="system-ui, sans-serif",
        foreground=QUIET,
        foreground_strong=QUIET,
        foreground_subtle=QUIET,
        guide_stroke_color="#80868f55",
        major_guide_stroke_color="#80868f99",
    )
    chart = pygal.Line(
        style=style,
        js=[],
        no_prefix=True,  # the library would draw a name at random
        title=title,
        height=320,
        width=800,
        dots_size=3,
        show_legend=len(lines) > 1,
        legend_at_bottom=True,
        x_labels=[str(night["night"]) for night in nights],
        x_labels_major_every=max(1, len(nights) // 10),
        show_minor_x_labels=False,
    )
    for name, value in lines.items():
        chart.add(name, [value(night) if night["executions"] else None for night in nights])
    tree = chart.render_tree()
    # The library puts the day into comments, and its settings into a script.
    for parent in list(tree.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag.endswith("script"):
                parent.remove(child)
    drawn: str = ElementTree.tostring(tree, encoding="unicode")
    return drawn


def curves(state: dict[str, Any]) -> dict[str, str]:
    """Draws all curves: title → SVG; none where there is one night alone."""
    nights = state["nights"][-NIGHTS_DRAWN:]
    if sum(night["executions"] > 0 for night in nights) < 2:
        return {}
    asked: dict[str, dict[str, Callable[[Any], Any]]] = {
        "Lines of store code that ran": {"lines": lambda it: it["lines"]},
        "Executions a second": {"executions": lambda it: round(it["executions_per_second"], 1)},
        "Causes": {
            "there": lambda it: it["still"] + len(it["news"]) + len(it["reopened"]),
            "new": lambda it: len(it["news"]),
            "mended": lambda it: len(it["mended"]),
        },
    }
    return {title: curve(title, nights, lines) for title, lines in asked.items()}


def data_address(svg: str) -> str:
    """Makes an address that holds a picture, which styles nothing else and runs nothing."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def causes(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Gives the causes to be shown: those that nights found, and pages that changed since."""
    listed = [
        it | {"name": name, "page_only": it["program"] is None}
        for name, it in state["causes"].items()
        if it["program"] is not None or it["changes"]
    ]
    return sorted(
        listed,
        key=lambda it: (ORDER[it["status"]], it["question"], it["severity"], it["sentence"]),
    )


def programs_of(page: str) -> list[tuple[str, dict[str, Any]]]:
    """Gives what a page of reports/defects/ owns where readers differ: who, and the program."""
    rows = json.loads(CASES.read_text("utf-8"))["pages"].get(page, [])
    return [
        (row["at"], json.loads((REGRESSIONS / f"{row['case']}.json").read_text("utf-8")))
        for row in rows
        if row.get("oracle") == DIFFER
    ]


def class_of(program: dict[str, Any]) -> str:
    """Names the class of archive of a program: what is wrong in it on purpose."""
    places = [it for it in program.get("before", {}).values() if isinstance(it, dict)]
    twists = [twist["name"] for place in places for twist in place.get("twists", [])]
    return ", ".join(sorted(set(twists))) or "as zarr writes it"


def readings(state: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Counts what is open where readers differ: class of archive → who differs → programs."""
    found: list[tuple[str, dict[str, Any]]] = []
    for it in state["causes"].values():
        if it["status"] != "open":
            continue
        if it["program"] is None:
            found += programs_of(it["page"])
        elif it["oracle"] == DIFFER:
            found.append((it["at"], it["program"]))
    table: dict[str, dict[str, int]] = {}
    for at, program in found:
        reader = "zarr" if at == "get" else at
        row = table.setdefault(class_of(program), {})
        row[reader] = row.get(reader, 0) + 1
    return dict(sorted(table.items()))


def files(folder: Path, name: str) -> list[str]:
    """Gives the files of a cause that are there; its name is that of its folder, or none."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}", name):
        return []
    there = [folder / "causes" / name / it for it in ("issue.md", "repro.py", "case.json")]
    return [it.relative_to(folder).as_posix() for it in there if it.is_file()]


def draw(folder: Path, state: dict[str, Any]) -> str:
    html, _ = environments()
    read = readings(state)
    pages = [it for it in state["causes"].values() if it["program"] is None]
    return html.get_template("nights.html.j2").render(
        nights=state["nights"],
        last=state["nights"][-1] if state["nights"] else None,
        sentence_of=lambda name: state["causes"].get(name, {}).get("sentence", name),
        causes=causes(state),
        pages={status: sum(it["status"] == status for it in pages) for status in ORDER},
        shown=SHOWN,
        readings=read,
        readers=sorted({reader for row in read.values() for reader in row}),
        missed=state.get("reached", {}).get("missed"),
        reached_by=state.get("reached", {}).get("subject"),
        curves={title: data_address(svg) for title, svg in curves(state).items()},
        files_of=lambda name: files(folder, name),
        runs_of=lambda night: [
            target
            for target in [*night["targets"], "planted"]
            if (folder / "nights" / str(night["night"]) / target / "index.html").is_file()
        ],
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; gives its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1:
        print("report: nights.py takes the folder of a state.", file=sys.stderr)
        return 2
    folder = Path(given[0])
    try:
        state = clean(json.loads((folder / "state.json").read_text("utf-8")))
        if state["format"] != FORMAT:
            print(
                f"report: {folder} has format {state['format']}, and this storefuzz reads format "
                f"{FORMAT}.",
                file=sys.stderr,
            )
            return 2
        page = draw(folder, state)
        write(folder / "index.html", page)
    except BROKEN as error:
        print(f"report: {folder} holds no state of nights: {error!r}.", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"report: the page of {folder} cannot be drawn: {error.strerror}.", file=sys.stderr)
        return 3 if error.errno in FAULTS_OF_THE_MACHINE else 2
    except ImportError as error:
        print(f"report: {error.name} is missing: run scripts/setup.", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
