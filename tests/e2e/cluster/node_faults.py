#!/usr/bin/env python3
"""Nodes that are cut off, rebooted and slowed by `coracle node`, seen with stock kubectl.

    node_faults.py [NAME of a part ...]
"""
import sys
import time

from basics import Space
from join import Node, join_command
from lab import Lab, check, check_equal, check_in, main, wait_for

NODE, OTHER = "node-2", "node-1"
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule,
         labelSelector: {matchLabels: {app: web}}, nodeTaintsPolicy: Honor}
      tolerations:
      - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 2}
      containers:
      - name: web
        image: registry.k8s.io/e2e-test-images/agnhost:2.40
        args: [netexec]
        readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""


def shell(name, node, script="sleep 100000", more=""):
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 1
  tolerations: [{{operator: Exists}}]
  volumes: [{{name: kept, emptyDir: {{}}}}]
  containers:
  - name: c
    image: busybox
    command: [sh, -c, "{script}"]
    volumeMounts: [{{name: kept, mountPath: /kept}}]
    {more}
"""


def node_of(lab, name=NODE):
    return lab.get("node", name)


def ready(lab, name=NODE):
    for c in node_of(lab, name)["status"]["conditions"]:
        if c["type"] == "Ready":
            return c["status"], c["reason"]
    return None


def events(lab, reason, name=NODE):
    return [e["message"] for e in lab.get("events", "-n", "default")["items"]
            if e["reason"] == reason and e["involvedObject"]["name"] == name]


def command(lab, *words):
    done = lab.coracle("node", *words)
    check_equal(done.returncode, 0, f"coracle node {words}: {done.stdout}{done.stderr}")
    return done.stdout


def bad_input(lab):
    for words, code, says in (
            ((), 2, "Usage: coracle node"), (("explode", NODE), 2, 'unknown command "explode"'),
            (("cut-off",), 2, "which node?"), (("slow", NODE), 2, "--delay"),
            (("slow", NODE, "--delay", "1h"), 2, "--delay: must be from 0s to 10m"),
            (("reboot", "nosuch"), 1, 'nodes "nosuch" not found'),
            (("cut-off", "nosuch"), 1, 'nodes "nosuch" not found')):
        done = lab.coracle("node", *words) if words else lab.coracle("node", "nothing")
        check_equal(done.returncode, code, f"exit code of {words}: {done.stdout}{done.stderr}")
        check_in(says if words else "Usage", done.stderr, f"why not {words}")
    lab.kubectl("annotate", "node", NODE, "lab.coracle.dev/slow=very")
    wait_for("the event", lambda: any(
        'Annotation lab.coracle.dev/slow: "very" is not' in text
        for text in events(lab, "InvalidFault")))
    lab.kubectl("annotate", "node", NODE, "lab.coracle.dev/slow-")
    check_equal(ready(lab), ("True", "KubeletReady"), "the node goes on")


def may_reach(s, pod, address):
    return s.run("exec", pod, "--", "wget", "-q", "-T", "2", "-O", "-", f"http://{address}/",
                 check=False).returncode == 0


def cut_off(lab):
    """Unknown, tainted, evicted by upstream's times; nothing reaches it; what it missed is done."""
    s = Space(lab, "cut-off")
    s.kubectl("apply", "-f", "-", stdin=WEB)
    s.rolled_out()
    for name, node in (("here", OTHER), ("inside", NODE)):
        s.kubectl("apply", "-f", "-", stdin=shell(name, node))
        s.kubectl("wait", "--for=condition=Ready", "pod/" + name, "--timeout=30s")
    pods = s.pods()
    lost = [p for p in pods if p["spec"]["nodeName"] == NODE]
    check(lost and len(lost) < len(pods), "pods on both nodes")
    address = {p["spec"]["nodeName"]: p["status"]["podIP"] + ":8080" for p in pods}
    check(may_reach(s, "here", address[NODE]), "before, its pods are reached")
    renewed = lab.get("lease", NODE, "-n", "kube-node-lease")["spec"]["renewTime"]

    began = time.monotonic()
    command(lab, "cut-off", NODE)
    wait_for("its pods are not reached from elsewhere",
             lambda: not may_reach(s, "here", address[NODE]))
    check(may_reach(s, "here", address[OTHER]), "those of another node are")
    for _ in range(6):  # an endpoint that does not answer costs a client time, not its request
        wait_for("the Service answers", lambda: may_reach(s, "here", "web"), 20)
    refused = s.run("exec", "inside", "--", "true", check=False, timeout=60)
    check(refused.returncode != 0, "its kubelet does not answer")
    check_in("timeout", refused.stderr, "the API server says so")
    s.kubectl("delete", "pod", "inside", "--wait=false")
    wait_for("the node is called unknown", lambda: ready(lab) == ("Unknown", "NodeStatusUnknown"),
             90)
    print(f"  unknown after {time.monotonic() - began:.0f} s", flush=True)
    wait_for("it is tainted", lambda: any(
        t["key"] == "node.kubernetes.io/unreachable" and t["effect"] == "NoExecute"
        for t in node_of(lab)["spec"].get("taints", [])))
    check_equal(lab.get("lease", NODE, "-n", "kube-node-lease")["spec"]["renewTime"][:18] >
                renewed[:18], False, "a heartbeat came through")
    wait_for("its pods are elsewhere", lambda: len(
        [p for p in s.pods() if p["spec"]["nodeName"] != NODE
         and any(c["type"] == "Ready" and c["status"] == "True"
                 for c in p["status"].get("conditions", []))]) == 4, 60)
    names = s.names_of("pods")
    for gone in [p["metadata"]["name"] for p in lost] + ["inside"]:
        check(gone in names, f"{gone} is still there: its node could not say that it has ended")

    command(lab, "reconnect", NODE)
    wait_for("it is ready at once", lambda: ready(lab) == ("True", "KubeletReady"), 15)
    wait_for("what was deleted meanwhile has ended", lambda: not {"inside"}.union(
        p["metadata"]["name"] for p in lost) & set(s.names_of("pods")), 30)
    s.kubectl("apply", "-f", "-", stdin=shell("after", NODE))
    s.kubectl("wait", "--for=condition=Ready", "pod/after", "--timeout=30s")
    check_equal(s.out("exec", "after", "--", "echo", "hello").strip(), "hello", "its kubelet")
    s.kubectl("delete", "all", "--all", "--wait=false")


