#!/usr/bin/env python3
"""Pods as processes, with stock kubectl: well-known images answer, commands really run, what a pod
names reaches it, probes and signals count, and nothing is left when the lab is down."""
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

from lab import Lab, check, check_equal, check_in, main, wait_for

ROOT = os.geteuid() == 0
LOW = 0 if ROOT or int(open("/proc/sys/net/ipv4/ip_unprivileged_port_start").read()) <= 80 else 10000

PODS = r"""
apiVersion: v1
kind: ConfigMap
metadata: {name: cfg}
data: {color: blue, page.html: "from a volume\n"}
---
apiVersion: v1
kind: Secret
metadata: {name: pw}
stringData: {user: kit}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - name: nginx
    image: nginx:1.25
    ports: [{name: http, containerPort: 80}]
    readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
    volumeMounts: [{name: pages, mountPath: /usr/share/nginx/html/sub}]
  - name: beside
    image: busybox
    command: [sh, -c, "until wget -qO- localhost; do sleep 0.2; done; sleep 3600"]
  volumes: [{name: pages, configMap: {name: cfg}}]
---
apiVersion: v1
kind: Pod
metadata: {name: echo}
spec:
  containers: [{name: c, image: "hashicorp/http-echo", args: ["-text=said"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: store}
spec:
  containers: [{name: c, image: redis}]
---
apiVersion: v1
kind: Pod
metadata: {name: named, labels: {tier: x}, annotations: {note: hi}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 2
  securityContext: {fsGroup: 555}
  initContainers:
  - {name: first, image: busybox, command: [sh, -c, "echo made > /work/file"], volumeMounts: [{name: work, mountPath: /work}]}
  containers:
  - name: c
    image: busybox
    workingDir: /work
    command: [sh, -c, 'echo "$(COLOR)"; env | sort; cat file /etc/secret/user /etc/podinfo/labels /sub/one; echo; pwd; hostname; cat /etc/resolv.conf;
      ls /var/run/secrets/kubernetes.io/serviceaccount; echo bad >&2; echo why > /dev/termination-log; exit 3']
    env:
    - {name: COLOR, valueFrom: {configMapKeyRef: {name: cfg, key: color}}}
    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
    envFrom: [{prefix: S_, secretRef: {name: pw}}]
    resources: {limits: {cpu: 250m}}
    volumeMounts:
    - {name: work, mountPath: /work}
    - {name: secret, mountPath: /etc/secret, readOnly: true}
    - {name: info, mountPath: /etc/podinfo}
    - {name: cfg, mountPath: /sub/one, subPath: color}
  volumes:
  - {name: work, emptyDir: {}}
  - {name: secret, secret: {secretName: pw}}
  - {name: info, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
  - {name: cfg, configMap: {name: cfg}}
---
apiVersion: v1
kind: Pod
metadata: {name: waits}
spec:
  containers: [{name: c, image: busybox, command: [sleep, "3600"], envFrom: [{configMapRef: {name: later}}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: mounts}
spec:
  containers: [{name: c, image: busybox, command: [sleep, "3600"], volumeMounts: [{name: v, mountPath: /v}]}]
  volumes: [{name: v, secret: {secretName: nowhere}}]
---
apiVersion: v1
kind: Pod
metadata: {name: nocmd}
spec:
  containers: [{name: c, image: busybox, command: [nosuchprogram]}]
---
apiVersion: v1
kind: Pod
metadata: {name: badname}
spec:
  containers: [{name: c, image: "Bad_IMAGE:x"}]
---
apiVersion: v1
kind: Pod
metadata: {name: alive}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: busybox
    command: [sh, -c, "echo run; touch /ok; sleep 2; rm /ok; sleep 3600"]
    livenessProbe: {exec: {command: [cat, /ok]}, periodSeconds: 1, failureThreshold: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: stubborn}
spec:
  terminationGracePeriodSeconds: 2
  containers: [{name: c, image: busybox, command: [sh, -c, "trap '' TERM; while true; do sleep 1; done"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: hungry}
spec:
  restartPolicy: Never
  containers: [{name: c, image: busybox, command: [sh, -c, "head -c 200m /dev/zero | tail -c 150m"], resources: {limits: {memory: 20Mi}}}]
"""

