#!/usr/bin/env python3
"""A scheduler plugin that is a program: the sample changes where pods go, and says why; programs
that hang, die or talk nonsense are named, and stop the decision or are left out, as the file says.
"""

import os
import shutil

from lab import SOURCE, Lab, check, check_equal, check_in, main, wait_for
from scheduler_config import Scheduler, apply, node_of, told

CONFIG = """
leaderElection: {leaderElect: false}
profiles:
- schedulerName: green
  plugins: {multiPoint: {enabled: [{name: Carbon, weight: 10}]}}
  pluginConfig:
  - name: Carbon
    args:
      apiVersion: lab.coracle.dev/v1alpha1
      kind: ExternalProcessArgs
      command: [python3, %(program)s]
      timeout: %(timeout)s
      onFailure: %(on_failure)s
"""

# Answers as the sample does once the file "good" is there; before, it does what its name says.
BAD = """
import json, os, sys, time
def bad(told):
    %s
for line in sys.stdin:
    told = json.loads(line)
    if "hello" in told:
        answer = {"hello": {"protocol": 1, "points": ["filter", "score"]}}
    elif os.path.exists("good"):
        answer = {"id": told["id"], "filter": {}, "score": {n: 0 for n in told["nodes"]}}
    else:
        answer = bad(told)
    print(json.dumps(answer), flush=True)
"""


def config(program, on_failure="stop", timeout="5s"):
    return CONFIG % locals()


def write(lab, name, text):
    with open(os.path.join(lab.root, name), "w") as f:
        f.write(text)


def sample(lab):
    shutil.copy(os.path.join(SOURCE, "examples/research/carbon.py"), lab.root)
    for node, grams in (("node-1", 700), ("node-2", 50), ("node-3", 300)):
        lab.kubectl("label", "node", node, f"carbon={grams}")
    with Scheduler(lab, config("carbon.py")):
        for i in range(3):
            apply(lab, f"green-{i}", "green")
            check_equal(node_of(lab, f"green-{i}"), "node-2", "the cleanest node")
        lab.kubectl("cordon", "node-2")
        apply(lab, "clean", "green")
        check_equal(node_of(lab, "clean"), "node-3", "the cleanest that is left")
        lab.kubectl("run", "strict", "--image=nginx", "--labels=carbon-max=100",
                    "--overrides", '{"spec":{"schedulerName":"green"}}')
        told(lab, "strict", "1 power too dirty (300 g), 1 power too dirty (700 g)")
        lab.kubectl("uncordon", "node-2")
        check_equal(node_of(lab, "strict"), "node-2", "once there is a clean node")
    apply(lab, "default", "default-scheduler")
    check(node_of(lab, "default") != "node-2", "without the plugin pods are spread")


def fails(lab, name, body, said, timeout="5s"):
    """It is named while it fails, and the pod gets its node when it does not any more."""
    good = os.path.join(lab.root, "good")
    write(lab, name + ".py", BAD % body)
    with Scheduler(lab, config(name + ".py", timeout=timeout)):
        apply(lab, name, "green")
        told(lab, name, 'running plugin "Carbon" (python3): ' + said)
        condition = lab.get("pod", name)["status"]["conditions"][0]
        check_equal((condition["type"], condition["reason"]), ("PodScheduled", "SchedulerError"),
                    "the condition of a pod whose decision failed")
        write(lab, "good", "")
        node_of(lab, name)
    os.remove(good)


def failing(lab):
    fails(lab, "hangs", "time.sleep(1000)", "no answer within 300ms", timeout="300ms")
    fails(lab, "dies", "raise RuntimeError('no data')",
          "it ended with exit code 1, its last words: RuntimeError: no data")
    fails(lab, "nonsense", "return {'id': told['id'], 'filter': {}, 'score': {'node-1': 700}}",
          'the score of node "node-1" is not a whole number from 0 to 100: 700; it said: ')


def skipped(lab):
    write(lab, "deaf.py", "import sys\nsys.exit('cannot')\n")
    with Scheduler(lab, config("deaf.py", on_failure="skip")):
        apply(lab, "skipped", "green")
        node_of(lab, "skipped")

        def noted():
            found = lab.get("events", "--field-selector",
                            "involvedObject.name=skipped,reason=PluginLeftOut")
            return [e["message"] for e in found["items"]]
        check_in('running plugin "Carbon" (python3): it ', wait_for("the note", noted)[0],
                 "what is said of a plugin that was left out")


def wrong_program(lab):
    check_in("command of plugin green/Carbon: no-such-program: no such program in PATH",
             Scheduler(lab, config("x").replace("python3", "no-such-program")).refused(),
             "a program that is not there")


PARTS = (sample, failing, skipped, wrong_program)


def plugin_process():
    with Lab(replicas=1) as lab:
        for part in PARTS:
            part(lab)
            print(f"  {part.__name__}", flush=True)


if __name__ == "__main__":
    main([plugin_process], limit=150)
