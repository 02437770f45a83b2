"""The house checks itself: what the compiler does not see, read from the files.

- A folder of harness/ includes only itself and the folders above it in FOLDERS. EXCEPTIONS names
  the includes that break this; the list may only shrink.
- No comment is torn by the formatter, and no section ruler.
- No file of the library is dead: each header is included by somebody, each source has a job.
- fuzz/NAME.cc = a row of harness/play/targets.h = what `storefuzz list targets` says.
- Links between Markdown pages lead somewhere, and the files that pages name are there.
- The map in harness/README.md names every folder, in this order.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FOLDERS = [
    "base", "process", "zip", "case", "wire", "model", "generate", "worker", "direct", "readers",
    "oracles", "findings", "play", "campaign", "archives", "command", "testing",
]  # fmt: skip

# (file, what it includes): includes that run upward. Empty; it may not grow again.
EXCEPTIONS: set[tuple[str, str]] = set()

# Folders at the top whose files pages speak of.
TOP = {"corpus", "fuzz", "harness", "reference", "reports", "scripts"}

INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


def tracked(*patterns: str) -> list[str]:
    command = ["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split(
        "\n"
    )
    return [name for name in names if name and (ROOT / name).is_file()]


def sources() -> list[str]:
    return tracked("harness/*.h", "harness/*.cc", "fuzz/*.h", "fuzz/*.cc")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def is_test(name: str) -> bool:
    return bool(re.search(r"_(test|benchmark)\.cc$", name)) or name.startswith("harness/testing/")


def upward(name: str, included: str) -> bool:
    """Whether a file of the library includes a folder that stands below its own."""
    mine, theirs = name.split("/"), included.split("/")
    if theirs[0] != "harness":
        return mine[0] == "harness"  # the library knows no engine
    return mine[0] == "harness" and FOLDERS.index(mine[1]) < FOLDERS.index(theirs[1])


def all_includes() -> set[tuple[str, str]]:
    return {(name, it) for name in sources() for it in INCLUDE.findall(text_of(name))}


def test_every_folder_has_its_place() -> None:
    there = {name.split("/")[1] for name in tracked("harness/*/*")}
    assert there == set(FOLDERS)


def test_includes_lead_only_to_folders_above() -> None:
    wrong = {(a, b) for a, b in all_includes() if not is_test(a) and upward(a, b)}
    assert wrong - EXCEPTIONS == set()


def test_an_exception_that_is_no_longer_needed_is_struck_out() -> None:
    needed = {(a, b) for a, b in all_includes() if upward(a, b)}
    assert EXCEPTIONS - needed == set()


def test_an_upward_include_is_noticed() -> None:
    assert upward("harness/base/text.cc", "harness/case/words.h")
    assert upward("harness/base/text.cc", "fuzz/engine.h")
    assert not upward("harness/case/store.cc", "harness/base/text.h")
    assert not upward("fuzz/engine.cc", "harness/play/program_session.h")


def test_the_library_never_includes_what_is_for_tests() -> None:
    wrong = {
        (a, b) for a, b in all_includes() if b.startswith("harness/testing/") and not is_test(a)
    }
    assert wrong == set()


def test_only_the_worker_loads_python() -> None:
    loads = {name for name in sources() if "#include <pybind11/" in text_of(name)}
    assert loads == {"harness/worker/python.h"}
    users = {a for a, b in all_includes() if b == "harness/worker/python.h"}
    assert {name for name in users if not name.startswith("harness/worker/")} == set()


def torn(text: str) -> list[str]:
    """Lines of comments that a formatter has broken: a ruler whose dashes stand alone."""
    return re.findall(r"^ *(?://|#) ?-{6,}$", text, re.MULTILINE)


def test_no_comment_is_torn() -> None:
    assert [name for name in sources() if torn(text_of(name))] == []


def test_a_torn_ruler_is_noticed() -> None:
    assert torn("// --- a section\n// ---------------------\n")
    assert not torn("// --- a section\n")


def test_a_file_says_first_what_it_is_for() -> None:
    assert [name for name in sources() if not text_of(name).startswith("// ")] == []


def test_no_header_is_dead() -> None:
    included = {it for _, it in all_includes()}
    assert {name for name in sources() if name.endswith(".h")} - included == set()


def dead_references() -> set[str]:
    """Files of reference/, reports/ and scripts/ that nothing else names."""
    names = tracked("reference/*", "reports/*.py", "reports/templates/*", "scripts/*")
    names = [name for name in names if not name.endswith(("_test.py", "README.md"))]
    texts = [it for it in tracked() if not it.startswith("reports/ledger/") and ".png" not in it]
    everything = {it: text_of(it) for it in texts}
    dead = set()
    for name in names:
        # `import NAME` says it without its ending.
        words = {Path(name).name, Path(name).stem} if name.endswith(".py") else {Path(name).name}
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b")
        if not any(pattern.search(text) for other, text in everything.items() if other != name):
            dead.add(name)
    return dead


def test_no_file_of_python_or_data_is_dead() -> None:
    assert dead_references() - {"reference/planted/site/sitecustomize.py"} == set()


def engine_targets() -> set[str]:
    files = [name for name in tracked("fuzz/*.cc") if name != "fuzz/engine.cc"]
    return {Path(name).stem for name in files if "fuzz/engine.h" in text_of(name)}


def test_targets_are_files_are_the_list() -> None:
    listed = set(re.findall(r'Target\{\s*"(\w+)"', text_of("harness/play/targets.h")))
    assert listed == engine_targets()


def link_targets(page: str) -> list[str]:
    text = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link for link in links if not re.match(r"[a-z]+:|#", link)]


def test_links_of_pages_lead_somewhere() -> None:
    links = [(page, it) for page in tracked("*.md") for it in link_targets(page)]
    assert links, "there are links to look at"
    dead = [it for it in links if not ((ROOT / it[0]).parent / it[1].split("#")[0]).exists()]
    assert dead == []


def named_files(page: str) -> set[str]:
    """Files of this repository that a page names in code; a name may hold a `*`."""
    text = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    words = re.findall(r"[\w./*-]+", " ".join(re.findall(r"`[^`]+`", text)))
    return {word for word in words if "/" in word and word.split("/")[0] in TOP}


def test_files_that_pages_name_are_there() -> None:
    named = {(page, it) for page in tracked("*.md") for it in named_files(page)}
    gone = {it for it in named if "NAME" not in it[1] and not any(ROOT.glob(it[1]))}
    assert named, "there are files to look at"
    assert gone == set()


def test_numbers_in_the_readme_are_true() -> None:
    pages = [name for name in tracked("reports/defects/*.md") if not name.endswith("README.md")]
    readme = text_of("README.md")
    assert f"[{len(pages)} defects found so far]" in readme
    rows = text_of("reports/defects/README.md")
    assert [page for page in pages if f"({Path(page).name})" not in rows] == []


def test_the_map_names_every_folder_in_order() -> None:
    listed = re.findall(r"^\| `(\w+)/` \|", text_of("harness/README.md"), re.MULTILINE)
    assert listed == FOLDERS
