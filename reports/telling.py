"""Turns a checked run directory into what its pages say of the run: verdict, order, numbers.

What a finding says comes in words from the harness and is drawn as it is; nothing here knows what
they mean. Everything gives plain text and plain values; escaping is the templates' part.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from run_directory import Run, cut, kept_as_seen

Finding = dict[str, Any]

FOLDED_FROM = 6  # severities from here on are one folded table
MILDEST = 7
FILTERS = ("store", "oracle", "severity", "release")
FAILING = "→ "  # the step that goes wrong begins with it
STORES_PARTED_BY = ", "
# What a page says that is drawn before its run has ended, by the run's stage.
NOT_DONE_YET = {
    "fuzzed": "Fuzzing is over. Not done yet: what was seen is to be reduced and confirmed, and "
    "then releases are asked. This page grows meanwhile; load it again.",
    "followed": "What was seen has been reduced and confirmed, as far as there was time. Not done "
    "yet: the releases in which each shows. This page grows meanwhile; load it again.",
    "dated": "All is done but the last lines of the run.",
}


class Sections(NamedTuple):
    """The findings of a run as its page shows them, each list in its order."""

    new: list[Finding]
    known: list[Finding]
    folded: list[Finding]  # new and known ones that are mild
    unconfirmed: list[Finding]
    seen: list[Finding]

    def all(self) -> list[Finding]:
        """Gives every finding on the page."""
        return [finding for section in self for finding in section]


class Command(NamedTuple):
    """A shell command that shows a finding, and what to expect of it."""

    label: str
    words: str
    code: str


class Verdict(NamedTuple):
    """The run in a line, and what belongs to it; tone is "found", "clean" or "blind"."""

    line: str
    rest: str
    tone: str

    @property
    def sentence(self) -> str:
        """Gives all of it."""
        return f"{self.line} {self.rest}".strip()


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


def name_of(subject: dict[str, Any]) -> str:
    """Names a zarr: "zarr 3.0.1", or the checkout."""
    name = f"zarr {subject['release']}" if subject["release"] else "zarr"
    return f"{name} from {subject['path']}" if subject["path"] else name


def subject_name(about: dict[str, Any]) -> str:
    """Names what was tested, and what it was held against."""
    name = name_of(about["subject"])
    if about.get("adapter"):
        name = f"{about['adapter']} with {name}"
    return f"{name} against {base_name(about)}" if about.get("against") else name


def base_name(about: dict[str, Any]) -> str:
    """Names what the subject was held against."""
    return name_of(about["against"]) if about.get("against") else "the base"


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sorts findings: the severest first, then those of the fewest steps."""
    return sorted(findings, key=lambda it: (it["severity"], len(it["steps"]), it["fingerprint"]))


def mild(finding: Finding) -> bool:
    """Tells whether a finding belongs into the folded table."""
    return finding["severity"] >= FOLDED_FROM


def sections(run: Run) -> Sections:
    """Parts the findings of a run."""
    new, known = split_known(run)
    return Sections(
        new=[finding for finding in new if not mild(finding)],
        known=[finding for finding in known if not mild(finding)],
        folded=in_order(finding for finding in run.findings if mild(finding)),
        unconfirmed=in_order(run.unconfirmed),
        seen=in_order(run.seen),
    )


def split_known(run: Run) -> tuple[list[Finding], list[Finding]]:
    """Gives the findings that are new, and those that have a page."""
    new = in_order(finding for finding in run.findings if not finding["known"])
    return new, in_order(finding for finding in run.findings if finding["known"])


def known_by(finding: Finding) -> str:
    """Gives the word for who says that a finding is known."""
    word: str = finding["known"].get("by", "file")
    return word


def known_words(about: dict[str, Any], finding: Finding) -> str:
    """Says in few words who knows a finding: its page, or whoever else shows it."""
    others = {
        "base": f"{base_name(about)} as well",
        "zarr": "zarr's own as well",
        "run": "an earlier run",
    }
    page, link = finding["known"]["page"], finding["known"]["link"] or ""
    word: str = page or others.get(known_by(finding), "")
    return word or ("known" if re.match("https?://|$", link) else link)


