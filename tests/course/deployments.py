#!/usr/bin/env python3
"""Course: applications that are updated and heal themselves. Rollouts and their history, readiness
that stops a bad version, ReplicaSets, StatefulSets, DaemonSets, Jobs and CronJobs, autoscaling's
objects."""
import re
import threading
import urllib.request

from student import check, check_equal, check_in, course, curl, page

SERVE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: serve}
spec:
  replicas: 3
  selector: {matchLabels: {app: serve}}
%(more)s
  template:
    metadata: {labels: {app: serve}}
    spec:
      containers:
      - name: app
        image: %(image)s
        env: [{name: PORT, value: "8080"}]
%(probe)s
"""
V1, V2 = ("gcr.io/google-samples/hello-app:" + v for v in ("1.0", "2.0"))
FAST = "  minReadySeconds: 1"
CAREFUL = """  minReadySeconds: 1
  progressDeadlineSeconds: 20
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"""
PROBE = "        readinessProbe: {periodSeconds: 1, httpGet: {path: /, port: 8080}}"


def serve(image, more="", probe=PROBE):
    return SERVE % {"image": image, "more": more, "probe": probe}


def rolled_out(me, name="serve"):
    me("rollout", "status", f"deployment/{name}", "--timeout=60s")


def address_of(me, name="serve"):
    me("expose", "deployment", name, "--port", "80", "--target-port", "8080", "--type", "NodePort")
    port = me.field(".spec.ports[0].nodePort", "service", name)
    url = f"http://localhost:{port}/"
    me.until("an answer", lambda: curl(url)[1] == 0)
    return url


class Visitor:
    """Asks all the time, and again when a connection breaks, as browsers do: a pod may end between
    a connection and its request. Counts the requests that failed nevertheless."""

    def __init__(self, url):
        self.url, self.asked, self.failed, self.seen = url, 0, [], set()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.02):
            self.asked += 1
            if not (self.ask() or self.ask()):
                self.failed.append(self.why)

    def ask(self):
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                self.seen.add(re.search(r"Version: (\S+)", answer.read().decode()).group(1))
                return True
        except OSError as error:
            self.why = str(error)

    def finish(self):
        self.over.set()
        self.thread.join()
        check(self.asked > 5, "it asked")
        check_equal(self.failed, [], f"failed of {self.asked} requests")
        return self.seen


def rolling_update(me):
    """Three ways to a new version, and nobody outside notices."""
    me("create", "-f", me.file("serve.yaml", serve(V1)))
    rolled_out(me)
    check_equal(len(me.names("replicasets")), 1, "one ReplicaSet")
    check(re.match(r"serve-[a-z0-9]+-[a-z0-9]{5}$", me.names("pods")[0]), "the names of pods")
    me("scale", "deployment", "serve", "--replicas=5")
    rolled_out(me)
    url = address_of(me)
    me("patch", "deployment", "serve", "-p", '{"spec": {"minReadySeconds": 1, "replicas": 3}}')
    rolled_out(me)
    visitor = Visitor(url)
    me("set", "image", "deployments/serve", f"app={V2}", "-v", "6")
    rolled_out(me)
    me.until("all new", lambda: "Version: 2.0" in page(url))
    seen = visitor.finish()
    check_equal(seen, {"1.0", "2.0"}, "both versions were seen")
    check_in(f"Image:      {V2}", me("describe", "deployments"), "describe")
    check_in("ScalingReplicaSet", me("describe", "deployments"), "its events")
    sets = {s["spec"]["replicas"] for s in me.get("replicasets")["items"]}
    check_equal(sets, {0, 3}, "the old ReplicaSet is empty")
    me("apply", "-f", me.file("serve.yaml", serve(V1)))
    rolled_out(me)
    me("replace", "-f", me.file("serve.yaml", serve(V2)))
    rolled_out(me)
    me.fails("replace", "-f", me.file("other.yaml", serve(V2).replace("name: serve", "name: unknown", 1)),
             says="not found")


def rollback(me):
    me("create", "-f", me.file("serve.yaml", serve(V1)))
    rolled_out(me)
    me("annotate", "deployment", "serve", "kubernetes.io/change-cause=first version")
    me("set", "image", "deployments/serve", f"app={V2}")
    me("annotate", "deployment", "serve", "kubernetes.io/change-cause=second version")
    rolled_out(me)
    me("set", "image", "deployments/serve", "app=gcr.io/google-samples/hello-app:no-such-tag")
    me.until("the bad pod", lambda: "ImagePullBackOff" in me("get", "pods"))
    check_equal(me.field(".status.readyReplicas", "deployment", "serve"), "3", "the old ones still serve")
    me("rollout", "undo", "deployments", "serve")
    rolled_out(me)
    check_equal(me.field(".spec.template.spec.containers[0].image", "deployment", "serve"), V2, "undone")
    history = me("rollout", "history", "deployment", "serve")
    check(re.search(r"^1\s+first version$", history, re.M), history)
    check_in(V1, me("rollout", "history", "deployment", "serve", "--revision=1"), "one revision")
    me("rollout", "undo", "deployment", "serve", "--to-revision=1")
    rolled_out(me)
    check_equal(me.field(".spec.template.spec.containers[0].image", "deployment", "serve"), V1, "to 1")
    me.fails("rollout", "undo", "deployment", "serve", "--to-revision=99",
             says="unable to find specified revision 99 in history")


def canary(me):
    """Paused in the middle: both versions run until it goes on."""
    me.apply(serve(V1, CAREFUL))
    rolled_out(me)
    url = address_of(me)
    me("set", "image", "deployment/serve", f"app={V2}")
    me("rollout", "pause", "deployment", "serve")

    def both():
        return {re.search(r"Version: (\S+)", page(url)).group(1) for _ in range(8)}
    me.until("both versions", lambda: len(both()) == 2)
    check_equal(sorted(s["spec"]["replicas"] > 0 for s in me.get("replicasets")["items"]), [True, True],
                "two ReplicaSets with pods")
    me.fails("rollout", "undo", "deployment/serve", says="paused")
    me("rollout", "resume", "deployment", "serve")
    rolled_out(me)
    me.until("the new one only", lambda: both() == {"2.0"})


def readiness_stops_a_bad_version(me):
    me.apply(serve(V1, CAREFUL))
    rolled_out(me)
    url = address_of(me)
    bad = serve(V2, CAREFUL, PROBE.replace("path: /", "path: /, httpHeaders: []").replace("8080}", "8081}"))
    me.apply(bad)
    me.until("a pod that is not ready", lambda: re.search(r"0/1\s+Running", me("get", "pods")))
    me.until("its probe", lambda: "Readiness probe failed" in me("get", "events"))
    me.fails("rollout", "status", "deployment/serve", "--timeout=40s",
             says="exceeded its progress deadline")
    check_equal({re.search(r"Version: (\S+)", page(url)).group(1) for _ in range(6)}, {"1.0"},
                "the old version goes on")
    check_equal(me.field(".status.availableReplicas", "deployment", "serve"), "3", "all of it")
    check_equal(me.field(".status.conditions[?(@.type=='Progressing')].reason", "deployment", "serve"),
                "ProgressDeadlineExceeded", "the condition")
    me("rollout", "undo", "deployment/serve")
    rolled_out(me)


REPLICASET = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: trio, labels: {app: trio}}
spec:
  replicas: 3
  selector: {matchLabels: {tier: front}}
  template:
    metadata: {labels: {tier: front}}
    spec: {containers: [{name: main, image: linuxacademycontent/kubeserve}]}
---
apiVersion: v1
kind: Pod
metadata: {name: stray, labels: {tier: front}}
spec: {containers: [{name: main, image: linuxacademycontent/kubeserve}]}
"""


