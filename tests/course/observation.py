#!/usr/bin/env python3
"""Course: is it well? Probes, logs of one and of many containers, termination messages, events, and
what to look at when something is wrong."""
import re

from student import check, check_equal, check_in, course, stop

LIVENESS = """
apiVersion: v1
kind: Pod
metadata: {name: pulse, labels: {test: liveness}}
spec:
  containers:
  - name: pulse
    image: k8s.gcr.io/liveness
    args: [/server]
    livenessProbe:
      httpGet: {path: /healthz, port: 8080, httpHeaders: [{name: X-Asked-By, value: course}]}
      initialDelaySeconds: 3
      periodSeconds: 3
---
apiVersion: v1
kind: Pod
metadata: {name: well}
spec:
  containers:
  - {name: c, image: linuxacademycontent/kubeserve, livenessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}}
---
apiVersion: v1
kind: Pod
metadata: {name: by-socket}
spec:
  containers:
  - {name: c, image: redis, livenessProbe: {tcpSocket: {port: 6379}, periodSeconds: 1}, readinessProbe: {exec: {command: [redis-cli, ping]}, periodSeconds: 1}}
"""


def liveness(me):
    """Ten good seconds, then 500: it is killed and started again."""
    me.apply(LIVENESS)
    me.ready("pod/well", "pod/by-socket")
    me.until("a restart", lambda: me.field(".status.containerStatuses[0].restartCount", "pod", "pulse") not in ("", "0"))
    text = me("describe", "pod", "pulse")
    check_in("Liveness probe failed: HTTP probe failed with statuscode: 500", text, "why")
    check_in("Container pulse failed liveness probe, will be restarted", text, "what then")
    for name in ("well", "by-socket"):
        check_equal(me.field(".status.containerStatuses[0].restartCount", "pod", name), "0", name)


READINESS = """
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec: {type: LoadBalancer, selector: {app: nginx}, ports: [{port: 80, targetPort: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nginx, labels: {app: nginx}}
spec:
  containers:
  - {name: nginx, image: nginx, readinessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 1, periodSeconds: 1}}
---
apiVersion: v1
kind: Pod
metadata: {name: nginxpd, labels: {app: nginx}}
spec:
  containers:
  - {name: nginx, image: "nginx:BadImageTAG", readinessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 1, periodSeconds: 1}}
"""


def readiness(me):
    """Only who is ready is behind the Service; a pod that is mended comes back."""
    me.apply(READINESS)
    me.ready("pod/nginx")
    me.until("ErrImagePull", lambda: me.reason("nginxpd") in ("ErrImagePull", "ImagePullBackOff"))

    def ready():
        return me.field(".subsets[*].addresses[*].targetRef.name", "endpoints", "nginx").split()
    me.until("one is behind it", lambda: ready() == ["nginx"])
    me("edit", "pod", "nginxpd", env={"EDITOR": "sed -i s/:BadImageTAG//"})
    me.until("both are", lambda: sorted(ready()) == ["nginx", "nginxpd"])
    check_in(",", me("get", "ep", "nginx"), "two addresses")
    # One that stops answering leaves again, and is not restarted.
    me("exec", "nginx", "--", "rm", "/usr/share/nginx/html/index.html")
    me.until("it is out", lambda: ready() == ["nginxpd"])
    check(re.search(r"nginx\s+0/1\s+Running\s+0", me("get", "pods")), "not ready, not restarted")
    me("exec", "nginx", "--", "sh", "-c", "echo back > /usr/share/nginx/html/index.html")
    me.until("it is in", lambda: len(ready()) == 2)


LOGS = """
apiVersion: v1
kind: Pod
metadata: {name: counter, labels: {app: counter}}
spec:
  containers:
  - name: count
    image: busybox
    args:
    - /bin/sh
    - -c
    - 'i=0; while true; do echo "$i: $(date)" >> /var/log/1.log; echo "$(date) INFO $i" >> /var/log/2.log; i=$((i+1)); sleep 1; done'
    volumeMounts: [{name: varlog, mountPath: /var/log}]
  - {name: log-1, image: busybox, args: [/bin/sh, -c, "tail -n+1 -F /var/log/1.log"], volumeMounts: [{name: varlog, mountPath: /var/log}]}
  - {name: log-2, image: busybox, args: [/bin/sh, -c, "tail -n+1 -F /var/log/2.log"], volumeMounts: [{name: varlog, mountPath: /var/log}]}
  volumes: [{name: varlog, emptyDir: {}}]
"""