def counts_of_known(about: dict[str, Any], known: Iterable[Finding]) -> list[str]:
    """Counts what is no news, by who shows it as well."""
    counts = Counter(known_by(finding) for finding in known)
    base, zarr = counts.pop("base", 0), counts.pop("zarr", 0)
    told = []
    if base:
        told.append(f"{counted(base, 'cause')} that {base_name(about)} shows as well")
    if zarr:
        told.append(f"{counted(zarr, 'cause')} of zarr's own")
    if again := counts.total():
        told.append(f"{counted(again, 'known cause')} seen again")
    return told


def grouped_known(about: dict[str, Any], known: Iterable[Finding]) -> list[tuple[str, int]]:
    """Gives who knows findings, and how many each knows, in the order of the findings."""
    return list(Counter(known_words(about, finding) for finding in known).items())


def by_severity(findings: Iterable[Finding]) -> str:
    """Counts findings by severity: "1 of severity 1, 2 of severity 4"."""
    counts = Counter(finding["severity"] for finding in findings)
    return ", ".join(
        f"{count:,} of severity {severity}" for severity, count in sorted(counts.items())
    )


def choices(shown: Iterable[Finding]) -> dict[str, list[str]]:
    """Gives what the page can be filtered by: the name of a filter to its values, in order."""
    filters = [filter_values(finding) for finding in shown]
    values = {name: {value for it in filters for value in it[name] if value} for name in FILTERS}
    return {name: in_release_order(values[name]) for name in FILTERS}


def filter_values(finding: Finding) -> dict[str, list[str]]:
    """Gives the values of a finding for each filter of the page."""
    table = (finding["releases"] or {}).get("table", {})
    bad = [release for release, verdict in table.items() if verdict == "bad"]
    return {
        "store": finding["store"].split(STORES_PARTED_BY),
        "oracle": [finding["oracle"]],
        "severity": [str(finding["severity"])],
        "release": in_release_order({finding["subject"], *bad}),
    }


def ended(run: Run) -> bool:
    """Tells whether a run ended by itself; older ones had no run.json before they did."""
    return run.about.get("ended", "") is not None


def left_open(run: Run) -> str:
    """Says why a run left something open, in a sentence; empty if it did not."""
    about = run.about
    if failed := about.get("failed"):
        return f"This is no all-clear: {failed.rstrip('.')}."
    if not ended(run):
        return "The run goes on, or was killed before it ended."
    if about.get("not_reached"):
        budget = about.get("budget_seconds")
        had = (
            "There was too little time" if budget is None else f"{seconds(budget)} were too little"
        )
        return f"{had} to follow what was seen."
    if any(not kept_as_seen(finding) for finding in run.seen):
        return "The run only measured when it saw what."
    if run.seen:
        return "There was too little time to follow what was seen."
    return ""


def silence(run: Run, nothing: str) -> Verdict:
    """Says what it is worth that a run found nothing new."""
    about, proof = run.about, run.about["self_proof"]
    if left_open(run):
        return Verdict(f"{nothing}, and this is no all-clear.", "", "blind")
    if not about["executions"]:
        return Verdict(f"{nothing}, because no case was run.", "", "blind")
    if not proof or not proof["found"]:
        reason = "The planted loss was missed" if proof else "No planted loss was tried"
        return Verdict(f"{nothing}, but this run may be blind.", reason, "blind")
    return Verdict(f"{nothing}.", "The planted loss was found, so the run could see", "clean")


def verdict(run: Run) -> Verdict:
    """Says what the run found, or why its silence means something, or does not."""
    about = run.about
    new, known = split_known(run)
    name = subject_name(about)
    if new:
        far = "" if ended(run) else " so far"
        said = Verdict(
            f"{counted(len(new), 'new cause')} in {name}{far}.", by_severity(new), "found"
        )
    else:
        unsure = run.unconfirmed or left_open(run)
        word = f"Nothing{' new' if known else ''}{' confirmed' if unsure else ' found'}"
        said = silence(run, f"{word} in {name}")
    parts = [said.rest] if said.rest else []
    if left := max(len(run.seen), about.get("not_reached", 0)):
        parts.append(f"{counted(left, 'finding')} not followed")
    if run.unconfirmed:
        parts.append(f"{len(run.unconfirmed):,} unconfirmed")
    parts += counts_of_known(about, known)
    if mended := about.get("mended_here"):
        parts.append(f"{counted(len(mended), 'cause')} mended here")
    rest = f"{'; '.join(parts)}." if parts else ""
    return said._replace(rest=" ".join(filter(None, (rest, left_open(run)))))


def trusted(run: Run) -> bool:
    """Tells whether the run did all that it was to do, and could see."""
    return not run.about.get("failed") and verdict(run).tone != "blind"