def replicaset(me):
    """Three, whatever happens: one too many goes, one that is gone comes back."""
    first, stray = REPLICASET.split("---")
    me.apply(first)
    me.until("three", lambda: me.field(".status.readyReplicas", "replicaset", "trio") == "3")
    me.apply(stray)
    me.until("the fourth goes", lambda: "stray" not in me.names("pods"))
    pods = me.names("pods", "-l", "tier=front")
    check_equal(len(pods), 3, "three are left")
    me("delete", "pod", pods[0], "--now")
    me.until("another one", lambda: len(set(me.names("pods", "-l", "tier=front")) - set(pods)) == 1)
    me("label", "pod", pods[1], "tier=looked-at", "--overwrite")
    me.until("replaced", lambda: len(me.names("pods", "-l", "tier=front")) == 3)
    check_equal(me.field(".metadata.ownerReferences", "pod", pods[1]), "", "nobody owns the relabelled one")
    me("scale", "--replicas=1", "rs/trio")
    me.until("one", lambda: len(me.names("pods", "-l", "tier=front")) == 1)
    me("delete", "rs", "trio", "--cascade=orphan")
    me.until("it is gone", lambda: me.names("rs") == [])
    check_equal(len(me.names("pods", "-l", "tier=front")), 1, "its pod stays")


