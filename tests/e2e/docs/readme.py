#!/usr/bin/env python3
"""Runs the five-minute tour of the README as a person would type it, in a folder of its own.

Every line of the section's shell block must succeed; a line is given some time, because a person is
slower than a script (a crashed container has a log only once it ran)."""
import os
import re
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
BUILD = os.path.abspath(os.environ.get("CORACLE_BUILD", os.path.join(SOURCE, "build")))
PATIENCE = 30


def tour():
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as f:
        text = f.read()
    section = text.split("## Five minutes")[1].split("\n## ")[0]
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", section, re.S)).splitlines()
    return [l for l in lines if l.strip() and not l.lstrip().startswith("#")]


def run(line, folder, env):
    end = time.monotonic() + PATIENCE
    while True:
        done = subprocess.run(["bash", "-c", line], cwd=folder, env=env, capture_output=True,
                              text=True, timeout=180, stdin=subprocess.DEVNULL)
        if done.returncode == 0 or time.monotonic() > end:
            return done
        time.sleep(0.2)


def main():
    coracle = os.path.join(BUILD, "bin", "coracle")
    for program in ("mini-kubectl", "scheduler"):
        if not os.path.exists(os.path.join(BUILD, "bin", program)):
            print(f"skipped: {program} is not built")
            return 77
    with tempfile.TemporaryDirectory(prefix="coracle-readme-") as folder:
        os.symlink(os.path.join(SOURCE, "examples"), os.path.join(folder, "examples"))
        env = dict(os.environ, ETCDCTL_API="3", KUBECONFIG=os.path.join(folder, ".coracle/kubeconfig"),
                   PATH=os.path.join(BUILD, "bin") + ":" + os.environ["PATH"])
        try:
            subprocess.run([coracle, "up", "--port", "26443"], cwd=folder, check=True)
            for line in tour():
                print("$", line, flush=True)
                if line.startswith("export "):
                    continue  # set above, for a folder elsewhere
                done = run(line, folder, env)
                print(done.stdout + done.stderr, end="", flush=True)
                if done.returncode:
                    print(f"FAILED with {done.returncode}: {line}")
                    return 1
        finally:
            subprocess.run([coracle, "down"], cwd=folder)
    print("the tour works")
    return 0


if __name__ == "__main__":
    sys.exit(main())
