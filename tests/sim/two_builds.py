#!/usr/bin/env python3
"""The same seed gives the same bytes in two builds: an experiment on a whole simulated cluster, with faults
in every part of it (examples/research/same-seed.yaml), run by the program as it was built and by one whose
sources are compiled without optimisation; another seed must decide otherwise.

    two_builds.py            all sources of the program are compiled anew
    two_builds.py FOLDER ..  those of these folders: kvstore, apiserver, controller-manager, sim, ..

Takes the program's own compile and link commands, so it needs a finished build. Many sources are compiled at once
(batches.py)."""
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

import batches

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.abspath(os.environ.get("CORACLE_BUILD", os.path.join(SOURCE, "build")))
OUT = os.path.join(BUILD, "two-builds")
OUR_PCH = os.path.join(OUT, "headers.pch")
SCENARIO = os.path.join(SOURCE, "examples/research/same-seed.yaml")
PCH = "CMakeFiles/heavy_headers.dir/cmake_pch.hxx"
BATCH = 100_000  # characters: larger ones are hardly cheaper, and leave a processor idle at the end


def ninja(*args):
    return subprocess.run(["ninja", "-C", BUILD, "-t", *args], check=True, capture_output=True, text=True).stdout


def link_words():
    command = ninja("commands", "coracle-sim-bin").splitlines()[-1]
    return shlex.split(re.sub(r"^: && | && :$", "", command))


def unoptimised(words):
    """A compile command without optimisation, its profile and debug information, and the headers that go with it."""
    words = [w for w in words if not re.fullmatch(r"-O\d|-g\d?|-fprofile-use=.*|-ffunction-sections", w)]
    words[1:1] = ["-O0", "-w", "-Wfatal-errors"]
    words = [OUR_PCH if w.endswith(PCH + ".pch") else w for w in words]
    return (["ccache"] if shutil.which("ccache") else []) + words


def compiled(words, sure):
    env = dict(os.environ, CCACHE_SLOPPINESS="pch_defines,time_macros")
    done = subprocess.run(unoptimised(words), cwd=BUILD, env=env, capture_output=True, text=True)
    assert done.returncode == 0 or not sure, f"{words[-1]}: {done.stderr[-2000:]}"
    if done.returncode != 0:
        print("not at once:", next(l for l in done.stderr.splitlines() if "error" in l), flush=True)
    return done.returncode == 0


def compile_all(folders):
    """Sources of these folders that the program is made of (of all, if none are named): how many, and our objects."""
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as f:
        commands = {re.search(r" -o (\S+)", c["command"]).group(1): c["command"] for c in json.load(f)}
    # What it is linked of: not all it depends on, which has programs that write sources.
    linked = [w for w in link_words() if is_built(w)]
    members = re.findall(r"^    (\S+\.o)$", ninja("query", *(w for w in linked if w.endswith(".a"))), re.M)
    wanted = sorted(o for o in {*members, *linked} if o.endswith(".o") and is_of(o, folders))
    assert wanted, f"the program has no sources in {folders}"
    if PCH + ".pch" in commands:
        compiled(shlex.split(commands[PCH + ".pch"]), True)
    sources = [batches.Source(o, commands[o]) for o in wanted]
    objects, split = batches.compile_all(sources, BATCH, os.path.join(OUT, "objects"), compiled)
    return len(sources), objects, split


def is_built(word):
    return word.endswith((".o", ".a")) and not word.startswith("/")


def is_of(name, folders):
    return not folders or name.split("/")[0] in folders


def link(folders, objects, program):
    """As the build links it, with our objects in the place of the build's own, its archives for the rest."""
    words = link_words()
    words[words.index("-o") + 1] = program
    at = next(i for i, w in enumerate(words) if w.endswith(".o"))
    words[at:at] = objects
    words = [w for w in words if not (is_built(w) and w.endswith(".o") and is_of(w, folders))]
    done = subprocess.run(words + ["-Wl,--trace"], cwd=BUILD, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    read = done.stdout.splitlines()
    assert set(objects) <= set(read), "an object of ours is not in the program"
    theirs = [name for name in read if is_built(name.split("(")[0]) and is_of(name, folders)]
    assert not theirs, f"the build's own: {theirs}"


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
    os.makedirs(OUT)
    folders = sys.argv[1:]
    sources, objects, split = compile_all(folders)
    ours = os.path.join(OUT, "coracle-sim")
    link(folders, objects, ours)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{sources} sources without optimisation, in {len(objects)} batches (split: {' '.join(split) or 'none'}): "
          f"{spent.ru_utime + spent.ru_stime:.0f} s of CPU", flush=True)
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
