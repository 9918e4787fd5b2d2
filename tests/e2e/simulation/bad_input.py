#!/usr/bin/env python3
"""Bad files and flags of coracle-sim: named clearly, with exit code 2; a policy whose plugin fails stops
the experiment or is skipped, as the file says."""
import os
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
BUILD = os.path.abspath(os.environ.get("CORACLE_BUILD", os.path.join(SOURCE, "build")))
SIM = os.path.join(BUILD, "bin", "coracle-sim")
GOOD = """apiVersion: sim.coracle.dev/v1alpha1
kind: Scenario
metadata: {name: t}
engine: placement
duration: 10m
cluster: {nodes: [{class: m, count: 2, capacity: {cpu: 4, memory: 8Gi}}]}
workload:
  traces: [{file: t.jsonl}]
"""
HEADER = '{"format":"coracle-trace/v1","name":"t"}\n'
POD = '{"kind":"pod","at":1,"name":"a","requests":{"cpu":"1"},"lifetime":5}\n'


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        f.write(text)


def sim(folder, *args):
    return subprocess.run([SIM, *args], cwd=folder, capture_output=True, text=True, timeout=60)


def main():
    if not os.path.exists(SIM):
        print("skipped: coracle-sim is not built")
        return 77
    with tempfile.TemporaryDirectory(prefix="coracle-bad-") as folder:
        def expect(code, words, *args):
            done = sim(folder, *args)
            assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
            for word in words:
                assert word in done.stderr, (args, word, done.stderr)

        write(folder, "good.yaml", GOOD)
        write(folder, "t.jsonl", HEADER + POD)
        expect(0, [], "run", "good.yaml", "--out", "good")
        expect(2, ["nosuch.yaml: No such file"], "run", "nosuch.yaml")
        expect(2, [". is a folder"], "run", ".")
        expect(2, ["want one scenario file"], "run")
        expect(2, ["--policy", 'no policy "x"'], "run", "good.yaml", "--policy", "x")
        expect(2, ["no directory of a run"], "compare", "good", folder)
        expect(2, ["unknown command"], "nope")
        for trace, word in ((POD, "t.jsonl:1"), (HEADER + POD.replace('"at":1', '"at":-1'), "at"),
                            (HEADER + POD + POD, "is there already"),
                            (HEADER + POD.replace('"requests"', '"request"'), "request"),
                            (HEADER + POD.replace("5}", "-5}"), "lifetime")):
            write(folder, "t.jsonl", trace)
            expect(2, ["good.yaml:8: workload.traces[0].file", word], "run", "good.yaml")
        write(folder, "t.jsonl", HEADER + POD)
        policies = """policies:
- name: broken
  config: {apiVersion: kubescheduler.config.k8s.io/v1, kind: KubeSchedulerConfiguration, profiles: [
    {schedulerName: default-scheduler, plugins: {score: {enabled: [{name: NodeName, weight: 2}]}}}]}
- name: lost
  file: nosuch.yaml
"""
        write(folder, "policies.yaml", GOOD + policies)
        expect(2, ["policies.yaml:11: policies[0].config", "does not extend ScorePlugin",
                   "policies[1].file: nosuch.yaml"], "run", "policies.yaml")
        cluster = GOOD.replace("engine: placement", "engine: cluster")
        write(folder, "cluster.yaml", cluster + "faults:\n- {kind: store-kill, machine: store-9, at: 1m}\n")
        expect(2, ['cluster.yaml:10: faults[0].machine: there is no store "store-9"'],
               "run", "cluster.yaml")
        write(folder, "t.jsonl", HEADER + POD.replace('"name":"a"', '"name":"a","spec":{"nodeName":"m-1",'
                                                      '"schedulerName":"x","serviceAccountName":"nobody"}'))
        write(folder, "cluster.yaml", cluster)
        expect(1, ["policy default: the apiserver refuses Pod a: ", "nobody"], "run", "cluster.yaml")
        with open(os.path.join(folder, "good", "pods.csv"), "a", encoding="utf-8") as f:
            f.write("more\n")
        expect(2, ["pods.csv is not what the run wrote"], "compare", "good", "good")
    print("bad input is named")
    return 0


if __name__ == "__main__":
    sys.exit(main())
