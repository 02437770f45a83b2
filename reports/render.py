"""Draws the pages of a run: `python reports/render.py RUN [--security]`.

Writes RUN/index.html, a README.md beside each finding's repro.py, an issue.md beside those that are
to be filed, and what a CI reads: RUN/summary.md, RUN/findings.sarif and RUN/junit.xml. What has
`security` stays out of issue.md and findings.sarif, which are published; --security puts it in. The
same run gives the same bytes. Exits 2
with one sentence if RUN is missing, broken or cannot be written, and 3 if the machine fails: its
disk is full, or broken.
"""

import base64
import errno
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

import junit
import sarif
import telling
from drawing import TEMPLATES, template_environment, write
from pytest_function import pytest_function
from run_directory import BrokenRunError, Run, clean_text, cut, kept_as_seen, read_run

DEFECTS = Path(__file__).parent / "defects"
SUMMARY_ROWS = 50
SUMMARY_UNCONFIRMED = 10
LONGEST_SENTENCE = 400
LONGEST_TEXT = 2_000  # of a row, an answer or a step
# As cannot_write of harness/base/files.cc.
FAULTS_OF_THE_MACHINE = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO),
    *(errno.ENOMEM, errno.EMFILE, errno.ENFILE),
}


class Markdown(str):
    """Text that is Markdown already; everything else is escaped on its way into a template."""


def shortened(text: str, limit: int = LONGEST_TEXT) -> str:
    """Cuts a text that would fill the page."""
    return cut(text, limit)


def code_spans(text: str) -> list[tuple[bool, str]]:
    """Splits a sentence at its backticks into (is code, text); odd backticks mark nothing."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return [(False, text)]
    return [(place % 2 == 1, part) for place, part in enumerate(parts) if part]


def html_sentence(text: str) -> Markup:
    """Escapes a sentence for HTML, its backticks made code."""
    spans = code_spans(shortened(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if is_code else escape(part)
        for is_code, part in spans
    )


def html_link(address: str, text: str) -> Markup:
    """Links to a web address; of any other only the text stays, so that no script can be linked."""
    if not re.fullmatch(r"https?://[^\s\"'<>]+", address):
        return escape(text)
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(address, text)


def markdown_escaped(text: str) -> str:
    """Escapes all that Markdown would read as more than text; no link or mention comes about."""
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = re.sub(r"([\\`*_\[\]#|~>$])", r"\\\1", text)
    return re.sub(r"(?i)(://|www\.)|@", lambda found: f"{found[0][:-1]}\\{found[0][-1]}", text)


def one_line(text: str) -> str:
    """Puts a text on one line."""
    return " ".join(text.split())


def markdown_prose(value: Any) -> Markdown:
    """Escapes a value for one line of Markdown, also in a table; Markdown stays as it is."""
    if isinstance(value, Markdown):
        return value
    return Markdown(markdown_escaped(shortened(one_line(str(value)))))


def markdown_code(value: Any) -> Markdown:
    """Makes text a code span of one line, also inside a table."""
    text = shortened(one_line(str(value)))
    if not text:
        return Markdown("")
    if "|" in text:
        coded = re.sub(r"[^\w ./=-]|_", lambda found: f"&#{ord(found[0])};", text)
        return Markdown(f"<code>{coded}</code>")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if longest else ""
    return Markdown(f"{fence}{padding}{text}{padding}{fence}")


def markdown_block(text: str, language: str = "") -> Markdown:
    """Makes text a fenced block that it cannot leave."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markdown(f"{fence}{language}\n{text.rstrip()}\n{fence}")


def markdown_code_or_block(text: str) -> Markdown:
    """Makes text a code span, or a fenced block below its line if it has several lines."""
    return Markdown(f"\n\n{markdown_block(text)}") if "\n" in text else markdown_code(text)


def markdown_sentence(text: str) -> Markdown:
    """Escapes a sentence for Markdown, its backticks kept as code."""
    spans = code_spans(cut(one_line(text), LONGEST_SENTENCE))
    return Markdown(
        "".join(markdown_code(part) if code else markdown_escaped(part) for code, part in spans)
    )


