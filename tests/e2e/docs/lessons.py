#!/usr/bin/env python3
"""Runs the lessons of docs/research as a person would type them, each in a folder of its own.

Every line of a lesson's shell blocks must succeed, or end as its comment says: "# exit 1",
"# exit 0 or 1": `lessons.py NAME...`"""
import os
import re
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
BUILD = os.path.abspath(os.environ.get("CORACLE_BUILD", os.path.join(SOURCE, "build")))
LESSONS = os.path.join(SOURCE, "docs/research")


def lines_of(lesson):
    with open(os.path.join(LESSONS, lesson + ".md"), encoding="utf-8") as f:
        blocks = re.findall(r"```sh\n(.*?)```", f.read(), re.S)
    text = "\n".join(blocks).replace("\\\n", " ")
    return [l for l in text.splitlines() if l.strip() and not l.lstrip().startswith("#")]


def allowed(line):
    said = re.search(r"#.*\bexit (\d+)(?: or (\d+))?", line)
    return [int(g) for g in said.groups() if g] if said else [0]


def run(lesson, folder):
    for name in ("examples", "docs"):
        os.symlink(os.path.join(SOURCE, name), os.path.join(folder, name))
    env = dict(os.environ, PATH=os.path.join(BUILD, "bin") + ":" + os.environ["PATH"])
    for line in lines_of(lesson):
        if line.startswith("export "):
            continue  # set above, for a folder elsewhere
        print("$", line, flush=True)
        done = subprocess.run(["bash", "-c", line], cwd=folder, env=env, capture_output=True,
                              text=True, timeout=300, stdin=subprocess.DEVNULL)
        print((done.stdout + done.stderr)[:4000], end="", flush=True)
        if done.returncode not in allowed(line):
            print(f"FAILED with {done.returncode}: {line}")
            return False
    return True


def main():
    if not os.path.exists(os.path.join(BUILD, "bin", "coracle-sim")):
        print("skipped: coracle-sim is not built")
        return 77
    failed = []
    for name in sys.argv[1:]:
        print(f"== {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="coracle-lesson-") as folder:
            if not run(name, folder):
                failed.append(name)
    print("all lessons work" if not failed else "these do not: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