def limited(lab):
    check_in("until", command(lab, "cut-off", NODE, "--for", "3s"), "what it says")
    check_in("lab.coracle.dev/cut-off", node_of(lab)["metadata"]["annotations"], "asked")
    wait_for("it ends by itself", lambda: "lab.coracle.dev/cut-off" not in node_of(lab)[
        "metadata"].get("annotations", {}), 20)
    renewed = lab.get("lease", NODE, "-n", "kube-node-lease")["spec"]["renewTime"]
    wait_for("heartbeats", lambda: lab.get(
        "lease", NODE, "-n", "kube-node-lease")["spec"]["renewTime"] > renewed)


def container(s, name):
    return s.get("pod", name)["status"]["containerStatuses"][0]


def reboot(lab):
    s = Space(lab, "reboot")
    script = "date +%s%N >> /kept/starts; touch /mine; cat /kept/starts; sleep 100000"
    for name, node in (("it", NODE), ("other", OTHER)):
        s.kubectl("apply", "-f", "-", stdin=shell(name, node, script))
        s.kubectl("wait", "--for=condition=Ready", "pod/" + name, "--timeout=30s")
    s.kubectl("apply", "-f", "-", stdin=shell("once", NODE, "sleep 100000").replace(
        "  terminationGrace", "  restartPolicy: Never\n  terminationGrace"))
    s.kubectl("wait", "--for=condition=Ready", "pod/once", "--timeout=30s")
    before = node_of(lab)["status"]["nodeInfo"]["bootID"]
    since = lab.get("node", NODE)["metadata"]["resourceVersion"]
    check_in("has been rebooted", command(lab, "reboot", NODE), "what it says")
    after = node_of(lab)["status"]["nodeInfo"]["bootID"]
    check(before != after, "another boot ID")
    check_equal(events(lab, "Rebooted"), [f"Node {NODE} has been rebooted, boot id: {after}"],
                "the event")
    wait_for("it is ready", lambda: ready(lab) == ("True", "KubeletReady"))
    seen = lab.run("get", "--raw", f"/api/v1/nodes?watch=1&resourceVersion={since}&timeoutSeconds=1"
                   f"&fieldSelector=metadata.name%3D{NODE}").stdout
    check_in("container runtime status check may not have completed yet", seen,
             "it was not ready for a moment")
    wait_for("it runs again", lambda: "running" in container(s, "it")["state"])
    again = container(s, "it")
    check_equal(again["restartCount"], 1, "restarts")
    check_equal((again["lastState"]["terminated"]["exitCode"],
                 again["lastState"]["terminated"]["reason"]), (255, "Unknown"), "its last end")
    wait_for("its volume has both starts", lambda: len(
        s.out("logs", "it").split()) == 2)
    check_equal(container(s, "other")["restartCount"], 0, "restarts on the other node")
    once = s.get("pod", "once")["status"]
    check_equal((once["phase"], once["containerStatuses"][0]["state"]["terminated"]["exitCode"]),
                ("Failed", 255), "one that is never restarted")
    s.kubectl("delete", "pods", "--all", "--wait=false")