def digest_of(script: str) -> str:
    """Names a script in the page's policy: no other can run, whatever a text of the run holds."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def environments() -> tuple[Environment, Environment]:
    """Makes the template environments of HTML and of Markdown; both escape by default."""

    def make(**more: Any) -> Environment:
        environment = template_environment(**more)
        environment.globals["t"] = telling
        environment.filters["shortened"] = shortened
        return environment

    html = make(autoescape=True)
    html.filters.update(sentence=html_sentence, link=html_link, data=json.dumps)
    markdown = make(autoescape=False, finalize=markdown_prose)
    markdown.filters.update(sentence=markdown_sentence, code=markdown_code, block=markdown_block)
    markdown.filters["code_or_block"] = markdown_code_or_block
    return html, markdown


def defect_pages(run: Run) -> dict[str, str]:
    """Gives the texts of our pages about the defects that a run met again, by name."""
    names = {finding["known"]["page"] for finding in run.findings if finding["known"]}
    names |= {it["page"] for it in run.about.get("mended_here", [])}
    paths = {
        name: DEFECTS / f"{name}.md" for name in names if re.fullmatch("[a-z0-9-]{1,100}", name)
    }
    return {
        name: clean_text(path.read_text("utf-8"))
        for name, path in sorted(paths.items())
        if path.is_file()
    }


def function_of(run: Run, finding: dict[str, Any]) -> str:
    """Gives the function for pytest of a finding; empty if its script cannot be shown whole."""
    name = finding["fingerprint"]
    if name not in run.repros or name in run.altered:
        return ""
    return pytest_function(name, finding["headline"], run.repros[name])


def has_readme(finding: dict[str, Any]) -> bool:
    """Tells whether a finding has a folder: of what is known there is mostly nothing to keep."""
    return finding["script"] or not finding["known"]


def to_be_filed(run: Run, finding: dict[str, Any], security: bool) -> bool:
    """Tells whether a finding gets the text of an issue: it is new, no trifle, and can be shown."""
    if finding["known"] or finding["question"] or telling.mild(finding):
        return False
    name = finding["fingerprint"]
    whole = name in run.repros and name not in run.altered
    return whole and (security or not finding["security"])


def pages(run: Run, security: bool = False) -> dict[str, str]:
    """Draws every page of a run; gives its text by its path in the run directory."""
    html, markdown = environments()
    new, known = telling.split_known(run)
    parts = telling.sections(run)
    script = (TEMPLATES / "page.js").read_text("utf-8")
    shared: dict[str, Any] = {
        "run": run,
        "about": run.about,
        "verdict": telling.verdict(run),
        "notices": telling.notices(run),
        "parts": parts,
        "function_of": function_of,
    }
    readme = markdown.get_template("finding.md.j2")
    drawn = {
        f"findings/{finding['fingerprint']}/README.md": readme.render(finding=finding, **shared)
        for finding in [*filter(kept_as_seen, run.seen), *run.unconfirmed, *run.findings]
        if has_readme(finding)
    }
    issue = markdown.get_template("issue.md.j2")
    drawn |= {
        f"findings/{finding['fingerprint']}/issue.md": issue.render(finding=finding, **shared)
        for finding in run.findings
        if to_be_filed(run, finding, security)
    }
    summary = markdown.get_template("summary.md.j2")
    drawn["summary.md"] = summary.render(
        new=new, known=known, most=SUMMARY_ROWS, named=SUMMARY_UNCONFIRMED, **shared
    )
    drawn["index.html"] = html.get_template("index.html.j2").render(
        choices=telling.choices(parts.all()),
        defect_pages=defect_pages(run),
        script=Markup(script),
        script_digest=digest_of(script),
        **shared,
    )
    return drawn | {"findings.sarif": sarif.sarif(run, security), "junit.xml": junit.junit(run)}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; gives its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    security = "--security" in given
    if security:
        given.remove("--security")
    if len(given) != 1:
        print("report: render.py takes one run directory.", file=sys.stderr)
        return 2
    directory = Path(given[0])
    try:
        for name, text in pages(read_run(directory), security).items():
            write(directory / name, text)
    except BrokenRunError as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"report: cannot write into {directory}: {error.strerror}.", file=sys.stderr)
        return 3 if error.errno in FAULTS_OF_THE_MACHINE else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
