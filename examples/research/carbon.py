#!/usr/bin/env python3
"""A scheduler plugin that is a program: pods go where power is clean.

A node's label "carbon" says how many grams of CO2 a kWh costs there. Nodes over the limit of the
pod's label "carbon-max" are filtered out; of the others, the cleaner one scores higher.
"""
import json
import sys

nodes = {}  # what we were told of the nodes, by name
unknown = 500  # grams, where a node does not say


def carbon(name):
    return int(nodes[name]["labels"].get("carbon", unknown))


for line in sys.stdin:
    told = json.loads(line)
    if "hello" in told:
        unknown = (told["hello"]["args"] or {}).get("unknown", unknown)
        answer = {"hello": {"protocol": 1, "points": ["filter", "score"]}}
    else:
        nodes.update((node["name"], node) for node in told["changed"])
        most = int(told["pod"]["metadata"].get("labels", {}).get("carbon-max", 10_000))
        dirty = {n: f"power too dirty ({carbon(n)} g)" for n in told["nodes"] if carbon(n) > most}
        clean = [n for n in told["nodes"] if n not in dirty]
        answer = {"id": told["id"], "filter": dirty,
                  "score": {n: max(0, 100 - carbon(n) // 10) for n in clean}}
    print(json.dumps(answer), flush=True)
