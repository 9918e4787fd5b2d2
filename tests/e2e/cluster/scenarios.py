#!/usr/bin/env python3
"""Plays the scenarios of tests/golden with stock kubectl and with mini-kubectl, as golden.py plays
recorded ones. Fails on any step that differs.

    scenarios.py [--write] [SCENARIO ...]     --write: what is printed becomes what is expected
"""
import os
import sys

import golden
from lab import SOURCE, main

FOLDER = os.path.join(SOURCE, "tests/golden")
SCENARIOS = ["errors", "patches", "storage", "crds", "policies"]

if __name__ == "__main__":
    write = "--write" in sys.argv
    chosen = [a for a in sys.argv[1:] if a != "--write"] or SCENARIOS
    sys.argv[1:] = []

    def scenarios():
        golden.golden(chosen, FOLDER, write=write)
    main([scenarios], limit=230)
