#!/usr/bin/env python3
"""Course: which node a pod gets, and why none. Requests and limits, selectors, affinity, taints, a
second scheduler, and taking nodes out of service."""
import re
import threading

from student import check, check_equal, check_in, course

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s, labels: {%(labels)s}}
spec:
%(more)s
  containers:
  - name: main
    image: busybox
    command: [sleep, "3600"]
    resources: %(resources)s
"""


def pod(name, more="", resources="{}", labels="app: x"):
    return POD % {"name": name, "more": more, "resources": resources, "labels": labels}


def node_of(me, name):
    return me.field(".spec.nodeName", "pod", name)


def pending(me, name, why):
    me.until(why, lambda: why in me("describe", "pod", name))
    check_equal(me.field(".status.phase", "pod", name), "Pending", name)


def requests(me):
    """Too much is told; what was asked for is seen at the node."""
    mine = f"nodeSelector: {{kubernetes.io/hostname: {me.node}}}"
    me.apply(pod("light", "  " + mine, "{requests: {cpu: 800m, memory: 20Mi}}"))
    me.ready("pod/light")
    check_equal(node_of(me, "light"), me.node, "by its selector")
    me.apply(pod("limited", "  " + mine, "{limits: {cpu: 1, memory: 20Mi}}"))
    me.ready("pod/limited")
    check_equal(me.get("pod", "limited")["spec"]["containers"][0]["resources"]["requests"],
                {"cpu": "1", "memory": "20Mi"}, "limits are requests, too")
    check_equal(me.field(".status.qosClass", "pod", "limited"), "Guaranteed", "QoS")
    text = me("describe", "node", me.node)
    check(re.search(rf"{me.ns}\s+light\s+800m \(20%\)\s+0 \(0%\)\s+20Mi", text), text)
    check(re.search(r"cpu\s+1800m \(45%\)\s+1 \(25%\)", text), text)
    me.apply(pod("heavy", "  " + mine, "{requests: {cpu: 3}}"))
    pending(me, "heavy", "Insufficient cpu")
    me.apply(pod("huge", "", "{requests: {memory: 900Gi}}"))
    pending(me, "huge", "Insufficient memory")
    me("delete", "pod", "light", "--now")
    me.ready("pod/heavy")


def selectors_and_affinity(me):
    zone, share = f"zone-{me.tag}", f"share-{me.tag}"
    me("label", "node", "node-1", f"{zone}=one", f"{share}=dedicated")
    me("label", "node", "node-2", f"{zone}=two", f"{share}=shared")
    me.apply(f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: pref}}
spec:
  replicas: 5
  selector: {{matchLabels: {{app: pref}}}}
  template:
    metadata: {{labels: {{app: pref}}}}
    spec:
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - {{weight: 80, preference: {{matchExpressions: [{{key: {zone}, operator: In, values: [one]}}]}}}}
          - {{weight: 20, preference: {{matchExpressions: [{{key: {share}, operator: In, values: [dedicated]}}]}}}}
      containers: [{{name: main, image: busybox, args: [sleep, "99999"]}}]
""")
    me("rollout", "status", "deployment/pref", "--timeout=60s")
    nodes = me("get", "pods", "-l", "app=pref", "-o", "jsonpath={.items[*].spec.nodeName}").split()
    check(nodes.count("node-1") > nodes.count("node-2"), f"most are where they would rather be: {nodes}")
    me.apply(pod("must", f"""  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms: [{{matchExpressions: [{{key: {zone}, operator: In, values: [two]}}]}}]"""))
    me.ready("pod/must")
    check_equal(node_of(me, "must"), "node-2", "required")
    me.apply(pod("apart", """  affinity:
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
      - {labelSelector: {matchLabels: {app: pref}}, topologyKey: kubernetes.io/hostname}""", labels="app: lone"))
    me.ready("pod/apart")
    check(node_of(me, "apart") not in nodes, "not beside them")
    me.apply(pod("nowhere", f"  nodeSelector: {{{zone}: three}}"))
    pending(me, "nowhere", "didn't match Pod's node affinity/selector")
    for node in ("node-1", "node-2"):
        me("label", "node", node, zone + "-", share + "-")


def taints(me):
    key = f"kind-{me.tag}"
    node = f"node-{me.number + 3}"
    only = f"  nodeSelector: {{kubernetes.io/hostname: {node}}}"
    me("taint", "nodes", node, f"{key}=special:NoSchedule")
    check_in(f"{key}=special:NoSchedule", me("describe", "node", node), "the taint")
    me.apply(pod("plain", only))
    pending(me, "plain", f"untolerated taint {{{key}: special}}")
    me.apply(pod("tolerant", f"{only}\n  tolerations: [{{key: {key}, operator: Equal, value: special, effect: NoSchedule}}]"))
    me.ready("pod/tolerant")
    me.fails("taint", "nodes", node, f"{key}=other:NoSchedule", says="--overwrite is false")
    me("taint", "nodes", node, f"{key}:NoSchedule-")
    me.ready("pod/plain")
    me("taint", "nodes", node, f"{key}=out:NoExecute")
    me.until("evicted", lambda: me.names("pods") == [])
    me("taint", "nodes", node, f"{key}-")


