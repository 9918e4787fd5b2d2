#!/usr/bin/env python3
"""Replays recordings of a real cluster (../shared/golden, or CORACLE_GOLDEN) with stock kubectl and
with mini-kubectl. Fails on any step that differs.

    golden.py [SCENARIO ...]      instead of the ones that must be right
"""
import argparse
import difflib
import importlib.util
import os
import re
import sys

from lab import SOURCE, Lab, check, client_path, main, skip

FOLDER = os.environ.get("CORACLE_GOLDEN", os.path.join(SOURCE, "../shared/golden"))
SCENARIOS = ["pods", "deployments", "workloads", "config", "services", "apply", "rbac"]
CLIENTS = ["kubectl", "mini-kubectl"]

# Steps whose lines may come in another order, with stock kubectl.
UNORDERED = {
    ("config", "kubectl describe configmap"): "it prints the keys in Go's random map order",
    ("config", "kubectl describe secret"): "it prints the keys in Go's random map order",
}
# Lines that are printed or not, as the pods end before the client has started and looks, or after.
RACES = {
    ("services", "kubectl wait --for=delete"): r"pod/\S+ condition met",
    ("deployments", "kubectl wait --for=delete"): r"pod/\S+ condition met",
}


def runner():
    path = os.path.join(FOLDER, "run.py")
    if not os.path.exists(path):
        skip(f"there is no {os.path.normpath(path)}")
    spec = importlib.util.spec_from_file_location("golden_run", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def recorded(scenario, folder):
    with open(os.path.join(folder, scenario + ".golden")) as f:
        steps = f.read().split("\n$ ")
    return [s.rstrip("\n") for s in [steps[0], *("$ " + s for s in steps[1:])]]


def reason(table, scenario, command):
    return next((why for (where, part), why in table.items()
                 if where == scenario and part in command), None)


def settled(scenario, text):
    """The step without the lines that hang on who was faster."""
    command, *lines = text.split("\n")
    race = reason(RACES, scenario, command)
    return [command, *(l for l in lines if not race or not re.fullmatch(race, l))]


def compare(client, scenario, want, got):
    """The steps that differ and may not; prints what there is to say."""
    same, wrong = 0, []
    for expected, printed in zip(want, got):
        command = expected.split("\n")[0][2:]
        if settled(scenario, expected) == settled(scenario, printed):
            same += 1
        elif client == "kubectl" and reason(UNORDERED, scenario, command) and \
                sorted(expected.split("\n")) == sorted(printed.split("\n")):
            same += 1
        else:
            wrong.append(f"{client}, {scenario}: {command}")
            print("\n".join("    " + line for line in difflib.unified_diff(
                expected.split("\n"), printed.split("\n"), "recorded", "printed", lineterm="",
                n=99)))
    print(f"  {client:13} {scenario:12} {same}/{len(want)} steps as recorded", flush=True)
    check(len(want) == len(got), f"{scenario}: {len(got)} steps were played, not {len(want)}")
    return wrong


# kubectl looks at the pod by name after it asked for its deletion. When the StatefulSet's next pod of
# that name is there already, which takes milliseconds here and seconds in the recorded cluster, it waits
# for the deletion of that one for ever: such a scenario is played once more.
HANGS = {"kubectl, workloads: kubectl delete pod web-0"}


def golden(scenarios, folder=FOLDER, write=False):
    """write: what stock kubectl prints becomes what is expected."""
    module = runner()
    wrong = []
    with Lab(replicas=1, nodes=3) as lab:
        for client in CLIENTS:
            if client_path(client) is None:
                print(f"  {client} is not built: not tried", flush=True)
                continue
            args = argparse.Namespace(kubectl=client_path(client),
                                      kubeconfig=lab.env["KUBECONFIG"])
            for scenario in scenarios:
                def play():
                    got = module.play(os.path.join(folder, scenario + ".scn"), args)
                    if write and client == "kubectl":
                        with open(os.path.join(folder, scenario + ".golden"), "w") as f:
                            f.write("\n".join(got))
                    return compare(client, scenario, recorded(scenario, folder),
                                   [g.rstrip("\n") for g in got])
                differ = play()
                wrong += play() if differ and set(differ) <= HANGS else differ
    check(not wrong, f"{len(wrong)} steps differ:\n  " + "\n  ".join(wrong))


if __name__ == "__main__":
    chosen = sys.argv[1:] or SCENARIOS
    sys.argv[1:] = []

    def recordings():
        golden(chosen)
    main([recordings], limit=520)
