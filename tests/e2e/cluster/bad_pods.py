#!/usr/bin/env python3
"""Pods and nodes that behave badly, with stock kubectl: each gets upstream's state and event, and
the rest of the node keeps working.

    [CRASHING=1000] bad_pods.py [NAME of a part ...]
"""
import os
import sys
import time

from basics import Space
from lab import Lab, check, check_equal, check_in, main, wait_for
from spare import SpareKubelet

NODES = 10
CRASHING = int(os.environ.get("CRASHING", "300"))  # pods; 1,000 take minutes
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"

GOOD = """
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  nodeName: node-1
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: nginx:1.26
    readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  nodeName: node-1
  terminationGracePeriodSeconds: 1
  %s
  containers: [{name: c, image: busybox, command: [sh, -c, '%s'], %s}]
"""


def status(space, pod):
    return space.get("pod", pod)["status"]


def first(space, pod):
    return status(space, pod).get("containerStatuses", [{}])[0]


def waiting(space, pod):
    return first(space, pod).get("state", {}).get("waiting", {})


def event(space, pod, text, seconds=30):
    wait_for(f"the event {text!r} of {pod}", lambda: text in space.out(
        "get", "events", "--field-selector", f"involvedObject.name={pod}", "-o",
        "custom-columns=R:.reason,M:.message", "--no-headers"), seconds)


def running(space, pod):
    space.run("wait", "--for=condition=Ready", f"pod/{pod}", "--timeout=60s", timeout=70)


def neighbour_works(space, name):
    """A pod that is made now, beside the bad ones, becomes Ready and goes again."""
    space.run("apply", "-f", "-", stdin=GOOD % name)
    running(space, name)
    space.run("delete", "pod", name, timeout=60)


def missing(lab):
    """Claims, images, service accounts that are not there."""
    space = Space(lab, "missing")
    claim = POD.replace("nodeName: node-1", "volumes: [{name: v, persistentVolumeClaim: {claimName: nope}}]")
    space.run("apply", "-f", "-", stdin=claim % ("claim", "", "sleep 3600", ""))
    event(space, "claim", 'persistentvolumeclaim "nope" not found')
    check_equal(status(space, "claim")["phase"], "Pending", "a pod whose claim is missing")
    space.run("apply", "-f", "-", stdin=(POD % ("tag", "", "sleep 3600", "")).replace(
        "image: busybox", "image: nginx:does-not-exist"))
    wait_for("the pull's reason", lambda: waiting(space, "tag").get("reason") in
             ("ErrImagePull", "ImagePullBackOff"))
    event(space, "tag", "Failed to pull image")
    wait_for("the back-off", lambda: waiting(space, "tag").get("reason") == "ImagePullBackOff", 60)
    refused = space.run("apply", "-f", "-", check=False,
                        stdin=POD % ("account", "serviceAccountName: nobody", "sleep 3600", ""))
    check(refused.returncode != 0, "a missing service account is refused")
    check_in('error looking up service account missing/nobody: serviceaccount "nobody" not found',
             refused.stderr, "the refusal")
    neighbour_works(space, "beside")