STATEFULSET = """
apiVersion: v1
kind: Service
metadata: {name: ledger}
spec: {clusterIP: None, selector: {app: ledger}, ports: [{name: web, port: 80}]}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: quick-%(tag)s}
provisioner: lab.coracle.dev/hostpath
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ledger}
spec:
  serviceName: ledger
  replicas: 2
  selector: {matchLabels: {app: ledger}}
  template:
    metadata: {labels: {app: ledger}}
    spec:
      containers:
      - name: nginx
        image: nginx
        ports: [{name: web, containerPort: 80}]
        volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
  volumeClaimTemplates:
  - metadata: {name: www}
    spec: {accessModes: [ReadWriteOnce], storageClassName: quick-%(tag)s, resources: {requests: {storage: 1Gi}}}
"""


def statefulset(me):
    """Each pod has its name, its address in DNS and its own storage, and keeps them."""
    me.apply(STATEFULSET % {"tag": me.tag})
    me("rollout", "status", "statefulset/ledger", "--timeout=60s")
    check_equal(me.names("pods"), ["ledger-0", "ledger-1"], "names")
    check_equal(me.names("pvc"), ["www-ledger-0", "www-ledger-1"], "a claim each")
    for i in (0, 1):
        me("exec", f"ledger-{i}", "--", "sh", "-c", f"echo page of {i} > /usr/share/nginx/html/index.html")
    me.until("its name", lambda: me("exec", "ledger-0", "--", "nslookup", "ledger-1.ledger"))
    check_equal(me("exec", "ledger-0", "--", "wget", "-qO-", "http://ledger-1.ledger"), "page of 1\n", "by name")
    uid = me.field(".metadata.uid", "pod", "ledger-1")
    # Without a wait: kubectl's takes the next pod of that name for the one it waits for, if that is there before it
    # has listed, and then waits for ever.
    me("delete", "pod", "ledger-1", "--now", "--wait=false")
    me.until("another is there", lambda: me.field(
        ".items[*].metadata.uid", "pods", "--field-selector=metadata.name=ledger-1") not in ("", uid))
    me.ready("pod/ledger-1")
    check_equal(me("exec", "ledger-1", "--", "cat", "/usr/share/nginx/html/index.html"), "page of 1\n",
                "with what it had stored")
    check_in("Volume Claims:", me("describe", "statefulsets"), "describe")
    me("scale", "statefulset", "ledger", "--replicas=1")
    me.until("one", lambda: me.names("pods") == ["ledger-0"])
    check_equal(len(me.names("pvc")), 2, "the claim stays")
    me("delete", "sc", f"quick-{me.tag}")


DAEMONSET = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: disk-watch}
spec:
  selector: {matchLabels: {app: disk-watch}}
  template:
    metadata: {labels: {app: disk-watch}}
    spec:
      nodeSelector: {disk-%(tag)s: ssd}
      containers: [{name: main, image: busybox, command: [sh, -c, "while true; do sleep 5; done"]}]
