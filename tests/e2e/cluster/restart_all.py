#!/usr/bin/env python3
"""kill -9 of every daemon at once, then `coracle up` on the same folder: all objects are back and
the pods run again. And nodes that fall silent for a while: not ready, then ready as before."""
import signal
import time

from basics import WEB, conditions
from lab import Lab, check, check_equal, main, wait_for

KINDS = "deployments,replicasets,pods,services,configmaps,secrets,serviceaccounts,nodes,namespaces"
REPLICAS = 6


def identities(lab):
    return sorted((i["kind"], i["metadata"].get("namespace", ""), i["metadata"]["name"],
                   i["metadata"]["uid"]) for i in lab.get(KINDS, "-A")["items"])


def running(lab):
    return [p["metadata"]["uid"] for p in lab.get("pods", "-l", "app=web")["items"]
            if p["status"]["phase"] == "Running"
            and all(c["ready"] for c in p["status"]["containerStatuses"])]


def kill_everything(**shape):
    with Lab(nodes=3, **(shape or {"replicas": 3})) as lab:
        lab.kubectl("apply", "-f", "-", stdin=WEB.replace("replicas: 3", f"replicas: {REPLICAS}"))
        lab.kubectl("expose", "deployment/web", "--port=80")
        lab.kubectl("create", "secret", "generic", "s", "--from-literal=key=value")
        lab.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        written = []
        for i in range(20):
            lab.kubectl("create", "configmap", f"c{i}", f"--from-literal=i={i}")
            written.append(f"c{i}")
        before = identities(lab)
        for name in lab.names():
            check(lab.stop(name, signal.SIGKILL), f"{name} did not run")
        wait_for("all processes to be gone", lambda: not any(lab.pid(n) for n in lab.names()))
        print(f"  {len(lab.names())} daemons killed with SIGKILL; {len(before)} objects were there",
              flush=True)

        at = time.monotonic()
        lab.up()
        print(f"  ready again after {time.monotonic() - at:.1f} s", flush=True)
        after = identities(lab)
        check_equal([i for i in before if i not in after], [], "objects that are missing")
        check_equal([i for i in after if i not in before], [], "objects that are new")
        check_equal({n: lab.get("configmap", n)["data"]["i"] for n in written},
                    {n: n[1:] for n in written}, "the ConfigMaps")
        wait_for("the pods to run", lambda: len(running(lab)) == REPLICAS, 60)
        print(f"  {REPLICAS} pods run after {time.monotonic() - at:.1f} s", flush=True)

        # It is a live cluster, not a picture of one: every controller works.
        lab.kubectl("scale", "deployment/web", f"--replicas={REPLICAS + 2}")
        wait_for("a scaled deployment", lambda: len(running(lab)) == REPLICAS + 2, 60)
        print(f"  scaled to {REPLICAS + 2} after {time.monotonic() - at:.1f} s", flush=True)


def silent_nodes():
    """The process of the nodes is paused: they are unreachable, their pods not ready and no
    endpoints; when it goes on, all is as before, with the same pods."""
    with Lab(replicas=1, nodes=2) as lab:
        lab.kubectl("apply", "-f", "-", stdin=WEB)
        lab.kubectl("expose", "deployment/web", "--port=80")
        lab.kubectl("rollout", "status", "deployment/web", "--timeout=60s")

        def state():
            nodes = lab.get("nodes")["items"]
            subsets = lab.get("endpoints", "web").get("subsets") or [{}]
            return ({conditions(n)["Ready"] for n in nodes},
                    {t["key"] for n in nodes for t in n["spec"].get("taints", [])},
                    {conditions(p)["Ready"] for p in lab.get("pods")["items"]},
                    len(subsets[0].get("addresses", [])))
        well = ({"True"}, set(), {"True"}, 3)
        wait_for("endpoints", lambda: state() == well)
        before = sorted(running(lab))
        at = time.monotonic()
        lab.stop("kubelet-sim-1", signal.SIGSTOP)
        try:
            wait_for("the silence to be noticed", lambda: state() == (
                {"Unknown"}, {"node.kubernetes.io/unreachable"}, {"False"}, 0), 70, 0.3)
            print(f"  unreachable after {time.monotonic() - at:.1f} s", flush=True)
        finally:
            lab.stop("kubelet-sim-1", signal.SIGCONT)
        at = time.monotonic()
        wait_for("all to be as before", lambda: state() == well, 30)
        print(f"  as before after {time.monotonic() - at:.1f} s", flush=True)
        check_equal(sorted(running(lab)), before, "the pods")


if __name__ == "__main__":
    main([kill_everything, silent_nodes], limit=190)
