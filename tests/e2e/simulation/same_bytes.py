#!/usr/bin/env python3
"""Same scenario, same seed: every file of the output directory is equal, byte by byte, run after run,
whatever the folder and the machine's load; with faults on. Another seed differs."""
import filecmp
import os
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
BUILD = os.path.abspath(os.environ.get("CORACLE_BUILD", os.path.join(SOURCE, "build")))
SIM = os.path.join(BUILD, "bin", "coracle-sim")
SCENARIOS = ["first", "same-seed"]  # on the placement engine; on the whole cluster


def run(scenario, seed, out):
    done = subprocess.run([SIM, "run", os.path.join(SOURCE, "examples/research", scenario + ".yaml"),
                           "--seed", str(seed), "--out", out], capture_output=True, text=True)
    if done.returncode not in (0, 1) or not os.path.exists(os.path.join(out, "run.json")):
        sys.exit(f"{scenario}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return set(os.listdir(out))


def main():
    if not os.path.exists(SIM):
        print("skipped: coracle-sim is not built")
        return 77
    for scenario in SCENARIOS:
        with tempfile.TemporaryDirectory(prefix="coracle-same-") as folder:
            a, b, c = (os.path.join(folder, *name) for name in (("a",), ("deep", "er", "b"), ("c",)))
            names = run(scenario, 1, a)
            assert names == run(scenario, 1, b), f"{scenario}: other files"
            _, differ, errors = filecmp.cmpfiles(a, b, names, shallow=False)
            assert not differ and not errors, f"{scenario}: {differ} differ, {errors} are missing"
            decisions = os.path.join(a, "decisions.jsonl")
            assert os.path.getsize(decisions) > 10_000, f"{scenario}: hardly any decisions"
            assert os.path.getsize(os.path.join(a, "events.csv")) > 20, f"{scenario}: no faults"
            for name in names:
                with open(os.path.join(a, name), "rb") as f:
                    assert folder.encode() not in f.read(), f"{scenario}: {name} names its folder"
            run(scenario, 2, c)
            assert not filecmp.cmp(decisions, os.path.join(c, "decisions.jsonl"), shallow=False), \
                f"{scenario}: another seed, the same decisions"
            print(f"{scenario}: {len(names)} files are equal; another seed differs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