def ports_in_use(lab):
    """Two containers of one pod want one port: the second ends, is restarted and backs off."""
    space = Space(lab, "ports")
    space.run("apply", "-f", "-", stdin="""
apiVersion: v1
kind: Pod
metadata: {name: twice}
spec:
  nodeName: node-1
  terminationGracePeriodSeconds: 1
  containers:
  - {name: one, image: hashicorp/http-echo, args: ["-text=one", "-listen=:8500"]}
  - {name: two, image: hashicorp/http-echo, args: ["-text=two", "-listen=:8500"]}
""")
    wait_for("one of them backs off", lambda: [
        s for s in status(space, "twice").get("containerStatuses", [])
        if s["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"], 60)
    bad = [s for s in status(space, "twice")["containerStatuses"] if not s["ready"]]
    check_equal(len(bad), 1, "containers that do not run")
    check_in("address already in use", space.out("logs", "twice", "-c", bad[0]["name"], "-p").lower(),
             "what it said")
    event(space, "twice", "Back-off restarting failed container")


def hanging_probes(lab):
    """Probes that do not end are ended, told as upstream tells them, and do not pile up."""
    space = Space(lab, "probes")
    probe = "livenessProbe: {%s, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 3}"
    space.run("apply", "-f", "-", stdin=POD % (
        "exec", "", "sleep 3600", probe % 'exec: {command: [sleep, "3601"]}'))
    space.run("apply", "-f", "-", stdin=POD % (
        "http", "", "nc -ll -p 8080 -e sleep 3602", probe % "httpGet: {path: /, port: 8080}"))
    event(space, "exec", 'Liveness probe failed: command timed out: "sleep 3601" timed out after 1s')
    event(space, "http", "context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
    wait_for("a restart", lambda: first(space, "exec").get("restartCount", 0) >= 1, 60)
    wait_for("a restart", lambda: first(space, "http").get("restartCount", 0) >= 1, 60)
    check(commands("3601") <= 3, "probes that were given up have ended")
    neighbour_works(space, "beside")
    space.run("delete", "pod", "exec", "http", timeout=60)
    wait_for("the end of every probe", lambda: commands("3601") == 0)


def commands(word):
    """Processes one of whose arguments is `word`."""
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                found += word.encode() in f.read().split(b"\0")
        except OSError:
            pass
    return found


def forks(lab):
    """Children that leave the process group and ignore SIGTERM end with their container."""
    space = Space(lab, "forks")
    script = 'trap "" TERM; for i in 1 2 3 4 5; do setsid sh -c "trap \\"\\" TERM; sleep 3603; sleep 3603" & done; sleep 3603'
    space.run("apply", "-f", "-", stdin="""
apiVersion: v1
kind: Pod
metadata: {name: forks}
spec:
  nodeName: node-1
  terminationGracePeriodSeconds: 2
  containers:
  - name: c
    image: busybox
    command:
    - sh
    - -c
    - |
      """ + script + "\n")
    running(space, "forks")
    wait_for("its children", lambda: commands("3603") >= 6)
    began = time.monotonic()
    space.run("delete", "pod", "forks", timeout=60)
    check(1.5 < time.monotonic() - began < 30, "its grace was kept, then it was killed")
    wait_for("the end of its children", lambda: commands("3603") == 0)


def floods(lab):
    """Logs are bounded, and those of the neighbours are read meanwhile."""
    space = Space(lab, "floods")
    space.run("apply", "-f", "-", stdin=GOOD % "good")
    running(space, "good")
    before = resident(lab.pid("kubelet-sim-1"))
    for i in range(4):
        space.run("apply", "-f", "-", stdin=POD % (
            f"flood-{i}", "", f"yes {'line of a flood ' * 8}", ""))
    for i in range(4):
        running(space, f"flood-{i}")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        began = time.monotonic()
        check_in("line of a flood", space.out("logs", "flood-0", "--tail=3"), "the log")
        space.out("logs", "good", "--tail=3")
        check(time.monotonic() - began < 20, "logs are read while others flood")
    check_equal(len(space.out("logs", "flood-1", "--tail=100").splitlines()), 100, "lines")
    grown = resident(lab.pid("kubelet-sim-1")) - before
    check(grown < 120, f"kubelet-sim grew by {grown} MiB")
    neighbour_works(space, "beside")
    space.run("delete", "pod", "--all", timeout=90)


def resident(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


def disk(lab):
    """More on the node's disk than the pod may keep there: evicted, with upstream's words."""
    space = Space(lab, "disk")
    fill = "dd if=/dev/zero of=%s bs=1M count=3 2>/dev/null; sleep 3600"
    mount = "volumeMounts: [{name: v, mountPath: /v}]"
    limits = "resources: {limits: {ephemeral-storage: 2Mi}}"
    whole = "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. "
    told = {
        "volume": (POD % ("volume", "volumes: [{name: v, emptyDir: {sizeLimit: 1Mi}}]", fill % "/v/f", mount),
                   'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '),
        "root": (POD % ("root", "", fill % "/f", limits), whole),
        "both": (POD % ("both", "volumes: [{name: v, emptyDir: {}}]", fill % "/v/f", f"{mount}, {limits}"), whole),
    }
    for text, _ in told.values():
        space.run("apply", "-f", "-", stdin=text)
    space.run("apply", "-f", "-", stdin=POD % (
        "modest", "volumes: [{name: v, emptyDir: {sizeLimit: 1Mi}}]", "echo a > /v/f; sleep 3600", mount))
    for name, (_, message) in told.items():
        wait_for(f"{name} is evicted", lambda name=name: status(space, name).get("reason") == "Evicted", 60)
        check_equal((status(space, name)["phase"], status(space, name)["message"]), ("Failed", message), name)
        event(space, name, message.strip())
    running(space, "modest")


def not_ready(lab):
    return [n["metadata"]["name"] for n in lab.get("nodes")["items"]
            if {"type": "Ready", "status": "True"} not in
            [{k: c[k] for k in ("type", "status")} for c in n["status"]["conditions"]]]


def crash_loops(lab):
    """Hundreds of crash-looping pods: back-off, and nodes that serve the others."""
    space = Space(lab, "crash")
    space.run("apply", "-f", "-", stdin=GOOD % "good")
    running(space, "good")
    space.run("apply", "-f", "-", stdin=f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: crash}}
spec:
  replicas: {CRASHING}
  selector: {{matchLabels: {{app: crash}}}}
  template:
    metadata: {{labels: {{app: crash}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: c, image: busybox, command: [sh, -c, "echo no; exit 7"]}}]
""")

    def looping():
        """Pods that have crashed and been started again."""
        return sum(1 for count in space.out(
            "get", "pods", "-l", "app=crash", "-o",
            "jsonpath={.items[*].status.containerStatuses[0].restartCount}").split() if count != "0")

    def all_loop():
        check_equal(looping(), CRASHING, "pods that have crashed and been started again")
        return True

    wait_for("crash loops", all_loop, max(300, CRASHING * 6 // 10), 3)
    began = time.monotonic()
    neighbour_works(space, "beside")
    print(f"    a pod beside them became Ready and went in {time.monotonic() - began:.1f} s")
    check_equal(status(space, "good")["containerStatuses"][0]["restartCount"], 0, "restarts of the good one")
    check_equal(not_ready(lab), [], "nodes that are not Ready")
    one = space.get("pods", "-l", "app=crash")["items"][0]
    check_equal(one["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 7, "exit code")
    event(space, one["metadata"]["name"], "Back-off restarting failed container c in pod ")
    space.run("delete", "deployment", "crash", timeout=60)
    wait_for("they are gone", lambda: not space.get("pods", "-l", "app=crash")["items"], 240, 2)


def spare(lab, clock=None):
    """node-60; `clock`: the file its clock is read from."""
    env = dict(os.environ)
    if clock:
        env |= {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": clock,
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return SpareKubelet(lab, 60, env=env)


def ready(lab, node="node-60"):
    wait_for("the node", lambda: lab.run("get", "node", node, check=False).returncode == 0)
    lab.run("wait", "--for=condition=Ready", f"node/{node}", "--timeout=60s", timeout=70)


def another_identity(lab):
    """A node whose object was deleted comes back as another one: the pods of the old are not its."""
    space = Space(lab, "identity")
    with spare(lab):
        ready(lab)
        space.run("apply", "-f", "-", stdin=(GOOD % "old").replace("node-1", "node-60"))
        running(space, "old")
        old = lab.get("node", "node-60")["metadata"]["uid"]
    lab.run("delete", "node", "node-60")
    wait_for("the pod is collected", lambda: not space.names_of("pods"), 120, 1)
    with spare(lab):
        ready(lab)
        check(lab.get("node", "node-60")["metadata"]["uid"] != old, "it is another node")
        space.run("apply", "-f", "-", stdin=(GOOD % "new").replace("node-1", "node-60"))
        running(space, "new")
        space.run("delete", "pod", "new", timeout=60)
    lab.run("delete", "node", "node-60")
    wait_for("nothing is left", lambda: not space.names_of("pods"), 60, 1)


def clock_jumps(lab):
    """A node's clock goes an hour on, and two back: the node stays Ready, its pods run on."""
    if not os.path.exists(FAKETIME):
        print("    left out: libfaketime is not there")
        return
    space = Space(lab, "clock")
    clock = os.path.join(lab.root, "clock")

    def jump(offset):
        with open(clock + ".new", "w") as f:
            f.write(offset + "\n")
        os.rename(clock + ".new", clock)

    def renewed():
        return lab.get("-n", "kube-node-lease", "lease", "node-60")["spec"]["renewTime"]

    jump("+0")
    with spare(lab, clock):
        ready(lab)
        space.run("apply", "-f", "-", stdin=(GOOD % "steady").replace("node-1", "node-60"))
        running(space, "steady")
        for offset in ("+3600", "-3600"):
            before = renewed()
            jump(offset)
            wait_for(f"a heartbeat at {offset} s", lambda: (renewed() > before) == (offset[0] == "+")
                     and renewed() != before, 40, 0.5)
            # Two more heartbeats: the controller would have noticed by then what it minds.
            for _ in range(2):
                seen = renewed()
                wait_for("the next heartbeat", lambda: renewed() != seen, 40, 0.5)
            check("node-60" not in not_ready(lab), f"the node is Ready with its clock at {offset} s")
            pod = status(space, "steady")
            check_equal((pod["phase"], pod["containerStatuses"][0]["restartCount"]), ("Running", 0), "its pod")
        space.run("apply", "-f", "-", stdin=(GOOD % "later").replace("node-1", "node-60"))
        running(space, "later")
        space.run("delete", "pod", "steady", "later", timeout=60)
    lab.run("delete", "node", "node-60")


PARTS = (missing, ports_in_use, hanging_probes, forks, floods, disk, another_identity, clock_jumps, crash_loops)


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.argv[1:] = []

    def bad_pods():
        with Lab(replicas=1, nodes=NODES) as lab:
            for part in PARTS:
                if not wanted or part.__name__ in wanted:
                    began = time.monotonic()
                    part(lab)
                    print(f"  {part.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
    main([bad_pods], limit=680 + CRASHING)
