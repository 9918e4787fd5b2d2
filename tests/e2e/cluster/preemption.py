#!/usr/bin/env python3
"""Preemption with stock kubectl: who must leave for a more important pod, what they and it are
told, and who need not or must not leave.
"""

from lab import Lab, check, check_equal, check_in, main, wait_for

CLASS = """
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: %(name)s}
value: %(value)d
preemptionPolicy: %(policy)s
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s, labels: {app: %(name)s}}
spec:
  priorityClassName: %(cls)s
  terminationGracePeriodSeconds: %(grace)d
  nodeSelector: {%(where)s}
  containers:
  - {name: c, image: busybox, command: [sh, -c, "trap : TERM; while true; do sleep 1; done"],
     resources: {requests: {cpu: "%(cpu)s"}}}
"""

BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: %(name)s}
spec: {minAvailable: 1, selector: {matchLabels: {app: %(name)s}}}
"""


def pod(lab, name, cls, cpu, node=None, grace=0):
    where = f"kubernetes.io/hostname: {node}" if node else ""
    lab.kubectl("apply", "-f", "-", stdin=POD % locals())


def events(lab, name, reason):
    found = lab.get("events", "--field-selector", f"involvedObject.name={name},reason={reason}")
    return [e["message"] for e in found["items"]]


def told(lab, name, reason, text):
    wait_for(f"{reason} about {name}: {text}", lambda: text in events(lab, name, reason))


def running(lab, name, node):
    def there():
        p = lab.get("pod", name)
        return p["status"].get("phase") == "Running" and p["spec"].get("nodeName") == node
    wait_for(f"{name} runs on {node}", there)


def condition(p, kind):
    return next((c for c in p["status"].get("conditions", []) if c["type"] == kind), None)


def gone(lab, *names):
    wait_for(f"{names} gone", lambda: not set(names) & set(lab.names_of("pods")))


def clear(lab):
    lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")
    gone(lab, *lab.names_of("pods"))


def victim_leaves(lab):
    pod(lab, "low", "low", "3", "node-1", grace=8)  # it does not stop by itself
    running(lab, "low", "node-1")
    pod(lab, "elsewhere", "low", "1", "node-2")
    running(lab, "elsewhere", "node-2")
    pod(lab, "high", "high", "3", "node-1")
    wait_for("high to be nominated",
             lambda: lab.get("pod", "high")["status"].get("nominatedNodeName") == "node-1")
    uid = lab.get("pod", "high")["metadata"]["uid"]
    told(lab, "high", "FailedScheduling",
         "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node "
         "affinity/selector.")
    told(lab, "low", "Preempted", f"Preempted by pod {uid} on node node-1")
    low = lab.get("pod", "low")
    check("deletionTimestamp" in low["metadata"], "the victim is being deleted")
    target = condition(low, "DisruptionTarget")
    check_equal((target["status"], target["reason"], target["message"]),
                ("True", "PreemptionByScheduler",
                 "default-scheduler: preempting to accommodate a higher priority pod"),
                "what the victim is told")
    row = lab.out("get", "pod", "high", "-o", "wide", "--no-headers").split()
    check_equal(row[7], "node-1", "the NOMINATED NODE of get pods -o wide")
    check_in("NominatedNodeName:", lab.out("describe", "pod", "high"), "describe")
    # A pod that leaves is worth another look, whichever it is.
    lab.kubectl("delete", "pod", "elsewhere", "--force", "--grace-period=0")
    told(lab, "high", "FailedScheduling",
         "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node "
         "affinity/selector. preemption: not eligible due to a terminating pod on the nominated "
         "node.")
    running(lab, "high", "node-1")
    gone(lab, "low")


def never(lab):
    pod(lab, "modest", "low", "3", "node-1")
    running(lab, "modest", "node-1")
    pod(lab, "polite", "polite", "3", "node-1")
    told(lab, "polite", "FailedScheduling",
         "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node "
         "affinity/selector. preemption: not eligible due to preemptionPolicy=Never.")
    pod(lab, "equal", "low", "3", "node-1")
    told(lab, "equal", "FailedScheduling",
         "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node "
         "affinity/selector. preemption: 0/2 nodes are available: 1 No preemption victims found "
         "for incoming pod, 1 Preemption is not helpful for scheduling.")
    check_equal(events(lab, "modest", "Preempted"), [], "nobody took its place")


def budgets(lab):
    """The protected pod stays though it is the less important one."""
    lab.kubectl("apply", "-f", "-", stdin=BUDGET % dict(name="kept"))
    pod(lab, "kept", "low", "3", "node-1")
    pod(lab, "other", "middle", "3", "node-2")
    running(lab, "kept", "node-1")
    running(lab, "other", "node-2")
    wait_for("the budget to count it",
             lambda: lab.get("pdb", "kept")["status"].get("currentHealthy") == 1)
    pod(lab, "high", "high", "3")
    running(lab, "high", "node-2")
    gone(lab, "other")
    check("kept" in lab.names_of("pods"), "the protected pod is still there")
    # With no other way it goes.
    pod(lab, "higher", "highest", "3", "node-1")
    running(lab, "higher", "node-1")
    gone(lab, "kept")


def workload_comes_back(lab):
    """A Deployment's pods are made anew, wait, and run when there is room again."""
    lab.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2")
    lab.kubectl("set", "resources", "deployment", "web", "--requests=cpu=3")
    lab.kubectl("rollout", "status", "deployment", "web", "--timeout=60s")
    pod(lab, "high", "high", "3")
    wait_for("high runs", lambda: lab.get("pod", "high")["status"].get("phase") == "Running")

    def phases():
        return sorted(p["status"]["phase"] for p in
                      lab.get("pods", "-l", "app=web")["items"])
    wait_for("one of two to wait", lambda: phases() == ["Pending", "Running"])
    lab.kubectl("delete", "pod", "high")
    wait_for("both to run", lambda: phases() == ["Running", "Running"])
    lab.kubectl("delete", "deployment", "web")


PARTS = (victim_leaves, never, budgets, workload_comes_back)


def preemption():
    with Lab(replicas=1, nodes=2) as lab:
        for name, value, policy in (("low", 10, "PreemptLowerPriority"),
                                    ("middle", 50, "PreemptLowerPriority"),
                                    ("polite", 1000, "Never"),
                                    ("high", 1000, "PreemptLowerPriority"),
                                    ("highest", 2000, "PreemptLowerPriority")):
            lab.kubectl("apply", "-f", "-", stdin=CLASS % locals())
        for part in PARTS:
            part(lab)
            clear(lab)
            print(f"  {part.__name__}", flush=True)


if __name__ == "__main__":
    main([preemption], limit=170)