def slow(lab):
    s = Space(lab, "slow")
    probe = "readinessProbe: {exec: {command: [test, -f, /kept/ready]}, periodSeconds: 1}"
    s.kubectl("apply", "-f", "-", stdin=shell("watched", NODE, "touch /kept/ready; sleep 100000",
                                              probe))
    s.kubectl("wait", "--for=condition=Ready", "pod/watched", "--timeout=30s")
    command(lab, "slow", NODE, "--delay", "3s")
    wait_for("its probe is over time", lambda: any(
        e["reason"] == "Unhealthy" and "context deadline exceeded" in e["message"]
        for e in s.get("events")["items"]))
    s.kubectl("wait", "--for=condition=Ready=false", "pod/watched", "--timeout=40s")
    began = time.monotonic()
    s.out("logs", "watched")
    check(time.monotonic() - began >= 3, "its kubelet answers late")
    for name, node in (("late", NODE), ("soon", OTHER)):
        began = time.monotonic()
        s.kubectl("apply", "-f", "-", stdin=shell(name, node))
        s.kubectl("wait", "--for=condition=Ready", "pod/" + name, "--timeout=60s")
        took = time.monotonic() - began
        print(f"  a pod on {'the slow' if name == 'late' else 'another'} node: {took:.1f} s",
              flush=True)
        check((took >= 9) == (name == "late"), "pull, start and status: 3 s each")
    command(lab, "slow", NODE, "--delay", "0s")
    s.kubectl("wait", "--for=condition=Ready", "pod/watched", "--timeout=30s")
    check_equal(ready(lab), ("True", "KubeletReady"), "heartbeats came all the time")
    s.kubectl("delete", "pods", "--all", "--wait=false")


def joined(lab):
    """A node of another process: the same command."""
    with Node(lab, join_command(lab)):
        wait_for("it joins", lambda: ready(lab, "guest-1") == ("True", "KubeletReady"), 60)
        s = Space(lab, "joined")
        s.kubectl("apply", "-f", "-", stdin=shell("guest", "guest-1"))
        s.kubectl("wait", "--for=condition=Ready", "pod/guest", "--timeout=60s")
        command(lab, "reboot", "guest-1")
        wait_for("its pod is again", lambda: container(s, "guest")["restartCount"] == 1
                 and "running" in container(s, "guest")["state"])
        command(lab, "cut-off", "guest-1")
        wait_for("unknown", lambda: ready(lab, "guest-1") == ("Unknown", "NodeStatusUnknown"), 90)
        command(lab, "reconnect", "guest-1")
        wait_for("ready", lambda: ready(lab, "guest-1") == ("True", "KubeletReady"), 15)
        s.kubectl("delete", "pods", "--all")
    lab.kubectl("delete", "node", "guest-1")


PARTS = [bad_input, cut_off, limited, reboot, slow, joined]


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.argv[1:] = []

    def node_faults():
        with Lab(replicas=1, nodes=3) as lab:
            for part in PARTS:
                if not wanted or part.__name__ in wanted:
                    part(lab)
                    print(f"  {part.__name__}", flush=True)
    main([node_faults], limit=320)
