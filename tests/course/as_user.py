#!/usr/bin/env python3
"""Runs a test as a user of no name and no rights, as most students are: when the suite itself is run
by root. Others need no such test: they are that user (exit code 77).

    as_user.py SCRIPT [ARGS]

The user's id belongs to nobody. Where he may not read the build folder (CORACLE_BUILD) or the
sources, he gets a copy.
"""
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
PYTHON = "/usr/bin/python3"  # ours may be root's own
UNUSED_ID = 61234  # between those of people and of services on Debian
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.abspath(os.environ.get("CORACLE_BUILD", "build"))


def drop():
    os.setgroups([])
    os.setgid(UNUSED_ID)
    os.setuid(UNUSED_ID)
    os.umask(0o022)


def may_read(*paths):
    tried = subprocess.run(["ls", "--", *paths], preexec_fn=drop, cwd="/", check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return tried.returncode == 0


def own(folder):
    for path, folders, files in os.walk(folder):
        for name in [".", *folders, *files]:
            os.chown(os.path.join(path, name), UNUSED_ID, UNUSED_ID, follow_symlinks=False)


def run(script, arguments):
    home = tempfile.mkdtemp(prefix="coracle-user-")
    source, build = SOURCE, BUILD
    try:
        if not may_read(os.path.abspath(script), os.path.join(BUILD, "bin", "kubelet-sim")):
            source, build = os.path.join(home, "source"), os.path.join(home, "build")
            for part in ("tests", "examples", "docs"):
                shutil.copytree(os.path.join(SOURCE, part), os.path.join(source, part))
            shutil.copytree(os.path.join(BUILD, "bin"), os.path.join(build, "bin"))
        own(home)
        script = os.path.join(source, os.path.relpath(os.path.abspath(script), SOURCE))
        env = dict(os.environ, HOME=home, TMPDIR=home, CORACLE_BUILD=build, USER="nobody-known")
        return subprocess.run([PYTHON, script, *arguments], preexec_fn=drop, cwd=home,
                              env=env, check=False).returncode
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: we are an ordinary user already")
        sys.exit(SKIPPED)
    sys.exit(run(sys.argv[1], sys.argv[2:]))