TOGETHER = r"""
apiVersion: v1
kind: Pod
metadata: {name: together}
spec:
  shareProcessNamespace: true
  setHostnameAsFQDN: true
  hostname: one
  subdomain: two
  terminationGracePeriodSeconds: 1
  containers:
  - {name: a, image: busybox, command: [sleep, "3456"]}
  - {name: b, image: busybox, command: [sh, -c, "until ps | grep -q [3]456; do sleep 0.1; done; ps; hostname; sleep 3600"]}
"""

REFUSED = r"""
apiVersion: v1
kind: Pod
metadata: {name: large}
spec:
  nodeName: node-1
  containers: [{name: c, image: busybox, command: [sleep, "60"], resources: {requests: {cpu: 64}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  nodeName: node-1
  containers: [{name: c, image: busybox, command: [sleep, "3600"], ports: [{containerPort: 9000, hostPort: 9000}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: second}
spec:
  nodeName: node-1
  containers: [{name: c, image: busybox, command: [sleep, "3600"], ports: [{containerPort: 9000, hostPort: 9000}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: elsewhere}
spec:
  nodeName: node-1
  nodeSelector: {disk: ssd}
  containers: [{name: c, image: busybox, command: [sleep, "3600"]}]
"""

HOOKS = r"""
apiVersion: v1
kind: Pod
metadata: {name: hooked}
spec:
  containers:
  - name: c
    image: busybox
    command: [sh, -c, "sleep 3600"]
    lifecycle:
      postStart: {exec: {command: [sh, -c, "echo after start > /proc/1/fd/1"]}}
      preStop: {exec: {command: [sh, -c, "echo x; sleep 1"]}}
---
apiVersion: v1
kind: Pod
metadata: {name: unhooked}
spec:
  containers:
  - name: c
    image: busybox
    command: [sleep, "3600"]
    lifecycle: {postStart: {exec: {command: ["false"]}}}
"""

lab = None


def fetch(ip, path="/", port=80):
    with urllib.request.urlopen(f"http://{ip}:{port + LOW if port < 1024 else port}{path}",
                                timeout=10) as answer:
        return answer.headers, answer.read().decode()


def ip_of(pod):
    return lab.out("get", "pod", pod, "-o", "jsonpath={.status.podIP}")


def state(pod, kind, last=False):
    status = lab.get("pod", pod)["status"]["containerStatuses"][0]
    return status["lastState" if last else "state"].get(kind, {})


def has_event(pod, text):
    return text in lab.out("get", "events", "--field-selector", f"involvedObject.name={pod}",
                           "-o", "custom-columns=R:.reason,M:.message", "--no-headers")


def created():
    wait_for("the service account", lambda: lab.run("get", "sa", "default", check=False).returncode == 0)
    lab.run("apply", "-f", "-", stdin=PODS)
    lab.run("wait", "--for=condition=Ready", "pod/web", "pod/echo", "pod/store", "--timeout=60s")


def images_answer():
    headers, page = fetch(ip_of("web"))
    check_equal(headers["Server"], "nginx/1.25", "the server's name")
    check_in("Welcome to nginx!", page, "the page")
    check_equal(fetch(ip_of("web"), "/sub/page.html")[1], "from a volume\n", "a mounted page")
    if LOW:
        wait_for("the event", lambda: has_event("web", f"{ip_of('web')}:{80 + LOW}"))
    wait_for("the access log", lambda: "GET /sub/page.html" in lab.out("logs", "web", "-c", "nginx"))
    wait_for("the neighbour", lambda: "Welcome to nginx!" in lab.out("logs", "web", "-c", "beside"))
    try:
        fetch(ip_of("web"), "/nothing")
        check(False, "there is no such page")
    except urllib.error.HTTPError as error:
        check_equal(error.code, 404, "a missing page")
    check_equal(fetch(ip_of("echo"), port=5678)[1], "said\n", "http-echo")
    with socket.create_connection((ip_of("store"), 6379), timeout=10) as redis:
        redis.sendall(b"PING\r\nSET a b\r\nGET a\r\n")
        got = b""
        while len(got) < 19:
            got += redis.recv(100)
    check_equal(got, b"+PONG\r\n+OK\r\n$1\r\nb\r\n", "redis")


