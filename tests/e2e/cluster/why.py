#!/usr/bin/env python3
"""Why a pod is where it is: `mini-kubectl why`, and the decisions as an aggregated API with stock
kubectl, also when another scheduler takes over.
"""

import os
import subprocess

from lab import Lab, check, check_equal, check_in, client_path, main, need, wait_for

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s}
spec:
  containers: [{name: c, image: nginx, resources: {requests: {cpu: "%(cpu)s"}}}]
"""


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: many}
spec:
  replicas: 5
  selector: {matchLabels: {app: many}}
  template:
    metadata: {labels: {app: many}}
    spec:
      containers: [{name: c, image: nginx, resources: {requests: {cpu: "2500m"}}}]
      tolerations: [{operator: Exists}]
"""


def mini(lab, *args):
    done = subprocess.run([client_path("mini-kubectl"), *args], capture_output=True, text=True,
                          env=lab.env, timeout=30)
    check_equal(done.returncode, 0, f"mini-kubectl {args}: {done.stderr}")
    return done.stdout


def apply(lab, name, cpu):
    lab.kubectl("apply", "-f", "-", stdin=POD % locals())


def placed(lab, name):
    return wait_for(f"{name} has a node", lambda: lab.get("pod", name)["spec"].get("nodeName"))


def waits(lab, name):
    def told():
        conditions = lab.get("pod", name)["status"].get("conditions", [])
        return any(c.get("reason") == "Unschedulable" for c in conditions)
    wait_for(f"{name} waits", told)


def without(lab):
    """A lab that shows no decisions: why says what the pod says."""
    apply(lab, "plain", "100m")
    node = placed(lab, "plain")
    check_in(f"Pod plain is on node {node}.", mini(lab, "why", "plain"), "why without decisions")
    check(lab.run("get", "--raw", "/apis/lab.coracle.dev", check=False).returncode != 0,
          "the group is not there unless asked for")
    lab.up(decisions=True)


def served(lab):
    return lab.run("get", "schedulingdecisions", check=False).returncode == 0


def there(lab):
    wait_for("decisions are served", lambda: served(lab))
    apply(lab, "web", "1")
    node = placed(lab, "web")
    text = mini(lab, "why", "pod/web")
    check_in(f"Pod web was placed on node {node}: of 3 nodes, 3 were looked at and 3 fitted", text,
             "why there")
    check_in("NodeResourcesFit", text, "the scores by plugin")
    decision = lab.get("schedulingdecision", "web")
    status = decision["status"]
    check_equal((status["result"], status["nodeName"]), ("Placed", node), "the decision")
    best = max(status["scores"], key=lambda s: s["total"])
    check_equal(next(s["total"] for s in status["scores"] if s["node"] == node), best["total"],
                "the chosen node's score")
    for row in status["scores"]:
        check_equal(sum(p["weighted"] for p in row["scores"]), row["total"], "sum of scores")


def nowhere(lab):
    lab.kubectl("taint", "node", "node-2", "only=vips:NoSchedule")
    apply(lab, "big", "64")
    waits(lab, "big")
    text = mini(lab, "why", "big")
    check_in("Pod big fits on none of 3 nodes.", text, "why nowhere")
    check_in("Insufficient cpu", text, "a reason")
    check_in("node(s) had untolerated taint {only: vips}", text, "another, of the same node too")
    for node in ("node-1", "node-2", "node-3"):
        check_in(node, text, "every node")
    summary = mini(lab, "why", "big", "--summary")
    check_in("NodeResourcesFit  3      Insufficient cpu", summary, "--summary")
    check("node-1 " not in summary, "a summary lists no nodes")
    rows = {r["node"]: r["noes"] for r in lab.get("schedulingdecision", "big")["status"]["verdicts"]}
    check_equal(sorted(rows["node-2"]), ["NodeResourcesFit", "TaintToleration"],
                "all predicates are asked about a node")


def what_if(lab):
    text = mini(lab, "why", "big", "--what-if")
    check_in("What would make it fit, the smallest change first:", text, "--what-if")
    check_in("lower the pod's cpu request from 64 to ", text, "a change that was tried")
    check_in("Pod big would be placed on node", mini(lab, "why", "big", "--set", "requests.cpu=100m"),
             "a pod that asks for less")
    check_in("Pod big would be placed on node node-3",
             mini(lab, "why", "big", "--node", "node-3", "--set", "allocatable.cpu=128"),
             "a larger node")
    check_in("would be placed on node", mini(lab, "why", "web", "--weights", "TaintToleration=0"),
             "other weights")
    file = os.path.join(lab.root, "many.yaml")
    with open(file, "w") as f:
        f.write(DEPLOYMENT)
    text = mini(lab, "why", "-f", file, "--summary")
    check_in("Deployment many: 3 of 5 pods would be placed", text, "a manifest that is not applied")
    check(lab.run("get", "deployment", "many", check=False).returncode != 0, "nothing is applied")
    check_equal(lab.get("pod", "big")["spec"]["containers"][0]["resources"]["requests"]["cpu"], "64",
                "the pod itself")


def rights(lab):
    lab.kubectl("create", "serviceaccount", "reader")
    who = "--as=system:serviceaccount:default:reader"
    denied = lab.run("get", "schedulingdecisions", who, check=False)
    check_in("forbidden", denied.stderr, "who has no right")
    asks = [client_path("mini-kubectl"), "why", "web", "--what-if", who]
    asked = subprocess.run(asks, capture_output=True, text=True, env=lab.env, timeout=30)
    check_in("forbidden", asked.stderr, "who may not ask what if")
    lab.kubectl("create", "role", "decisions", "--verb=get,list",
                "--resource=schedulingdecisions.lab.coracle.dev")
    lab.kubectl("create", "rolebinding", "decisions", "--role=decisions",
                "--serviceaccount=default:reader")
    wait_for("the right to count", lambda: lab.run("get", "schedulingdecisions", who,
                                                   check=False).returncode == 0)


def another_leads(lab):
    """What the last one decided is gone with it; the next one's decisions are found."""
    leader = lab.leading("scheduler")
    lab.stop(leader)
    apply(lab, "later", "100m")
    wait_for("later is placed", lambda: lab.get("pod", "later")["spec"].get("nodeName"), 60)
    check_in("Pod later was placed on node", mini(lab, "why", "later"), "why, after a failover")


PARTS = (without, there, nowhere, what_if, rights, another_leads)


def why():
    need("mini-kubectl")
    with Lab(replicas=1, schedulers=2) as lab:
        for part in PARTS:
            part(lab)
            print(f"  {part.__name__}", flush=True)


if __name__ == "__main__":
    main([why], limit=170)
