#!/usr/bin/env python3
"""Runs the lessons of docs/research as a person would type them: one shell a page, in a folder of its
own with a lab of its own. Every command must succeed, and each line of a `text` block must be in the
output of the `sh` block before it, in this order (runs of blanks count as one).

    research.py [PAGE ...]       a page names itself by its file: why.md
"""
import os
import re
import signal
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
BUILD = os.path.abspath(os.environ.get("CORACLE_BUILD", os.path.join(SOURCE, "build")))
PAGES = os.path.join(SOURCE, "docs/research")
LIMIT = 150
MARK = "@@@ block "


def blocks(page):
    with open(os.path.join(PAGES, page), encoding="utf-8") as f:
        return re.findall(r"^```(sh|text)\n(.*?)^```", f.read(), re.S | re.M)


def pages():
    """The lessons that begin with a lab of their own."""
    found = [p for p in sorted(os.listdir(PAGES)) if p.endswith(".md")]
    return [p for p in found if any("coracle up" in text for kind, text in blocks(p))]


def script(found):
    lines = ["set -e -o pipefail"]
    for number, (kind, text) in enumerate(found):
        if kind == "sh":
            lines += [f"echo '{MARK}{number}'", text]
    return "\n".join(lines)


def squeezed(text):
    return re.sub(r"[ \t]+", " ", text)


def missing(found, said):
    """The first line of a text block that the output of the block before it does not hold."""
    parts = dict(re.findall(rf"^{MARK}(\d+)\n(.*?)(?=^{MARK}|\Z)", said, re.S | re.M))
    output = ""
    for number, (kind, text) in enumerate(found):
        if kind == "sh":
            output = squeezed(parts.get(str(number), ""))
            continue
        at = 0
        for line in text.splitlines():
            at = output.find(squeezed(line), at)
            if at < 0:
                return line
            at += 1
    return None


def run(page):
    found = blocks(page)
    with tempfile.TemporaryDirectory(prefix="coracle-lesson-") as folder:
        os.symlink(os.path.join(SOURCE, "examples"), os.path.join(folder, "examples"))
        env = dict(os.environ, PATH=os.path.join(BUILD, "bin") + ":" + os.environ["PATH"])
        env.pop("KUBECONFIG", None)
        with open(os.path.join(folder, "output"), "w+", encoding="utf-8") as output:
            shell = subprocess.Popen(["bash", "-c", script(found)], cwd=folder, env=env,
                                     stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                     start_new_session=True)
            try:
                code = shell.wait(LIMIT)
            except subprocess.TimeoutExpired:
                code = f"nothing after {LIMIT} s"
            finally:
                try:
                    os.killpg(shell.pid, signal.SIGKILL)  # what it left in the background
                except ProcessLookupError:
                    pass
                subprocess.run([os.path.join(BUILD, "bin/coracle"), "down"], cwd=folder, check=False,
                               capture_output=True)
            output.seek(0)
            said = output.read()
    line = missing(found, said) if code == 0 else None
    if code == 0 and line is None:
        print(f"ok {page}", flush=True)
        return True
    print(said[-6000:])
    print(f"FAILED: {page}: " + (f"ended with {code}" if code else f"not in the output: {line}"))
    return False


def main():
    for program in ("coracle", "mini-kubectl", "scheduler"):
        if not os.path.exists(os.path.join(BUILD, "bin", program)):
            print(f"skipped: {program} is not built")
            return 77
    return 0 if all([run(page) for page in sys.argv[1:] or pages()]) else 1


if __name__ == "__main__":
    sys.exit(main())
