#!/usr/bin/env python3
"""The same seed gives the same bytes in two builds: an experiment on a whole simulated cluster, with faults
in every part of it (examples/research/same-seed.yaml), run by the program as it was built and by one whose
sources are compiled without optimisation; another seed must decide otherwise.

    two_builds.py            the sources of the scheduler and the simulation are compiled anew
    two_builds.py FOLDER ..  those of these folders: kvstore, apiserver, controller-manager, sim, ..

Takes the program's own compile and link commands, so it needs a finished build."""
import concurrent.futures
import filecmp
import json
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.abspath(os.environ.get("CORACLE_BUILD", os.path.join(SOURCE, "build")))
OUT = os.path.join(BUILD, "two-builds")
SCENARIO = os.path.join(SOURCE, "examples/research/same-seed.yaml")
FOLDERS = ["scheduler", "sim"]
PCH = "CMakeFiles/heavy_headers.dir/cmake_pch.hxx"


def ninja(*args):
    return subprocess.run(["ninja", "-C", BUILD, "-t", *args], check=True, capture_output=True, text=True).stdout


def link_words():
    command = ninja("commands", "coracle-sim-bin").splitlines()[-1]
    return shlex.split(re.sub(r"^: && | && :$", "", command))


def unoptimised(command, output):
    """A compile command without optimisation and debug information, and the headers that go with it."""
    words = [w for w in shlex.split(command) if not re.fullmatch(r"-O\d|-g\d?", w)]
    words[words.index("-o") + 1] = output
    words.insert(1, "-O0")
    ours = os.path.join(OUT, "headers.pch")
    words = [ours if w.endswith(PCH + ".pch") and w != output else w for w in words]
    return (["ccache"] if shutil.which("ccache") else []) + words


def compile_all(folders):
    """Objects of these folders that the program is linked of: (as the build calls it, ours)."""
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as f:
        commands = {re.search(r" -o (\S+)", c["command"]).group(1): c["command"] for c in json.load(f)}
    # What it is linked of: not all it depends on, which has programs that write sources.
    linked = [w for w in link_words() if w.endswith((".o", ".a")) and not w.startswith("/")]
    members = re.findall(r"^    (\S+\.o)$", ninja("query", *(w for w in linked if w.endswith(".a"))), re.M)
    wanted = sorted(o for o in {*members, *linked} if o.endswith(".o") and o.split("/")[0] in folders)
    assert wanted, f"the program has no sources in {folders}"
    env = dict(os.environ, CCACHE_SLOPPINESS="pch_defines,time_macros")

    def compile_one(command, output):
        os.makedirs(os.path.dirname(output), exist_ok=True)
        done = subprocess.run(unoptimised(command, output), cwd=BUILD, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"{output}: {done.stderr[-2000:]}"
        return output

    if PCH + ".pch" in commands:
        compile_one(commands[PCH + ".pch"], os.path.join(OUT, "headers.pch"))
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        ours = list(pool.map(lambda o: compile_one(commands[o], os.path.join(OUT, o)), wanted))
    return list(zip(wanted, ours))


def link(objects, program):
    """As the build links it, with our objects in the place of those of its archives."""
    words = link_words()
    words[words.index("-o") + 1] = program
    rest = []
    for theirs, ours in objects:
        if theirs in words:
            words[words.index(theirs)] = ours
        else:
            rest.append(ours)
    at = next(i for i, w in enumerate(words) if w.endswith(".o")) + 1
    words[at:at] = rest
    done = subprocess.run(words + ["-Wl,--trace"], cwd=BUILD, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    replaced = {(o.split("/CMakeFiles/")[0], os.path.basename(o)) for o, _ in objects}
    for archive, member in re.findall(r"^(\S+\.a)\(([^)]+)\)$", done.stdout, re.M):
        assert (os.path.dirname(archive), member) not in replaced, f"{archive}({member}) is the build's"


def run(program, seed, out):
    done = subprocess.run([program, "run", SCENARIO, "--seed", str(seed), "--out", out], capture_output=True,
                          text=True)
    assert os.path.exists(os.path.join(out, "run.json")), (done.returncode, done.stdout, done.stderr)
    return set(os.listdir(out))


def main():
    theirs = os.path.join(BUILD, "bin", "coracle-sim")
    if not os.path.exists(theirs):
        print("skipped: coracle-sim is not built")
        return 77
    shutil.rmtree(OUT, ignore_errors=True)
    objects = compile_all(sys.argv[1:] or FOLDERS)
    ours = os.path.join(OUT, "coracle-sim")
    link(objects, ours)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{len(objects)} sources without optimisation: {spent.ru_utime + spent.ru_stime:.0f} s of CPU", flush=True)
    first = None
    for seed in (1, 2):
        a, b = (os.path.join(OUT, f"{name}-{seed}") for name in ("theirs", "ours"))
        names = run(theirs, seed, a)
        assert names == run(ours, seed, b), "other files"
        _, differ, errors = filecmp.cmpfiles(a, b, names, shallow=False)
        assert not differ and not errors, f"seed {seed}: {differ} differ, {errors} are missing"
        with open(os.path.join(a, "decisions.jsonl"), "rb") as f:
            decisions = f.read()
        assert len(decisions.splitlines()) > 50, "hardly any decisions"
        with open(os.path.join(a, "events.csv"), encoding="utf-8") as f:
            assert "store-kill" in f.read(), "no faults"
        assert decisions != first, "another seed, the same decisions"
        first = decisions
        print(f"seed {seed}: {len(names)} files are equal", flush=True)
    shutil.rmtree(OUT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
