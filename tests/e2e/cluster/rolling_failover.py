#!/usr/bin/env python3
"""A rolling update of 50 replicas over 10 nodes, while one after another the store's leader, an
apiserver, the leading scheduler and the leading controller-manager are killed with SIGKILL. It
completes, every acknowledged write is there, and the store has no leader for less than 2 s."""
import threading
import time

from basics import WEB
from lab import Lab, check, check_equal, main, need, wait_for

REPLICAS, SURGE = 50, 5
LEADERLESS_MAX = 2.0
TAKEOVER_MAX = 30.0  # a Lease lasts 15 s; the next one tries every 2 s


class Story:
    def __init__(self):
        self.start = time.monotonic()

    def tell(self, line):
        print(f"[{time.monotonic() - self.start:6.2f} s] {line}", flush=True)


class Writer(threading.Thread):
    """Creates ConfigMaps all the time, at whichever apiserver answers; keeps what was acknowledged
    and the longest time without an acknowledgement."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.lab, self.acknowledged, self.tried = lab, {}, 0
        self.over = threading.Event()
        self.last, self.longest = time.monotonic(), 0.0

    def run(self):
        ports = list(self.lab.ports)
        while not self.over.is_set():
            name, value = f"write-{self.tried}", str(self.tried * 7919)
            self.tried += 1
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
                    "data": {"value": value}}
            try:
                code, _ = self.lab.api("POST", "/api/v1/namespaces/default/configmaps", body,
                                       port=ports[0], timeout=10)
            except OSError:
                code = 0
            if code == 201:
                now = time.monotonic()
                self.longest = max(self.longest, now - self.last)
                self.last = now
                self.acknowledged[name] = value
            elif code == 0:
                ports.reverse()
            self.over.wait(0.01)

    def stop(self):
        self.over.set()
        self.join(15)


class Rollout:
    def __init__(self, lab):
        self.lab, self.most = lab, 0

    def status(self):
        for port in self.lab.ports:
            try:
                code, thing = self.lab.api(
                    "GET", "/apis/apps/v1/namespaces/default/deployments/web", port=port)
            except OSError:
                continue
            if code == 200:
                self.most = max(self.most, self.wanted(port))
                status = thing["status"]
                status["current"] = (status.get("observedGeneration", 0)
                                     >= thing["metadata"]["generation"])
                return status
        return {}

    def wanted(self, port):
        """What the ReplicaSets are told to have, all together: that is what maxSurge limits. Pods
        of a set that shrinks may be there for a moment longer."""
        try:
            code, sets = self.lab.api("GET", "/apis/apps/v1/namespaces/default/replicasets",
                                      port=port)
        except OSError:
            return 0
        return sum(s["spec"]["replicas"] for s in sets["items"]) if code == 200 else 0

    def updated(self):
        status = self.status()
        return status.get("updatedReplicas", 0) if status.get("current") else 0

    def complete(self):
        s = self.status()
        numbers = [s.get(k) for k in ("updatedReplicas", "availableReplicas", "replicas")]
        return bool(s.get("current")) and numbers == [REPLICAS] * 3


def kill_store_leader(lab, story, rollout):
    number, term = wait_for("a store leader", lab.store_leader)
    progress = rollout.updated()
    at = time.monotonic()
    lab.stop(f"kvstore-{number}")
    story.tell(f"SIGKILL to kvstore-{number}, the leader of term {term}; "
               f"{progress} of {REPLICAS} replicas are updated")
    after, new_term = wait_for("a new leader", lambda: next(
        (found for found in [lab.store_leader()] if found and found[1] > term), None),
        seconds=20, interval=0.005)
    leaderless = time.monotonic() - at
    story.tell(f"kvstore-{after} leads in term {new_term}: leaderless for {leaderless:.2f} s")
    return leaderless


def kill_apiserver(lab, story, rollout):
    progress = rollout.updated()
    lab.stop("apiserver-1")
    story.tell(f"SIGKILL to apiserver-1; {progress} of {REPLICAS} replicas are updated")
    lab.extra = [f"--server=https://127.0.0.1:{lab.ports[1]}"]


def kill_leading(program):
    def kill(lab, story, rollout):
        victim = wait_for(f"a leading {program}", lambda: lab.leading(program))
        progress = rollout.updated()
        at = time.monotonic()
        lab.stop(victim)
        story.tell(f"SIGKILL to {victim}, the leading one; "
                   f"{progress} of {REPLICAS} replicas are updated")
        heir = wait_for(f"another {program} to lead", lambda: lab.leading(program), TAKEOVER_MAX)
        check(heir != victim, "the dead one leads")
        story.tell(f"{heir} leads after {time.monotonic() - at:.1f} s")
    return kill


def rolling_failover():
    need("etcdctl")
    with Lab(replicas=3, nodes=10, apiservers=2, schedulers=2, controller_managers=2) as lab:
        story, rollout = Story(), Rollout(lab)
        story.tell("3 store members, 2 apiservers, 2 schedulers, 2 controller-managers, 10 nodes")
        manifest = WEB.replace("replicas: 3", f"""replicas: {REPLICAS}
  minReadySeconds: 1
  strategy:
    rollingUpdate: {{maxSurge: {SURGE}, maxUnavailable: 0}}""")
        lab.kubectl("apply", "-f", "-", stdin=manifest)
        wait_for("the first rollout", rollout.complete, 90)
        story.tell(f"Deployment web has {REPLICAS} available replicas of nginx:1.26")
        writer = Writer(lab)
        writer.start()
        wait_for("writes", lambda: writer.acknowledged)
        lab.kubectl("set", "image", "deployment/web", "web=nginx:1.27")
        story.tell("rolling update to nginx:1.27 begins")
        leaderless = None
        for share, kill in ((1, kill_store_leader), (8, kill_apiserver),
                            (15, kill_leading("scheduler")),
                            (25, kill_leading("controller-manager"))):
            wait_for(f"{share} updated replicas", lambda: rollout.updated() >= share, 90)
            check(not rollout.complete(), "the rollout was over too early")
            took = kill(lab, story, rollout)
            leaderless = leaderless if took is None else took
        wait_for("the rollout to complete", rollout.complete, 120)
        story.tell(f"the rollout is complete: {REPLICAS} of {REPLICAS} updated and available")
        writer.stop()

        verify(lab, rollout, writer)
        story.tell(f"{writer.tried} writes were tried, {len(writer.acknowledged)} acknowledged, 0 "
                   f"of them lost; longest wait for an acknowledgement {writer.longest:.2f} s")
        lab.extra = []
        lab.up()
        wait_for("the members to agree", lambda: agree(lab))
        verify(lab, rollout, writer)
        story.tell("all daemons run again, and all is there at both apiservers")
        check(leaderless < LEADERLESS_MAX, f"the store was leaderless for {leaderless:.2f} s")


def agree(lab):
    """All members are at the same revision."""
    found = [lab.store_status(n) for n in (1, 2, 3)]
    return all(found) and len({status["header"]["revision"] for status in found}) == 1


def verify(lab, rollout, writer):
    pods = [p for p in lab.get("pods", "-l", "app=web")["items"]
            if "deletionTimestamp" not in p["metadata"]]
    check_equal([(p["status"]["phase"], p["spec"]["containers"][0]["image"]) for p in pods],
                [("Running", "nginx:1.27")] * REPLICAS, "the pods")
    check_equal(len({p["spec"]["nodeName"] for p in pods}), 10, "nodes that are used")
    check_equal(len({p["status"]["podIP"] for p in pods}), REPLICAS, "addresses")
    check_equal(sorted(s["spec"]["replicas"] for s in lab.get("replicasets")["items"]),
                [0, REPLICAS], "ReplicaSets")
    check(rollout.most <= REPLICAS + SURGE, f"{rollout.most} replicas wanted at once")
    for port in lab.ports:
        if lab.extra and str(port) not in lab.extra[0]:
            continue
        found = lab.api("GET", "/api/v1/namespaces/default/configmaps", port=port)[1]["items"]
        values = {c["metadata"]["name"]: c["data"].get("value") for c in found}
        lost = [n for n, value in writer.acknowledged.items() if values.get(n) != value]
        check_equal(lost, [], "acknowledged writes that are lost")


if __name__ == "__main__":
    main([rolling_failover], limit=280)