def notices(run: Run) -> list[str]:
    """Lists what a reader must know before trusting the page."""
    about = run.about
    told = []
    if not ended(run) and (stage := about.get("stage")):
        told.append(NOT_DONE_YET[stage])
    if about["interrupted"]:
        told.append(f"The run was interrupted after {seconds(about['seconds'])} of fuzzing.")
    proof = about["self_proof"]
    found = any(not finding["known"] for finding in run.findings)
    if found and proof and not proof["found"]:
        told.append(
            f"The planted loss {proof['planted']} was missed: there may be more than was found."
        )
    # What a run counts is written before its last findings are.
    loose = [*run.unconfirmed, *filter(kept_as_seen, run.seen)]
    for name, held in (("findings", run.findings), ("unconfirmed", loose)):
        if ended(run) and about[name] != len(held):
            told.append(
                f"run.json counts {about[name]:,} {name}, {name}.jsonl holds {len(held):,}."
            )
    told += about.get("troubles", [])
    if about["restarts"]:
        told.append(f"The fuzz process was replaced {counted(about['restarts'], 'time')}.")
    return told


def release_key(release: str) -> list[tuple[int, int, str]]:
    """Sorts releases by their numbers, 3.10 after 3.9."""
    parts = re.findall(r"\d{1,9}|[^\d.]+", release)
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]


def in_release_order(names: Iterable[str]) -> list[str]:
    """Sorts releases, and other words by the alphabet."""
    return sorted(names, key=lambda name: (release_key(name), name))


def releases_sentence(run: Run, finding: Finding) -> str:
    """Says in which releases a finding is, or that nobody asked, or not yet."""
    if finding["releases"]:
        sentence: str = finding["releases"]["sentence"]
        return sentence
    going_on = not ended(run) and run.about.get("stage") in ("fuzzed", "followed")
    return "not asked yet" if going_on and not finding["known"] else "not tried"


def passed_table(passed: dict[str, Any]) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """Gives the transports, and for each carrier how many steps went by each of them."""
    carries = passed["carries"]
    transports = list(dict.fromkeys(it["transport"] for it in carries))
    steps: Counter[tuple[str, str]] = Counter()
    for it in carries:
        steps[it["carrier"], it["transport"]] += it["steps"]
    carriers = dict.fromkeys(it["carrier"] for it in carries)
    return transports, [(name, [steps[name, it] for it in transports]) for name in carriers]


def release_spans(finding: Finding) -> list[tuple[str, str]]:
    """Gives (releases, verdict) from old to new; neighbours of one verdict are one span."""
    table = (finding["releases"] or {}).get("table", {})
    spans = []
    for word, group in groupby(in_release_order(table), key=lambda name: table[name]):
        names = list(group)
        spans.append((names[0] if len(names) == 1 else f"{names[0]} – {names[-1]}", word))
    return spans


def commands(run: Run, finding: Finding, folder: str = "") -> list[Command]:
    """Gives the shell commands that show a finding, each with what to expect of it.

    That is its repro.py, or for one that was not followed yet, its case; nothing if there is
    neither.
    """
    subject = run.about["subject"]
    zarr = shlex.quote(cut(subject["path"] or subject["release"] or "newest", 300))
    if kept_as_seen(finding):
        code = f"storefuzz replay {shlex.quote(f'{folder}case.json')} --zarr {zarr}"
        return [Command("plays it again", "exits 1 if it shows", code)]
    if any(finding is one for one in run.seen):
        line = shlex.quote(f'"fingerprint":"{finding["fingerprint"]}"')
        replay = f"storefuzz replay case.json --zarr {zarr}"
        code = f"grep -m1 -F {line} seen.jsonl >case.json; {replay}"
        return [Command("plays it again", "exits 1 if it shows", code)]
    if not finding["script"]:
        return []
    path = subject["path"]
    script = shlex.quote(f"{folder}repro.py")

    def command(package: str) -> str:
        return f"uv run --with {shlex.quote(cut(package, 300))} {script}"

    here = command(path) if path else command(f"zarr=={finding['subject']}")
    rows = [Command("shows it", "exits 1 after printing DEFECT", here)]
    good = (finding["releases"] or {}).get("first_good")
    if good:
        rows.append(
            Command("shows it gone", "exits 0 after printing gone", command(f"zarr=={good}"))
        )
    return rows