"""


def daemonset(me):
    """It follows the label of the nodes."""
    label = f"disk-{me.tag}"
    me("label", "node", "node-1", f"{label}=ssd")
    me("create", "-f", me.file("ds.yaml", DAEMONSET % {"tag": me.tag}))

    def nodes():
        # jsonpath of a field that is not there yet is empty
        return sorted(p["spec"].get("nodeName", "") for p in me.get("pods", "-l", "app=disk-watch")["items"]
                      if "deletionTimestamp" not in p["metadata"])
    me.until("on the labelled node", lambda: nodes() == ["node-1"])
    me.until("1 of it", lambda: re.search(r"disk-watch\s+1\s+1\s+1\s+1\s+1", me("get", "daemonsets")))
    me("label", "node", "node-2", f"{label}=ssd")
    me.until("on both", lambda: nodes() == ["node-1", "node-2"])
    me("label", "node", "node-1", f"{label}=hdd", "--overwrite")
    me.until("not there any more", lambda: nodes() == ["node-2"])
    me("delete", "pod", "-l", "app=disk-watch", "--now")
    me.until("again", lambda: nodes() == ["node-2"] and me.field(
        ".status.numberReady", "ds", "disk-watch") == "1")
    for node in ("node-1", "node-2"):
        me("label", "node", node, label + "-")
    me.until("nowhere", lambda: nodes() == [])


JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: pi}
spec:
  completions: 3
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: [sh, -c, "echo 3.14"]}]
"""


def jobs(me):
    me.apply(JOB)
    me("wait", "--for=condition=complete", "job/pi", "--timeout=60s")
    check(re.search(r"pi\s+Complete\s+3/3", me("get", "jobs")), "its line")
    check_equal(me("logs", "job/pi").strip(), "3.14", "its log")
    me.apply(JOB.replace("name: pi", "name: bad").replace("completions: 3", "backoffLimit: 1")
             .replace("echo 3.14", "exit 1"))
    me("wait", "--for=condition=failed", "job/bad", "--timeout=60s")
    check_equal(me.field(".status.conditions[?(@.type=='Failed')].reason", "job", "bad"),
                "BackoffLimitExceeded", "why")
    me("create", "cronjob", "tick", "--image=busybox", "--schedule=*/1 * * * *", "--", "date")
    check_in("*/1 * * * *", me("get", "cronjobs"), "its schedule")
    me("create", "job", "now", "--from=cronjob/tick")
    me("wait", "--for=condition=complete", "job/now", "--timeout=60s")
    check_equal(me.field(".metadata.ownerReferences[0].name", "job", "now"), "tick", "its CronJob's")
    me("patch", "cronjob", "tick", "-p", '{"spec":{"suspend":true}}')
    check_equal(me.field(".spec.suspend", "cronjob", "tick"), "true", "suspended")
    me.fails("create", "cronjob", "bad", "--image=busybox", "--schedule=every day", "--", "date",
             says="Invalid value")


def init_containers(me):
    me.apply("""
apiVersion: v1
kind: Pod
metadata: {name: prepared}
spec:
  initContainers:
  - {name: wait, image: busybox, command: [sh, -c, "until nslookup depot; do sleep 0.3; done"]}
  - {name: fetch, image: busybox, command: [sh, -c, "echo fetched > /work/page"], volumeMounts: [{name: work, mountPath: /work}]}
  containers:
  - {name: main, image: busybox, command: [sh, -c, "cat /work/page; sleep 3600"], volumeMounts: [{name: work, mountPath: /work}]}
  volumes: [{name: work, emptyDir: {}}]
""")
    me.until("it waits", lambda: "Init:0/2" in me("get", "pod", "prepared"))
    me("create", "service", "clusterip", "depot", "--tcp=80")
    me.ready("pod/prepared")
    check_equal(me("logs", "prepared", "-c", "main").strip(), "fetched", "what was prepared")


if __name__ == "__main__":
    course([rolling_update, rollback, canary, readiness_stops_a_bad_version, replicaset, statefulset,
            daemonset, jobs, init_containers], nodes=2)
