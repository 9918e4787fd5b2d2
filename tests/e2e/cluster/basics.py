#!/usr/bin/env python3
"""What a user does first, with stock kubectl: workloads, services, logs, deletion, nodes.

    basics.py [--store etcd] [--client mini-kubectl] [NAME of a part ...]
"""
import argparse
import collections
import re
import sys

from lab import Lab, check, check_equal, check_in, main, wait_for

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: nginx:1.26
        ports:
        - name: http
          containerPort: 80
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  terminationGracePeriodSeconds: 1
  tolerations: %s
  containers: [{name: c, image: nginx:1.26}]
"""


class Space:
    """A namespace of the lab, with the client bound to it."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        lab.kubectl("create", "namespace", name)
        wait_for("the default ServiceAccount", lambda: "default" in self.names_of("sa"))

    def __getattr__(self, verb):
        bound = getattr(self.lab, verb)
        return lambda *args, **kw: bound("-n", self.name, *args, **kw)

    def get(self, *args):
        return self.lab.get(*args, "-n", self.name)

    def names_of(self, *args):
        return self.lab.names_of(*args, "-n", self.name)

    def web(self, replicas=3):
        self.kubectl("apply", "-f", "-", stdin=WEB.replace("replicas: 3", f"replicas: {replicas}"))
        self.rolled_out()

    def rolled_out(self, name="web"):
        check_in("successfully rolled out",
                 self.out("rollout", "status", "deployment/" + name, "--timeout=60s"), "status")

    def pods(self, selector="app=web"):
        return [p for p in self.get("pods", "-l", selector)["items"]
                if "deletionTimestamp" not in p["metadata"]]

    def gone(self, *what):
        wait_for(f"{what} to go", lambda: not self.get(*what)["items"])


def conditions(thing):
    return {c["type"]: c["status"] for c in thing["status"].get("conditions", [])}


def deployment(lab):
    ns = Space(lab, "deployment")
    check_equal(ns.out("apply", "-f", "-", stdin=WEB), "deployment.apps/web created\n", "apply")
    ns.rolled_out()
    status = ns.get("deployment", "web")["status"]
    numbers = {k: v for k, v in status.items() if isinstance(v, int) and v != 0}
    check_equal(numbers, {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3,
                          "readyReplicas": 3, "availableReplicas": 3}, "deployment status")
    check_equal(conditions(ns.get("deployment", "web")),
                {"Available": "True", "Progressing": "True"}, "conditions")
    pods = ns.pods()
    check_equal(sorted(p["spec"]["nodeName"] for p in pods), ["node-1", "node-2", "node-3"],
                "the nodes of three replicas")
    for pod in pods:
        check_equal(pod["status"]["phase"], "Running", "phase")
        want = {"Initialized": "True", "Ready": "True", "ContainersReady": "True",
                "PodScheduled": "True"}
        got = conditions(pod)
        check_equal({k: got.get(k) for k in want}, want, "pod conditions")
        check_equal([(c["name"], c["ready"], c["restartCount"], list(c["state"]))
                     for c in pod["status"]["containerStatuses"]],
                    [("web", True, 0, ["running"])], "container statuses")
    check_equal(len({p["status"]["podIP"] for p in pods}), 3, "addresses")
    check_equal(ns.out("apply", "-f", "-", stdin=WEB), "deployment.apps/web unchanged\n", "again")
    check_equal(ns.get("deployment", "web")["metadata"]["generation"], 1, "generation")
    reasons = {e["reason"] for e in ns.get("events")["items"]}
    check({"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Pulled", "Started"} <= reasons,
          f"events: {reasons}")


def scaling(lab):
    ns = Space(lab, "scaling")
    ns.web(2)
    for replicas in (5, 1, 0):
        check_equal(ns.out("scale", "deployment/web", f"--replicas={replicas}"),
                    "deployment.apps/web scaled\n", "scale")
        wait_for(f"{replicas} replicas", lambda: ns.get("deployment", "web")["status"].get(
            "readyReplicas", 0) == replicas)
        wait_for("the pods", lambda: len(ns.pods()) == replicas)
    ns.refused("scale", "deployment/web", "--current-replicas=9", "--replicas=2",
               text="Expected replicas to be 9, was 0")
    sets = ns.get("replicasets")["items"]
    check_equal([(s["spec"]["replicas"], s["status"]["replicas"]) for s in sets], [(0, 0)], "sets")


