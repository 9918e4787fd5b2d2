#!/usr/bin/env python3
"""What nodes do to pods by themselves: gRPC probes, static pods, eviction under pressure, shutdown;
with stock kubectl, and a kubelet-sim of its own beside the lab's.

    node_life.py [NAME of a part ...]
"""
import json
import os
import signal
import subprocess
import sys

from basics import Space
from lab import Lab, check, check_equal, check_in, free_port, main, need, wait_for
from spare import SpareKubelet

NODE = "node-50"
IMAGES = """
images:
- {name: lab/leaky, memory: {0s: 10Mi, 3s: 10Mi, 4s: 700Mi}}
- {name: lab/steady, memory: 100Mi}
- {name: lab/writer, disk: {0s: 0, 2s: 0, 3s: 900Mi}}
"""


class Kubelet(SpareKubelet):
    """One node of 1 GiB memory and 2 GiB disk, whose images the test makes up."""

    def __init__(self, lab):
        super().__init__(lab, NODE.split("-")[1])
        self.manifests = os.path.join(self.folder, "manifests")
        os.makedirs(self.manifests)
        catalog = os.path.join(self.folder, "images.yaml")
        with open(catalog, "w") as f:
            f.write(IMAGES)
        self.command += [
            "--node-memory", "1Gi", "--node-storage", "2Gi", "--image-catalog", catalog,
            "--pod-manifest-path", self.manifests, "--shutdown-grace-period", "6s",
            "--shutdown-grace-period-critical-pods", "3s"]

    def write(self, name, text):
        """By rename, as a careful administrator does."""
        temporary = os.path.join(self.manifests, "." + name)
        with open(temporary, "w") as f:
            f.write(text)
        os.rename(temporary, os.path.join(self.manifests, name))


def pod(name, image, more="", meta=""):
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}{meta}}}
spec:
  nodeName: {NODE}
  terminationGracePeriodSeconds: 1
  {more}
  containers: [{{name: c, image: {image}}}]
"""


def condition(lab, kind, node=NODE):
    for c in lab.get("node", node)["status"]["conditions"]:
        if c["type"] == kind:
            return c["status"], c["reason"]
    return None


def phase(s, name):
    status = s.get("pod", name)["status"]
    return status["phase"], status.get("reason")


def told(lab, reason):
    return [e["message"] for e in lab.get("events", "-n", "default", "--field-selector",
                                          f"involvedObject.name={NODE},reason={reason}")["items"]]


def start(lab, kubelet):
    """What `kubectl describe node` tells of a node's first minute."""
    for reason in ("NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID",
                   "NodeReady"):
        wait_for(reason, lambda: told(lab, reason) == [f"Node {NODE} status is now: {reason}"])
    for reason, message in (
            ("Starting", "Starting kubelet."),
            ("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods"),
            ("RegisteredNode", f"Node {NODE} event: Registered Node {NODE} in Controller")):
        wait_for(reason, lambda: told(lab, reason) == [message])
    described = lab.kubectl("describe", "node", NODE).stdout
    check_in("NodeHasSufficientMemory", described, "kubectl describe")


