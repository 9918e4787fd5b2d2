#!/usr/bin/env python3
"""Runs the commands of pages under docs/store as a person would type them: one shell a page, in a
folder of its own, on free ports. Every command must succeed; members get time to become ready."""
import os
import re
import signal
import subprocess
import sys
import tempfile

from world import BUILD, free_ports

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
PAGES = ["snapshots.md", "alarms.md", "looking-inside.md"]
PORTS = ["12379", "12380", "12381", "22379", "22380", "22381", "32379", "32380", "32381"]
PATIENT = """
etcdctl() {  # a person waits until the member is up
  for i in $(seq 50); do command etcdctl "$@" && return 0; sleep 0.2; done; return 1
}
"""


def commands(page):
    with open(os.path.join(SOURCE, "docs/store", page), encoding="utf-8") as f:
        blocks = re.findall(r"```sh\n(.*?)```", f.read(), re.S)
    text = "\n".join(blocks)
    for port, free in zip(PORTS, free_ports(len(PORTS))):
        text = text.replace(port, str(free))
    return text


def run(page):
    env = dict(os.environ, ETCDCTL_API="3",
               PATH=os.path.abspath(os.path.join(BUILD, "bin")) + ":" + os.environ["PATH"])
    with tempfile.TemporaryDirectory(prefix="coracle-docs-") as folder:
        script = "set -e -o pipefail\n" + PATIENT + commands(page)
        with open(os.path.join(folder, "output"), "w+", encoding="utf-8") as output:
            shell = subprocess.Popen(["bash", "-c", script], cwd=folder, env=env, stdout=output,
                                     stderr=output, stdin=subprocess.DEVNULL,
                                     start_new_session=True)
            try:
                code = shell.wait(180)
            finally:
                os.killpg(shell.pid, signal.SIGKILL)  # the group that was made for this shell
            output.seek(0)
            said = output.read()
        if code != 0:
            print(said[-4000:])
            print(f"FAILED: {page} ended with {code}")
            return False
        print(f"ok {page}", flush=True)
        return True


if __name__ == "__main__":
    pages = sys.argv[1:] or PAGES
    sys.exit(0 if all([run(page) for page in pages]) else 1)