def rolling_update(lab):
    ns = Space(lab, "rolling")
    ns.web(4)
    first = {p["metadata"]["name"] for p in ns.pods()}
    ns.kubectl("set", "image", "deployment/web", "web=nginx:1.27")
    least = [4]

    def done():
        status = ns.get("deployment", "web")["status"]
        least[0] = min(least[0], status.get("availableReplicas", 0))
        return (status["observedGeneration"] == 2 and status.get("updatedReplicas") == 4
                and status.get("availableReplicas") == 4 and status["replicas"] == 4)
    wait_for("the rolling update", done)
    check(least[0] >= 3, f"only {least[0]} of 4 were available (maxUnavailable is 25 %)")
    pods = ns.pods()
    check_equal({p["spec"]["containers"][0]["image"] for p in pods}, {"nginx:1.27"}, "images")
    check(not first & {p["metadata"]["name"] for p in pods}, "old pods are left")
    history = ns.out("rollout", "history", "deployment/web")
    check_equal(re.findall(r"^(\d+) ", history, re.M), ["1", "2"], "history")

    ns.kubectl("set", "image", "deployment/web", "web=nginx:BadImageTAG")
    wait_for("an image that cannot be pulled", lambda: "ImagePullBackOff" in str(
        [p["status"].get("containerStatuses") for p in ns.pods()]))
    available = ns.get("deployment", "web")["status"]["availableReplicas"]
    check(available >= 3, f"a bad image took all but {available} replicas")
    check_equal(ns.out("rollout", "undo", "deployment/web"), "deployment.apps/web rolled back\n",
                "undo")
    ns.rolled_out()
    wait_for("the old image", lambda: {p["spec"]["containers"][0]["image"] for p in ns.pods()} ==
             {"nginx:1.27"} and len(ns.pods()) == 4)
    ns.kubectl("rollout", "undo", "deployment/web", "--to-revision=1")
    ns.rolled_out()
    image = ns.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"]
    check_equal(image, "nginx:1.26", "image of revision 1")
    history = ns.out("rollout", "history", "deployment/web")
    check_equal(re.findall(r"^(\d+) ", history, re.M), ["3", "4", "5"], "history after undo")


def service(lab):
    ns = Space(lab, "service")
    ns.web(3)
    ns.kubectl("expose", "deployment/web", "--port=80", "--target-port=http")
    svc = ns.get("service", "web")["spec"]
    check_equal((svc["type"], svc["selector"], [(p["port"], p["targetPort"], p["protocol"])
                                               for p in svc["ports"]]),
                ("ClusterIP", {"app": "web"}, [(80, "http", "TCP")]), "service")
    check(svc["clusterIP"] == svc["clusterIPs"][0] != "None", "cluster address")

    def addresses():
        subsets = ns.get("endpoints", "web").get("subsets") or [{}]
        return sorted(a["ip"] for a in subsets[0].get("addresses", []))

    def sliced():
        slices = ns.get("endpointslices", "-l", "kubernetes.io/service-name=web")["items"]
        return sorted(a for s in slices for e in s.get("endpoints") or [] for a in e["addresses"]
                      if e["conditions"]["ready"])

    def agree(count):
        ips = sorted(p["status"].get("podIP", "") for p in ns.pods())
        return len(ips) == count and addresses() == ips == sliced()
    wait_for("three endpoints", lambda: agree(3))
    ns.kubectl("scale", "deployment/web", "--replicas=5")
    wait_for("five endpoints", lambda: agree(5))
    ns.kubectl("scale", "deployment/web", "--replicas=0")
    wait_for("no endpoints", lambda: addresses() == sliced() == [])
    ns.kubectl("delete", "service", "web")
    wait_for("the endpoints to go", lambda: "web" not in ns.names_of("endpoints"))
    ns.gone("endpointslices")


def logs(lab):
    ns = Space(lab, "logs")
    ns.web(1)
    pod = ns.pods()[0]["metadata"]["name"]
    text = wait_for("log lines", lambda: ns.out("logs", pod))
    check_equal(ns.out("logs", pod, "--tail=1"), text.splitlines(True)[-1], "--tail=1")
    check_equal(ns.out("logs", "-l", "app=web", "--tail=-1"), text, "by selector")
    check(re.match(r"\d{4}-\d\d-\d\dT", ns.out("logs", pod, "--timestamps")), "--timestamps")
    ns.refused("logs", "nosuch", text='pods "nosuch" not found')
    ns.refused("logs", pod, "-c", "nope", text="container nope is not valid for pod " + pod)
    ns.refused("logs", pod, "-p", text='previous terminated container "web" in pod')


