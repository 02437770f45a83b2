"""The scripts that measure or judge, with the storefuzz of this build: each says what is so.

Not covered: how long anything takes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(script: str, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [ROOT / "scripts" / script, *arguments],
        check=False,
        env=os.environ | {"SEEDS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_time_to_find_tells_the_worst_time_of_what_is_found() -> None:
    code, out, err = run("time-to-find", "3.0.1", "60", "_read_only", "--stores", "zip")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"seed 1: (\S+ s: _read_only)\nworst: \1\n", out), out


def test_time_to_find_tells_what_is_missed() -> None:
    code, out, _ = run("time-to-find", "3.4.2", "1", "no such words", "--stores", "memory")
    assert (code, out.splitlines()[-1]) == (1, "worst: never s: no such words")


def test_time_to_find_tells_what_is_named_wrong() -> None:
    code, out, err = run("time-to-find", "3.0.99", "1", "any")
    assert (code, out) == (2, "")
    assert "3.0.99" in err


def test_a_mutant_is_found_by_what_is_new() -> None:
    mutant = "zip: suffix is one byte short"
    code, out, _ = run("mutants", "--only", mutant, "--time", "60s")
    assert re.search(rf"^\| {mutant} \| \S+ \| `.+ / .+` \| [\d.]+ \|$", out, re.MULTILINE), out
    assert code == 0


def test_the_cause_of_a_mutant_is_not_that_of_a_known_defect() -> None:
    code, out, _ = run("mutants", "--only", "drop zip path", "--by", "cause", "--time", "6s")
    row = r"^\| drop zip path \| zip \| [1-3] \| .*`[^`]*\bpath\b[^`]*`.* \|$"
    assert re.search(row, out, re.MULTILINE), out
    assert re.search(r"^Causes a mutant: median [1-3], at most [1-3]\.$", out, re.MULTILINE), out
    assert code == 0


def test_the_ledger_of_a_tree_and_itself_has_keys_of_both() -> None:
    arguments = ("--only", "3.0.1", "--scale", "0.05", "--seeds", "1")
    code, out, err = run("ledger", str(ROOT), *arguments)
    row = re.search(r"^\| 3\.0\.1 \| (\d+) \| (\d+) \| (\d+) \| [\d.]+ \| [\d.]+ \|$", out, re.M)
    assert row, out + err
    assert all(int(number) > 0 for number in row.groups())
    # What one run finds late the other may miss: then it is named.
    assert code == int("- 3.0.1: `" in out)


def test_the_ledger_tells_that_a_tree_is_not_built(tmp_path: Path) -> None:
    code, out, err = run("ledger", str(tmp_path))
    assert (code, out) == (2, "")
    assert "is not built" in err


def test_a_checkout_with_a_fault_is_told_from_one_without() -> None:
    options = ("--only", "compression", "--time", "8s", "--sound", "1")
    code, out, err = run("checkouts", *options)
    assert code == 0, out + err
    fault, sound = out.splitlines()[2:]
    assert re.fullmatch(r"\| a pickle .* \| 1 \| 5 [^<]*\"compression\".* \| \d+ \|", fault), out
    assert re.fullmatch(r"\| sound \| 0 \|  \| \d+ \|", sound), out


def test_a_cause_is_given_to_its_page(tmp_path: Path) -> None:
    page = "zip-two-writers"
    for part in ("scripts", "reports/defects", "corpus/regressions"):
        shutil.copytree(ROOT / part, tmp_path / part)
    finding = tmp_path / "run/findings/f"
    finding.mkdir(parents=True)
    case = (ROOT / f"corpus/regressions/{page}.json").read_text("utf-8")
    (finding / "case.json").write_text(case, "utf-8")
    line = {"fingerprint": "f", "oracle": "on disk", "class": "lost", "at": "close"}
    new = line | {"subject": "3.4.2", "known": None}
    known = new | {"fingerprint": "k", "known": {"by": "page"}}
    text = f"{json.dumps(new)}\n{json.dumps(known)}\n"
    (tmp_path / "run/findings.jsonl").write_text(text, "utf-8")

    def own(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [tmp_path / "scripts/own-cause", *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    done = own(page, finding)
    assert done.returncode == 0, done.stderr
    name = done.stdout.partition(":")[0]
    assert name.startswith(f"{page}-")
    rows = json.loads((tmp_path / "reports/defects/cases.json").read_text("utf-8"))["pages"][page]
    row = {"case": name, "oracle": "on disk", "class": "lost", "at": "close"}
    assert row | {"bad": ["3.4.2"]} in rows
    assert (tmp_path / f"corpus/regressions/{name}.json").read_text("utf-8") == case
    assert own("no-such-page", finding).returncode == 2
    again = own(page, tmp_path / "run/findings/k")
    assert (again.returncode, "is known already" in again.stderr) == (2, True)
    assert own(page, tmp_path / "run/findings/g").returncode == 2
