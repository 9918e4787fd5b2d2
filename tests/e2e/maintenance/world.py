"""The store's test cluster, for the suites of this folder."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../store"))
from cluster import *  # noqa: E402,F401,F403
from cluster import STORECTL  # noqa: E402


def storectl(*args, code=0):
    done = subprocess.run([STORECTL, *args], capture_output=True, text=True, timeout=60)
    if code is not None and done.returncode != code:
        raise AssertionError(f"storectl {args}: {done.returncode}: {done.stdout}{done.stderr}")
    return done