def deletion(lab):
    ns = Space(lab, "deletion")
    ns.web(2)
    check_equal(ns.out("delete", "deployment", "web"), 'deployment.apps "web" deleted\n', "delete")
    ns.gone("replicasets")
    ns.gone("pods")

    ns.web(2)
    before = ns.names_of("pods")
    ns.kubectl("delete", "deployment", "web", "--cascade=orphan")
    wait_for("the ReplicaSet to be an orphan", lambda: [
        s["metadata"].get("ownerReferences") for s in ns.get("replicasets")["items"]] == [None])
    check_equal(ns.names_of("pods"), before, "pods of an orphaned ReplicaSet")
    ns.web(2)
    owner = ns.get("replicasets")["items"][0]["metadata"]["ownerReferences"][0]
    check_equal((owner["kind"], owner["name"], owner["controller"]), ("Deployment", "web", True),
                "adoption")
    check_equal(ns.names_of("pods"), before, "pods after the adoption")

    ns.kubectl("delete", "deployment", "web", "--cascade=foreground")
    check_equal(ns.names_of("replicasets") + ns.names_of("pods"), [],
                "dependents, when a foreground deletion is done")
    ns.refused("delete", "deployment", "web", text='deployments.apps "web" not found')


def nodes(lab):
    ns = Space(lab, "nodes")
    ns.web(3)
    check_equal(lab.out("cordon", "node-1"), "node/node-1 cordoned\n", "cordon")
    check_in("Ready,SchedulingDisabled", lab.out("get", "node", "node-1"), "get node")
    wait_for("the node to tell", lambda: "NodeNotSchedulable" in lab.out(
        "get", "events", "-n", "default", "--field-selector=involvedObject.name=node-1"))
    ns.kubectl("apply", "-f", "-", stdin=POD % ("alone", "[]"))
    ns.kubectl("wait", "--for=condition=Ready", "pod/alone", "--timeout=30s")
    home = ns.get("pod", "alone")["spec"]["nodeName"]
    check(home != "node-1", "a pod was put on a cordoned node")
    lab.refused("drain", home, "--ignore-daemonsets", "--timeout=20s",
                text="cannot delete Pods that declare no controller (use --force to override): "
                     "nodes/alone")
    lab.kubectl("uncordon", home)
    lab.kubectl("drain", "node-1", "--ignore-daemonsets", "--force", "--timeout=60s")
    ns.rolled_out()
    wait_for("three replicas elsewhere", lambda: [
        p["spec"].get("nodeName") != "node-1" for p in ns.pods()] == [True] * 3)
    check_equal(lab.out("uncordon", "node-1"), "node/node-1 uncordoned\n", "uncordon")
    check_equal(lab.get("node", "node-1")["spec"].get("unschedulable", False), False, "uncordon")


def taints(lab):
    ns = Space(lab, "taints")
    lab.kubectl("taint", "nodes", "--all", "dedicated=lab:NoSchedule")
    try:
        ns.kubectl("apply", "-f", "-", stdin=POD % ("plain", "[]"))
        want = ("0/3 nodes are available: 3 node(s) had untolerated taint(s). preemption: 0/3 "
                "nodes are available: 3 Preemption is not helpful for scheduling.")
        old = "0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: lab}."

        def message():
            pod = ns.get("pod", "plain")
            found = [c.get("message", "") for c in pod["status"].get("conditions", [])
                     if c["type"] == "PodScheduled"]
            return found[0] if found else ""
        text = wait_for("why it is not scheduled", message)
        check(text == want or text.startswith(old), f"message: {text}")
        check_equal(ns.get("pod", "plain")["status"]["phase"], "Pending", "phase")
        wait_for("FailedScheduling", lambda: "FailedScheduling" in {
            e["reason"] for e in ns.get("events")["items"]})
        tolerant = '[{key: dedicated, operator: Equal, value: lab, effect: NoSchedule}]'
        ns.kubectl("apply", "-f", "-", stdin=POD % ("tolerant", tolerant))
        ns.kubectl("wait", "--for=condition=Ready", "pod/tolerant", "--timeout=30s")
    finally:
        lab.kubectl("taint", "nodes", "--all", "dedicated-")
    ns.kubectl("wait", "--for=condition=Ready", "pod/plain", "--timeout=30s")
    home = ns.get("pod", "plain")["spec"]["nodeName"]
    lab.kubectl("taint", "nodes", home, "gone=now:NoExecute")
    try:
        ns.kubectl("wait", "--for=delete", "pod/plain", "--timeout=30s")
    finally:
        lab.kubectl("taint", "nodes", home, "gone-")


