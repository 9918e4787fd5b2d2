#!/usr/bin/env python3
"""A Service of many pods that are real processes answers while everything behind it moves: pods are
deleted, a rolling update runs, a node is cut off and comes back, another dies with its pods. Clients
ask all the time, each request on a new connection, and ask again when a connection breaks or stays
silent; none of their requests fails. While only pods go, connections do not break: they drain (one in
a thousand may, where a machine is so busy that a pod's five seconds are over before it is known to go).

    steady_service.py [PODS]     40 unless said; 200 takes some minutes on two cores
"""
import http.client
import random
import signal
import sys
import threading
import time
import urllib.request

from join import Node, is_ready, join_command
from lab import Lab, check, check_equal, main, wait_for

CLIENTS, ATTEMPTS, PATIENCE = 4, 12, 5
MANIFEST = """
apiVersion: v1
kind: Service
metadata: {name: crowd}
spec: {type: NodePort, selector: {app: crowd}, ports: [{port: 8080, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: crowd}
spec:
  replicas: %d
  selector: {matchLabels: {app: crowd}}
  strategy: {rollingUpdate: {maxSurge: 10%%, maxUnavailable: 10%%}}
  template:
    metadata: {labels: {app: crowd}}
    spec:
      terminationGracePeriodSeconds: 10
      tolerations:
      - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1}
      - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 1}
      containers:
      - name: web
        image: registry.k8s.io/e2e-test-images/agnhost:2.40
        args: [netexec]
        readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 2}
        lifecycle: {preStop: {sleep: {seconds: 5}}}
        resources: {requests: {cpu: 10m}}
"""


class Client(threading.Thread):
    """Asks until it is told to stop. Times in seconds, of whole requests with their attempts."""

    def __init__(self, url, over):
        super().__init__(daemon=True)
        self.url, self.over = url, over
        self.times, self.again, self.broken, self.failed, self.pods = [], 0, [], [], set()

    def run(self):
        while not self.over.is_set():
            began = time.monotonic()
            self.request()
            self.times.append(time.monotonic() - began)
            self.over.wait(0.02)

    def request(self):
        why = None
        for attempt in range(ATTEMPTS):
            try:
                with urllib.request.urlopen(self.url, timeout=PATIENCE) as answer:
                    self.pods.add(answer.read().decode())
                self.again += attempt > 0
                return
            except (OSError, http.client.HTTPException) as error:
                why = error
                if not isinstance(getattr(error, "reason", error), TimeoutError):
                    self.broken.append(repr(error))
        self.failed.append(str(why))


def ready(lab):
    return int(lab.out("get", "deployment", "crowd", "-o", "jsonpath={.status.readyReplicas}") or 0)


def pods_of(lab):
    return lab.get("pods", "-l", "app=crowd")["items"]


def rolled_out(lab, seconds):
    lab.run("rollout", "status", "deployment/crowd", f"--timeout={seconds}s", timeout=seconds + 20)


def timed(what, work):
    began = time.monotonic()
    work()
    print(f"  {what}: {time.monotonic() - began:.1f} s", flush=True)


def delete_some(lab, pods):
    names = [p["metadata"]["name"] for p in pods_of(lab)]
    for name in random.Random(7).sample(names, pods // 4):
        lab.run("delete", "pod", name, "--wait=false")
        time.sleep(0.05)  # one after the other, as people and nodes do it
    wait_for("all are back", lambda: ready(lab) == pods, seconds=240)


def roll(lab, pods):
    lab.run("set", "env", "deployment/crowd", "VERSION=2")
    rolled_out(lab, 400)
    check_equal(ready(lab), pods, "ready pods")


def cut_off_node(lab, pods, node="node-2"):
    """Its pods go on, and nobody hears them."""
    names = [p["metadata"]["name"] for p in pods_of(lab) if p["spec"].get("nodeName") == node]
    check(names, "the node that is cut off has pods")
    print(f"  a node with {len(names)} of {pods} pods is cut off", flush=True)
    check_equal(lab.coracle("node", "cut-off", node).returncode, 0, "cut-off")
    wait_for("its pods are elsewhere", lambda: ready(lab) == pods and all(
        p["spec"].get("nodeName") != node or "deletionTimestamp" in p["metadata"]
        for p in pods_of(lab)), seconds=300, interval=0.5)
    check_equal(lab.coracle("node", "reconnect", node).returncode, 0, "reconnect")
    wait_for("its pods have ended", lambda: not set(names) & {
        p["metadata"]["name"] for p in pods_of(lab)}, seconds=120, interval=0.5)


def kill_node(lab, guest, pods):
    """No goodbye: the processes of its pods go with it, the API only hears nothing any more."""
    lost = [p for p in pods_of(lab) if p["spec"].get("nodeName") == "guest-1"]
    check(lost, "the node that dies has pods")
    guest.process.send_signal(signal.SIGKILL)
    print(f"  a node with {len(lost)} of {pods} pods is killed", flush=True)
    wait_for("the node is called dead", lambda: not is_ready(lab), seconds=90)
    wait_for("its pods are elsewhere", lambda: ready(lab) == pods and all(
        p["spec"].get("nodeName") != "guest-1" or "deletionTimestamp" in p["metadata"]
        for p in pods_of(lab)), seconds=240, interval=0.5)


def steady_service():
    with Lab(replicas=1, nodes=4) as lab, Node(lab, join_command(lab)) as guest:
        wait_for("the joined node", lambda: is_ready(lab), seconds=60)
        lab.run("apply", "-f", "-", stdin=MANIFEST % PODS)
        timed(f"{PODS} pods ready", lambda: rolled_out(lab, 400))
        port = lab.out("get", "service", "crowd", "-o", "jsonpath={.spec.ports[0].nodePort}")
        url, over = f"http://localhost:{port}/hostname", threading.Event()
        wait_for("an answer", lambda: urllib.request.urlopen(url, timeout=10).status == 200)
        clients = [Client(url, over) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            timed(f"{PODS // 4} pods deleted and replaced", lambda: delete_some(lab, PODS))
            timed("rolling update", lambda: roll(lab, PODS))
            broken = [why for client in clients for why in client.broken]
            timed("a node cut off and back", lambda: cut_off_node(lab, PODS))
            timed("a node's death", lambda: kill_node(lab, guest, PODS))
        finally:
            over.set()
            for client in clients:
                client.join(60)
        times = sorted(t for client in clients for t in client.times)
        failed = [why for client in clients for why in client.failed]
        seen = set().union(*(client.pods for client in clients))
        print(f"  {len(times)} requests, {sum(c.again for c in clients)} of them on a second connection, "
              f"{len(failed)} failed; {len(seen)} pods answered; median {times[len(times) // 2] * 1000:.1f} ms, "
              f"99% {times[len(times) * 99 // 100] * 1000:.1f} ms, longest {times[-1] * 1000:.0f} ms", flush=True)
        check_equal(failed, [], "failed requests")
        print(f"  {len(broken)} connections broke while only pods went", flush=True)
        check(len(broken) * 1000 <= len(times), f"connections that broke while pods went: {broken}")
        check(len(seen) > PODS, "old and new ones answered")


PODS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 40

if __name__ == "__main__":
    main([steady_service], limit=1500 if PODS > 60 else 380)