def grpc_probe(lab, kubelet):
    """Stock etcd is the server: it knows grpc.health.v1."""
    need("etcd")
    s = Space(lab, "grpc")
    address = lab.get("node", "node-1")["status"]["addresses"][0]["address"]
    port = free_port()
    data = os.path.join(lab.root, "etcd")
    url = f"http://{address}:{port}"
    etcd = subprocess.Popen(
        ["etcd", "--data-dir", data, "--listen-client-urls", url, "--advertise-client-urls", url,
         "--listen-peer-urls", f"http://127.0.0.1:{free_port()}", "--logger=zap"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for name, service in (("good", ""), ("unknown", ", service: nosuch")):
            s.kubectl("apply", "-f", "-", stdin=f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  nodeName: node-1
  hostNetwork: true
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: busybox
    command: [sleep, "1000"]
    readinessProbe: {{grpc: {{port: {port}{service}}}, periodSeconds: 1, failureThreshold: 1}}
""")
        s.kubectl("wait", "--for=condition=Ready", "pod/good", "--timeout=30s")

        def unhealthy(name):
            return [e["message"] for e in s.get("events")["items"]
                    if e["reason"] == "Unhealthy" and e["involvedObject"]["name"] == name]
        wait_for("the service is not known", lambda: any(
            "rpc error: code = NotFound desc = unknown service" in m for m in
            unhealthy("unknown")) or check(False, unhealthy("unknown")), 20)
    finally:
        etcd.send_signal(signal.SIGKILL)
        etcd.wait()
    s.kubectl("wait", "--for=condition=Ready=false", "pod/good", "--timeout=30s")
    wait_for("why", lambda: any(f'failed to connect service at "{address}:{port}"' in m and
                                "connection refused" in m for m in unhealthy("good")) or
             check(False, unhealthy("good")), 20)
    s.kubectl("delete", "pods", "--all")


def static_pods(lab, kubelet):
    s = Space(lab, "static")
    kubelet.write("web.yaml", pod("web", "nginx", meta=", namespace: static"))
    kubelet.write("broken.yaml", "kind: Service\n")
    name = "web-" + NODE
    wait_for("its mirror", lambda: name in s.names_of("pods"))
    s.kubectl("wait", "--for=condition=Ready", "pod/" + name, "--timeout=20s")
    mirror = s.get("pod", name)
    annotations = mirror["metadata"]["annotations"]
    check_equal(annotations["kubernetes.io/config.mirror"],
                annotations["kubernetes.io/config.hash"], "annotations")
    check_equal(annotations["kubernetes.io/config.source"], "file", "source")
    owner = mirror["metadata"]["ownerReferences"][0]
    check_equal((owner["kind"], owner["name"], owner["controller"]), ("Node", NODE, True), "owner")
    started = mirror["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    s.kubectl("delete", "pod", name, "--wait=false")
    wait_for("another mirror", lambda: name in s.names_of("pods") and
             s.get("pod", name)["metadata"]["uid"] != mirror["metadata"]["uid"])
    s.kubectl("wait", "--for=condition=Ready", "pod/" + name, "--timeout=20s")
    check_equal(s.get("pod", name)["status"]["containerStatuses"][0]["state"]["running"][
        "startedAt"], started, "the containers went on")
    kubelet.write("web.yaml", pod("web", "httpd", meta=", namespace: static"))
    wait_for("the new image", lambda: s.get("pod", name)["spec"]["containers"][0]["image"] ==
             "httpd" and s.get("pod", name)["status"].get("phase") == "Running")
    os.remove(os.path.join(kubelet.manifests, "web.yaml"))
    wait_for("it goes with its file", lambda: name not in s.names_of("pods"))


def eviction(lab, kubelet):
    s = Space(lab, "eviction")
    s.kubectl("apply", "-f", "-", stdin=pod("steady", "lab/steady"))
    s.kubectl("apply", "-f", "-", stdin=pod("leaky", "lab/leaky"))
    wait_for("the leaky pod is evicted", lambda: phase(s, "leaky") == ("Failed", "Evicted"), 40)
    status = s.get("pod", "leaky")["status"]
    check(status["message"].startswith("The node was low on resource: memory. Threshold quantity: "
                                       "100Mi, available: "), status["message"])
    check_in("Container c was using 700Mi, request is 0, has larger consumption of memory. ",
             status["message"], "message")
    disrupted = [c for c in status["conditions"] if c["type"] == "DisruptionTarget"]
    check_equal((disrupted[0]["status"], disrupted[0]["reason"]),
                ("True", "TerminationByKubelet"), "DisruptionTarget")
    check_equal(condition(lab, "MemoryPressure"), ("True", "KubeletHasInsufficientMemory"), "node")
    check_equal(told(lab, "NodeHasInsufficientMemory"),
                [f"Node {NODE} status is now: NodeHasInsufficientMemory"], "event")
    taint = "node.kubernetes.io/memory-pressure"
    wait_for("the taint", lambda: taint in [
        t["key"] for t in lab.get("node", NODE)["spec"].get("taints", [])])
    check_equal(phase(s, "steady")[0], "Running", "who uses less stays")
    s.kubectl("apply", "-f", "-", stdin=pod("late", "nginx"))
    wait_for("no more of those that ask for nothing", lambda: phase(s, "late") ==
             ("Failed", "Evicted"))
    check_equal(s.get("pod", "late")["status"]["message"],
                "Pod was rejected: The node had condition: [MemoryPressure]. ", "message")
    reasons = {e["reason"] for e in s.get("events")["items"]}
    check("Evicted" in reasons, f"events: {reasons}")
    attempts = [e["message"] for e in lab.get("events", "-n", "default")["items"]
                if e["reason"] == "EvictionThresholdMet"]
    check("Attempting to reclaim memory" in attempts, f"events of the node: {attempts}")
    s.kubectl("apply", "-f", "-", stdin=pod("writer", "lab/writer",
                                            more="tolerations: [{operator: Exists}]"))
    wait_for("the writer is evicted", lambda: phase(s, "writer") == ("Failed", "Evicted"), 40)
    check_in("The node was low on resource: ephemeral-storage. ",
             s.get("pod", "writer")["status"]["message"], "disk")
    s.kubectl("delete", "pods", "--all")


def shutdown(lab, kubelet):
    s = Space(lab, "shutdown")
    asks = "tolerations: [{operator: Exists}]"
    for name, more in (("plain", asks), ("other", asks)):
        s.kubectl("apply", "-f", "-", stdin=pod(name, "lab/steady", more=more).replace(
            "image: lab/steady", "image: lab/steady, resources: {requests: {memory: 1Mi}}"))
        s.kubectl("wait", "--for=condition=Ready", "pod/" + name, "--timeout=20s")
    lab.kubectl("annotate", "node", NODE, "lab.coracle.dev/shutdown=now")
    wait_for("its pods are ended", lambda: all(
        phase(s, name) == ("Failed", "Terminated") for name in ("plain", "other")))
    check_equal(s.get("pod", "plain")["status"]["message"],
                "Pod was terminated in response to imminent node shutdown.", "message")
    check_equal(condition(lab, "Ready"), ("False", "KubeletNotReady"), "the node says so")
    wait_for("then it is silent", lambda: condition(lab, "Ready") == ("Unknown",
                                                                      "NodeStatusUnknown"), 90, 1)
    lab.kubectl("annotate", "node", NODE, "lab.coracle.dev/shutdown-")
    wait_for("it is back", lambda: condition(lab, "Ready") == ("True", "KubeletReady"))
    wait_for("it said so", lambda: len(told(lab, "NodeReady")) == 1 and lab.get(
        "events", "-n", "default", "--field-selector",
        f"involvedObject.name={NODE},reason=NodeReady")["items"][0]["count"] == 2)
    check_equal(len(told(lab, "NodeNotReady")), 2, "of the kubelet and of the node controller")
    s.kubectl("delete", "pods", "--all", "--wait=false")
    wait_for("its pods go", lambda: s.names_of("pods") == [])


# The last one leaves the node under pressure for minutes.
PARTS = [start, grpc_probe, static_pods, shutdown, eviction]


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.argv[1:] = []

    def node_life():
        with Lab(replicas=1, nodes=1) as lab, Kubelet(lab) as kubelet:
            wait_for("the node", lambda: condition(lab, "Ready") == ("True", "KubeletReady"))
            for part in PARTS:
                if not wanted or part.__name__ in wanted:
                    part(lab, kubelet)
                    print(f"  {part.__name__}", flush=True)
    main([node_life], limit=280)
