"""Makes a function for pytest of a finding's script, to be pasted into a test suite.

The script runs as it is, in an interpreter of its own: it may fork, kill itself, or hang, and a
pool that spawns imports it from its file.
"""

import re

FUNCTION = """\
import os
import subprocess
import sys


# {headline}
def {name}(tmp_path):
    script = tmp_path / "repro.py"
    script.write_text({script}, encoding="utf-8")
    # What this test can import, the script can import too.
    own = [path for path in sys.path if path and not path.startswith(sys.base_prefix)]
    with open(tmp_path / "output", "w+", encoding="utf-8") as output:
        done = subprocess.run(
            [sys.executable, script],
            env={{**os.environ, "PYTHONPATH": os.pathsep.join(own)}},
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=120,
        )
        output.seek(0)
        assert done.returncode == 0, output.read()
"""
# What a script says for `uv run` alone: here its zarr is that of the test.
FOR_UV = re.compile(r"# /// script\n(?:#[^\n]*\n)*?# ///\n")
LONGEST_NAME = 80


def name_of(fingerprint: str) -> str:
    """Makes the name of the function."""
    word = re.sub(r"\W+", "_", fingerprint).strip("_").lower()
    return f"test_{word[:LONGEST_NAME].rstrip('_')}"


def literal(text: str) -> str:
    """Gives a text as Python: as it is between quotes, if it stays itself there."""
    for quotes in ("'''", '"""'):
        if quotes not in text and text.endswith("\n") and "\r" not in text:
            return f"r{quotes}{text}{quotes}"
    return repr(text)


def pytest_function(fingerprint: str, headline: str, script: str) -> str:
    """Gives the function, and the imports that it needs."""
    return FUNCTION.format(
        headline=" ".join(headline.split()),
        name=name_of(fingerprint),
        script=literal(FOR_UV.sub("", script, count=1)),
    )