def what_a_pod_names():
    wait_for("the end", lambda: state("named", "terminated"))
    ended = state("named", "terminated")
    check_equal((ended["exitCode"], ended["reason"], ended["message"]), (3, "Error", "why\n"), "end")
    check_equal(lab.get("pod", "named")["status"]["phase"], "Failed", "phase")
    log = lab.out("logs", "named")
    for line in ["blue", "S_user=kit", "CPU=250", f"IP={ip_of('named')}", "KUBERNETES_SERVICE_PORT=443",
                 "made", 'kittier="x"blue', "/work", "named", "bad", "token", "ca.crt",
                 "search default.svc.cluster.local svc.cluster.local cluster.local"]:
        check_in(line + "\n" if line != "search default.svc.cluster.local svc.cluster.local cluster.local"
                 else line, log, "the log")
    check(re.search(r"^\d{4}-\d\d-\d\dT\S+Z blue$", lab.out("logs", "named", "--timestamps"), re.M),
          "times in the log")


def containers_together():
    lab.run("apply", "-f", "-", stdin=TOGETHER)
    wait_for("what its second container prints", lambda: "one.two.default.svc.cluster.local" in lab.out(
        "logs", "together", "-c", "b", check=False))
    log = lab.out("logs", "together", "-c", "b")
    check(re.search(r"^ *1 .* /pause$", log, re.M), f"process 1 is /pause: {log}")
    check_in("sleep 3456", log, "the neighbour's process")
    check_in("3456", lab.out("exec", "together", "-c", "b", "--", "ps"), "exec sees it, too")
    lab.run("delete", "pod", "together", "--wait=false")


def missing_things():
    wait_for("the reason", lambda: state("waits", "waiting").get("reason") == "CreateContainerConfigError")
    check_in('configmap "later" not found', state("waits", "waiting")["message"], "message")
    wait_for("the event", lambda: has_event("waits", 'Error: configmap "later" not found'))
    wait_for("the mount's event", lambda: has_event(
        "mounts", 'MountVolume.SetUp failed for volume "v" : secret "nowhere" not found'))
    check_equal(state("mounts", "waiting")["reason"], "ContainerCreating", "it waits")
    wait_for("StartError", lambda: state("nocmd", "terminated", True).get("reason") == "StartError")
    check_equal(state("nocmd", "terminated", True)["exitCode"], 128, "exit code")
    check_in('exec: "nosuchprogram": executable file not found in $PATH',
             state("nocmd", "terminated", True)["message"], "message")
    wait_for("its name", lambda: state("badname", "waiting").get("reason") == "InvalidImageName")
    lab.run("create", "configmap", "later", "--from-literal=a=b")
    lab.run("wait", "--for=condition=Ready", "pod/waits", "--timeout=60s")
    lab.run("create", "secret", "generic", "nowhere", "--from-literal=a=b")
    lab.run("wait", "--for=condition=Ready", "pod/mounts", "--timeout=90s")


def liveness_restarts():
    wait_for("a restart", lambda: lab.get("pod", "alive")["status"]["containerStatuses"][0]["restartCount"] > 0, 60)
    wait_for("the event", lambda: has_event("alive", "Liveness probe failed: cat: can't open '/ok'"))
    wait_for("the other", lambda: has_event("alive", "Container c failed liveness probe, will be restarted"))
    check_equal(lab.out("logs", "alive", "-p"), "run\n", "the log of the run before")


