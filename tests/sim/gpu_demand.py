#!/usr/bin/env python3
"""coracle sim import and fgd, on a small trace made here; with --openb on the published one.

--openb needs the folder of OpenB: $CORACLE_OPENB, or ../shared/traces/openb. Without it: exit code 77, not tested.
"""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ.get("CORACLE_BUILD", "build"))
NODES = "openb_node_list_gpu_node.csv"
PODS = "openb_pod_list_default.csv"
POLICIES = ["Random", "DotProd", "GpuClustering", "GpuPacking", "BestFit", "FGD"]


def sim(*args):
    return subprocess.run([BUILD / "bin" / "coracle-sim", *map(str, args)], capture_output=True,
                          text=True, timeout=550)


def expect(holds, what, run=None):
    if holds:
        return
    print(f"FAILED: {what}")
    if run is not None:
        print(run.stdout, run.stderr, f"exit code {run.returncode}", sep="\n")
    sys.exit(1)


def make_trace(folder):
    """12 nodes of 1, 2, 4 and 8 GPUs; pods that share a GPU, and pods of one, two and eight."""
    with open(folder / NODES, "w", encoding="utf-8") as out:
        out.write("sn,cpu_milli,memory_mib,gpu,model\n")
        for i in range(12):
            out.write(f"n-{i},96000,393216,{[1, 2, 4, 8][i % 4]},T4\n")
    kinds = [(4000, 1, 500), (4000, 1, 300), (8000, 1, 1000), (16000, 2, 1000), (6000, 1, 700),
             (1000, 0, 0), (32000, 8, 1000)]
    with open(folder / PODS, "w", encoding="utf-8") as out:
        out.write("name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,"
                  "creation_time,deletion_time,scheduled_time\n")
        for i in range(60):
            cpu, count, milli = kinds[i % 7 if i % 28 < 14 else i % 6]
            out.write(f"p-{i:02},{cpu},4096,{count},{milli},,LS,Running,{i},{i + 100},{i}\n")


def small():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_trace(folder)
        trace = folder / "t.jsonl"
        run = sim("import", "openb", folder / NODES, folder / PODS, "--out", trace)
        expect(run.returncode == 0 and "pod gpu milli" in run.stdout, "import", run)
        expect(len(trace.read_text(encoding="utf-8").splitlines()) == 1 + 12 + 60,
               "a line for each node and pod", run)

        run = sim("fgd", "--trace", trace, "--seeds", 3, "--out", folder / "a")
        expect(run.returncode == 0, "fgd on a trace file", run)
        again = sim("fgd", "--trace", trace, "--seeds", 3, "--jobs", 1, "--out", folder / "b")
        expect(run.stdout == again.stdout, "the same table, however many runs at a time", again)
        for file in sorted(p.name for p in (folder / "a").iterdir()):
            expect((folder / "a" / file).read_bytes() == (folder / "b" / file).read_bytes(),
                   f"{file}: the same bytes")
        with open(folder / "a" / "table.csv", encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
        expect([row["policy"] for row in rows] == POLICIES, "every policy has its row", run)
        expect(all(60 < float(row["allocated_at_end"]) <= 100 for row in rows), "shares", run)
        other = sim("fgd", "--trace", trace, "--seeds", 3, "--first-seed", 7)
        expect(other.stdout != run.stdout, "other seeds give another table", other)

        run = sim("fgd", "--trace", folder, "--pods", "none")
        expect(run.returncode == 1 and "openb_pod_list_none.csv: cannot be read" in run.stderr,
               "a list of pods that is not there", run)
        run = sim("fgd", "--trace", trace, "--policies", "Best")
        expect(run.returncode == 2 and "there is no policy Best" in run.stderr, "no policy", run)
        run = sim("import", "openb", folder / PODS, folder / NODES, "--out", trace)
        expect(run.returncode == 2 and f"{PODS}:1: there is no column sn" in run.stderr,
               "files in the wrong order", run)


def openb():
    folder = os.environ.get("CORACLE_OPENB", "../shared/traces/openb")
    if not (pathlib.Path(folder) / PODS).exists():
        print(f"{folder}: the published trace is not there; not tested")
        sys.exit(77)
    run = sim("fgd", "--trace", folder, "--seeds", 1)
    print(run.stdout)
    expect(run.returncode == 0 and "order: the same; within 1 point" in run.stdout,
           "the order of the paper, within a point of it", run)


if __name__ == "__main__":
    if sys.argv[1:] == ["--openb"]:
        openb()
    else:
        small()