def namespaces(lab):
    ns = Space(lab, "passing")
    ns.web(2)
    ns.kubectl("create", "configmap", "held", "--from-literal=a=b")
    ns.kubectl("patch", "configmap", "held", "--type=merge", "-p",
               '{"metadata":{"finalizers":["example.com/hold"]}}')
    lab.kubectl("delete", "namespace", "passing", "--wait=false")
    ns.gone("deployments")
    ns.gone("pods")
    space = lab.get("namespace", "passing")
    check_equal(space["status"]["phase"], "Terminating", "phase")
    check_equal(space["spec"], {"finalizers": ["kubernetes"]}, "spec")
    check_equal(ns.names_of("configmaps"), ["held"], "what is left")
    ns.refused("create", "configmap", "late", text="because it is being terminated")
    ns.kubectl("patch", "configmap", "held", "--type=merge", "-p",
               '{"metadata":{"finalizers":null}}')
    lab.kubectl("wait", "--for=delete", "namespace/passing", "--timeout=30s")
    lab.refused("get", "namespace", "passing", text='namespaces "passing" not found')
    check_equal(lab.api("GET", "/api/v1/namespaces/passing/configmaps")[1]["items"], [], "rest")
    # A new one of that name begins empty.
    ns = Space(lab, "passing")
    wait_for("the root CA", lambda: ns.names_of("configmaps") == ["kube-root-ca.crt"])


def selectors(lab):
    ns = Space(lab, "selectors")
    for i in range(7):
        ns.kubectl("create", "configmap", f"c{i}", "--from-literal=i=%d" % i)
    ns.kubectl("label", "configmap", "c0", "c1", "c2", "tier=a")
    ns.kubectl("label", "configmap", "c3", "tier=b")
    table = {"tier=a": "c0 c1 c2", "tier": "c0 c1 c2 c3", "tier!=a,tier": "c3",
             "tier in (a,b)": "c0 c1 c2 c3", "tier notin (a),tier": "c3"}
    for selector, want in table.items():
        check_equal(ns.names_of("configmaps", "-l", selector), want.split(), selector)
    check_equal(ns.names_of("configmaps", "--field-selector=metadata.name=c5"), ["c5"], "field")
    path = "/api/v1/namespaces/selectors/configmaps?limit=3"
    names, pages, more = [], 0, ""
    while pages == 0 or more:
        page = lab.api("GET", path + (f"&continue={more}" if more else ""))[1]
        names += [i["metadata"]["name"] for i in page["items"]]
        more, pages = page["metadata"].get("continue", ""), pages + 1
    check_equal(names, [f"c{i}" for i in range(7)] + ["kube-root-ca.crt"], "pages")
    check_equal(pages, 3, "number of pages")


PARTS = collections.OrderedDict((f.__name__, f) for f in (
    deployment, scaling, rolling_update, service, logs, deletion, nodes, taints, namespaces,
    selectors))


def run(parts=(), **shape):
    """All parts in one cluster: the suite, whatever the store is."""
    with Lab(**{"replicas": 1, "nodes": 3, **shape}) as lab:
        failed = []
        for name in parts or PARTS:
            try:
                PARTS[name](lab)
                print(f"ok {name}", flush=True)
            except Exception as failure:  # the other parts still tell something
                print(f"FAILED {name}: {failure}", flush=True)
                failed.append(name)
        check(not failed, f"failed: {' '.join(failed)}")


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("--store", default="kvstore")
    flags.add_argument("--client", default="kubectl")
    flags.add_argument("parts", nargs="*", choices=[[], *PARTS])
    given = flags.parse_args()
    sys.argv[1:] = []

    def basics():
        run(given.parts, store=given.store, client=given.client)
    main([basics], limit=170)
