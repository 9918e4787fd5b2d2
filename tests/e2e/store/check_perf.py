#!/usr/bin/env python3
"""`etcdctl check perf` on three members: check_perf.py [s|m|l|xl]. It takes a minute."""
import subprocess
import sys

from cluster import check, running
from twins import ENV


def main():
    load = sys.argv[1] if len(sys.argv) > 1 else "s"
    with running(3) as c:
        c.wait_leader()
        done = subprocess.run(["etcdctl", "--endpoints=" + c.endpoints, "check", "perf",
                               "--load=" + load, "--auto-compact", "--auto-defrag"], env=ENV,
                              capture_output=True, text=True, timeout=150)
        verdicts = [line for line in done.stdout.split("\n") if line.startswith(("PASS", "FAIL"))]
        print("\n".join(verdicts), flush=True)
        check(done.returncode == 0, f"exit code {done.returncode}: {done.stdout}{done.stderr}")
        check(verdicts and all(v.startswith("PASS") for v in verdicts), "not all PASS")
        check(c.out("get", "/etcdctl-check-perf/", "--prefix", "--keys-only") == "", "keys are left")


if __name__ == "__main__":
    main()