def logs(me):
    me.apply(LOGS)
    me.ready("pod/counter")
    check_equal(me("exec", "counter", "-c", "count", "--", "ls", "/var/log").split(), ["1.log", "2.log"], "the files")
    me.until("the first sidecar", lambda: re.match(r"0: ", me("logs", "counter", "log-1")))
    me.until("the second", lambda: " INFO 2" in me("logs", "counter", "-c", "log-2"))
    check_in("INFO", me("logs", "counter", "--all-containers=true"), "all of them")
    check_in("Defaulted container \"count\" out of: count, log-1, log-2", me.run("logs", "counter").stderr, "which one")
    check_equal(len(me("logs", "--tail=2", "counter", "-c", "log-1").splitlines()), 2, "--tail")
    check(me("logs", "--since=1h", "counter", "-c", "log-1"), "--since")
    check(re.match(r"\d{4}-\d\d-\d\dT\S+Z 0: ", me("logs", "counter", "-c", "log-1", "--timestamps")), "--timestamps")
    check_in(" INFO ", me("logs", "-lapp=counter", "-c", "log-2"), "by label")
    follow = me.start("logs", "-f", "-c", "log-1", "counter")
    seen = [follow.stdout.readline() for _ in range(3)]
    stop(follow)
    check(seen[2].startswith("2: "), f"followed: {seen}")
    me.sh("kubectl logs counter -c log-1 > count.log; test -s count.log")
    me("create", "deployment", "web", "--image=nginx")
    me("rollout", "status", "deployment/web", "--timeout=60s")
    check_in("start worker process", me("logs", "deployment/web", "-c", "nginx"), "of a Deployment")
    me.fails("logs", "counter", "-c", "none", says="container none is not valid for pod counter")


MESSAGE = """
apiVersion: v1
kind: Pod
metadata: {name: tired}
spec:
  containers:
  - name: main
    image: busybox
    command: [sh, -c, 'echo "I needed a break" > /var/termination-reason; exit 1']
    terminationMessagePath: /var/termination-reason
"""


def termination_message(me):
    me.apply(MESSAGE)
    me.until("Last State", lambda: re.search(r"Last State:\s+Terminated\n\s+Reason:\s+Error\n\s+Message:\s+I needed a break",
                                             me("describe", "pod", "tired")))
    me.until("backing off", lambda: "CrashLoopBackOff" in me("get", "pods"))


def events(me):
    watch = me.start("get", "events", "-w")
    me("run", "seen", "--image=nginx")
    me.ready("pod/seen")
    text = ""
    while "Started container" not in text:
        line = watch.stdout.readline()
        check(line != "", "the watch ended")
        text += line
    stop(watch)
    for part in ("Scheduled", "Pulling", "Pulled", "Created"):
        check_in(part, text, "the watch")
    check_in("Scheduled", me("events"), "kubectl events")
    check_in("Started", me("get", "events", "--field-selector=involvedObject.name=seen"), "of one pod")


def edit_and_copy(me):
    """Change what runs; keep a pod's manifest to make another of it."""
    me("run", "first", "--image=nginx:1.25")
    me.ready("pod/first")
    me("edit", "pod", "first", env={"EDITOR": "sed -i s/nginx:1.25/nginx:1.26/"})
    me.until("the new image", lambda: "1.26" in me("exec", "first", "--", "sh", "-c", "nginx -v 2>&1"))
    me.sh("kubectl get pod first -o yaml > copy.yaml")
    me.sh("sed -i -e 's/name: first$/name: second/' -e '/uid:/d' -e '/resourceVersion:/d' -e '/nodeName:/d' copy.yaml")
    me("create", "-f", "copy.yaml")
    me.ready("pod/second")


def dump(me):
    """Everything of a namespace for somebody else to look at."""
    me("run", "talker", "--image=busybox", "--restart=Never", "--", "sh", "-c", "echo said; sleep 3600")
    me.ready("pod/talker")
    text = me("cluster-info", "dump", "--namespaces", me.ns)
    check_in(f"==== START logs for container talker of pod {me.ns}/talker ====\nsaid\n", text, "logs")
    check_in('"kind": "NodeList"', text, "nodes")


if __name__ == "__main__":
    course([liveness, readiness, logs, termination_message, events, edit_and_copy, dump], nodes=1)