def ends():
    wait_for("OOMKilled", lambda: state("hungry", "terminated").get("reason") == "OOMKilled")
    check_equal(state("hungry", "terminated")["exitCode"], 137, "exit code")
    wait_for("it runs", lambda: state("stubborn", "running"))
    began = time.monotonic()
    lab.run("delete", "pod", "stubborn")
    check(1.5 < time.monotonic() - began < 30, "its grace was kept, then it was killed")
    began = time.monotonic()
    lab.run("delete", "pod", "waits")
    check(time.monotonic() - began < 25, "what does not mind SIGTERM ends by it")


def the_node_refuses():
    lab.run("apply", "-f", "-", stdin=REFUSED)
    for name, reason, message in [
            ("large", "OutOfcpu", "Node didn't have enough resource: cpu, requested: 64000"),
            ("second", "NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports"),
            ("elsewhere", "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match")]:
        wait_for(reason, lambda: lab.get("pod", name)["status"].get("reason") == reason)
        status = lab.get("pod", name)["status"]
        check_equal(status["phase"], "Failed", name)
        check_in("Pod was rejected: " + message, status["message"], name)
        wait_for("the event", lambda: has_event(name, message))


def private_registry():
    pod = """{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%s"}, "spec": {%s "containers":
             [{"name": "c", "image": "registry.example.com/private/web"}]}}"""
    lab.run("apply", "-f", "-", stdin=pod % ("stranger", ""))
    wait_for("the refusal", lambda: "pull access denied" in state("stranger", "waiting").get("message", ""))
    lab.run("create", "secret", "docker-registry", "reg", "--docker-server=registry.example.com",
            "--docker-username=student", "--docker-password=coracle")
    lab.run("apply", "-f", "-", stdin=pod % ("friend", '"imagePullSecrets": [{"name": "reg"}],'))
    lab.run("wait", "--for=condition=Ready", "pod/friend", "--timeout=60s")
    wait_for("its page", lambda: fetch(ip_of("friend"))[1] == "private\n")


def hooks():
    lab.run("apply", "-f", "-", stdin=HOOKS)
    lab.run("wait", "--for=condition=Ready", "pod/hooked", "--timeout=60s")
    wait_for("postStart", lambda: "after start" in lab.out("logs", "hooked"))
    wait_for("the event", lambda: has_event("unhooked", "PostStartHook failed"))
    began = time.monotonic()
    lab.run("delete", "pod", "hooked")
    check(1 <= time.monotonic() - began < 25, "it stopped after its preStop hook")


def volumes_follow():
    lab.run("patch", "configmap", "cfg", "-p", '{"data":{"page.html":"new"}}')
    wait_for("the new page", lambda: fetch(ip_of("web"), "/sub/page.html")[1] == "new", 60)


def restarted():
    lab.stop("kubelet-sim-1")
    wait_for("no process is left", lambda: not processes(), 20)
    lab.up()
    wait_for("web again", lambda: lab.get("pod", "web")["status"]["containerStatuses"][0]["restartCount"] == 1, 60)
    lab.run("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    check_in("Welcome", fetch(ip_of("web"))[1], "it serves again")


def processes():
    """Starters of this lab: their children's roots are in its folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/mountinfo") as f:
                if lab.root in f.read():
                    found.append(pid)
        except OSError:
            pass
    return found


def nothing_is_left():
    check(processes(), "there were some")
    done = lab.coracle("down")
    check_equal(done.returncode, 0, done.stderr)
    wait_for("no process is left", lambda: not processes(), 20)


def run():
    global lab
    with Lab(replicas=1, nodes=2) as lab:
        for step in (created, images_answer, what_a_pod_names, containers_together, missing_things, liveness_restarts, ends,
                     the_node_refuses, private_registry, hooks,
                     volumes_follow, restarted, nothing_is_left):
            began = time.monotonic()
            step()
            print(f"  {step.__name__} ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    main([run])