def second_scheduler(me):
    """A pod that names another scheduler waits for it."""
    me.apply(pod("usual"))
    me.apply(pod("named", "  schedulerName: default-scheduler"))
    me.apply(pod("other", f"  schedulerName: my-scheduler-{me.tag}"))
    me.ready("pod/usual", "pod/named")
    check_equal((me.field(".status.phase", "pod", "other"), node_of(me, "other")), ("Pending", ""), "nobody came")
    # Whoever may bind is a scheduler.
    me.create(f"""
apiVersion: v1
kind: Binding
metadata: {{name: other}}
target: {{apiVersion: v1, kind: Node, name: {me.node}}}
""")
    me.ready("pod/other")
    check_equal(node_of(me, "other"), me.node, "bound by hand")


def manual(me):
    me.apply(pod("fixed", f"  nodeName: {me.node}"))
    me.ready("pod/fixed")
    check_equal(node_of(me, "fixed"), me.node, "no scheduler was asked")
    check("Scheduled" not in me("get", "events", "--field-selector=involvedObject.name=fixed"), "no event of one")


DRAINED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: crew}
spec:
  replicas: 3
  selector: {matchLabels: {app: crew}}
  template:
    metadata: {labels: {app: crew}}
    spec:
      nodeSelector: {drill-%(tag)s: "yes"}
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: busybox, command: [sleep, "3600"]}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: watch}
spec:
  selector: {matchLabels: {app: watch}}
  template:
    metadata: {labels: {app: watch}}
    spec:
      nodeSelector: {drill-%(tag)s: "yes"}
      containers: [{name: main, image: busybox, command: [sleep, "3600"]}]
"""


def maintenance(me):
    """cordon, drain with a budget, uncordon."""
    node, other = (f"node-{5 + 2 * me.number}", f"node-{6 + 2 * me.number}")
    me("label", "node", node, other, f"drill-{me.tag}=yes")
    me.apply(DRAINED % {"tag": me.tag})
    me("rollout", "status", "deployment/crew", "--timeout=60s")
    me("rollout", "status", "daemonset/watch", "--timeout=60s")
    me("create", "poddisruptionbudget", "crew", "--selector=app=crew", "--min-available=2")
    me.until("the budget", lambda: me.field(".status.disruptionsAllowed", "pdb", "crew") == "1")
    me.fails("drain", node, says="cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)")
    check_in("SchedulingDisabled", me("get", "node", node), "cordoned by the attempt")
    me("uncordon", node)
    said = me("drain", node, "--ignore-daemonsets", "--dry-run=client")
    check_in("(dry run)", said, "--dry-run")
    lowest, over = [3], []

    def look():
        while not over:
            ready = int(me.field(".status.readyReplicas", "deployment", "crew") or 0)
            lowest.append(ready)
    looking = threading.Thread(target=look)
    looking.start()
    try:
        said = me("drain", node, "--ignore-daemonsets")
    finally:
        over.append(True)
        looking.join()
    check_in(f"node/{node} drained", said, "drain")
    check(min(lowest) >= 2, f"the budget was kept: {sorted(set(lowest))}")
    me("rollout", "status", "deployment/crew", "--timeout=60s")
    nodes = set(me("get", "pods", "-l", "app=crew", "-o", "jsonpath={.items[*].spec.nodeName}").split())
    check_equal(nodes, {other}, "all moved")
    check_equal(sorted(me("get", "pods", "-l", "app=watch", "-o", "jsonpath={.items[*].spec.nodeName}").split()),
                sorted([node, other]), "daemons stay")
    check_in("Ready,SchedulingDisabled", me("get", "nodes"), "out of service")
    # A budget that allows nothing holds a drain up.
    me("patch", "pdb", "crew", "-p", '{"spec":{"minAvailable":3}}')
    me.until("no disruption allowed", lambda: me.field(".status.disruptionsAllowed", "pdb", "crew") == "0")
    me("uncordon", node)
    me.fails("drain", other, "--ignore-daemonsets", "--timeout=3s",
             says="Cannot evict pod as it would violate the pod's disruption budget.")
    me("uncordon", other)
    # A pod that nobody would make again is only drained by force.
    me.apply(pod("alone", f"  nodeName: {node}"))
    me.ready("pod/alone")
    me.fails("drain", node, "--ignore-daemonsets", says="use --force to override")
    me("drain", node, "--ignore-daemonsets", "--force", "--pod-selector=app=x", "--grace-period=1")
    me.until("gone", lambda: "alone" not in me.names("pods"))
    me("uncordon", node)


if __name__ == "__main__":
    course([requests, selectors_and_affinity, taints, second_scheduler, manual, maintenance],
           nodes=8)
