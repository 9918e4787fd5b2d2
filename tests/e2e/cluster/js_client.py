#!/usr/bin/env python3
"""The official JavaScript client (npm's @kubernetes/client-node) at work: js_client/client.mjs. It is
installed into the build folder by its lock file; without npm, or a registry, the test is skipped and
says so."""
import os
import shutil
import subprocess

from lab import BIN, Lab, check, check_equal, main, skip
from compaction import forget_the_past

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "js_client")
INSTALLED = os.path.join(os.path.dirname(BIN), "js_client")


def install():
    for program in ("node", "npm"):
        if not shutil.which(program):
            skip(f"there is no {program}")
    os.makedirs(INSTALLED, exist_ok=True)
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(os.path.join(SOURCES, name), INSTALLED)
    with open(os.path.join(SOURCES, "package-lock.json")) as f:
        wanted = f.read()
    stamp = os.path.join(INSTALLED, "installed")
    if os.path.exists(stamp) and open(stamp).read() == wanted:
        return
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                          cwd=INSTALLED, capture_output=True, text=True, timeout=100)
    if done.returncode != 0:
        skip("npm cannot install the client: " + done.stderr.strip()[-300:])
    with open(stamp, "w") as f:
        f.write(wanted)


def javascript():
    install()
    with Lab(replicas=1, nodes=1) as lab:
        client = subprocess.Popen(["node", os.path.join(INSTALLED, "client.mjs")], env=lab.env,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        try:
            parts = 0
            for line in client.stdout:
                print("  " + line.strip(), flush=True)
                parts += line.startswith("ok ")
                if line.strip() == "step compact":
                    forget_the_past(lab)
                    client.stdin.write("\n")
                    client.stdin.flush()
            text = client.stderr.read()
            check_equal(client.wait(10), 0, "the client's exit: " + text)
            check(parts == 4, f"{parts} parts were done")
        finally:
            if client.poll() is None:
                client.kill()
                client.wait()


if __name__ == "__main__":
    main([javascript], limit=220)
