#!/usr/bin/env python3
"""Course: data that outlives its pod. Volumes, claims and what becomes of them, storage classes."""
import re

from student import check, check_equal, check_in, course

VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: hold-%(tag)s}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce, ReadOnlyMany]
  persistentVolumeReclaimPolicy: Retain
  claimRef: {namespace: %(ns)s, name: cargo}
  gcePersistentDisk: {pdName: disk-%(tag)s, fsType: ext4}
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: cargo}
spec:
  storageClassName: "%(storage_class)s"
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: %(size)s}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: store}
spec:
  containers:
  - name: redis
    image: redis
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: cargo}}]
"""


def write(me, text):
    me("exec", "store", "--", "sh", "-c", f"echo {text} > /data/list")


def read(me):
    return me("exec", "store", "--", "cat", "/data/list").strip()


def status(me, kind, name):
    return me.field(".status.phase", kind, name)


def claimed_volume(me):
    """A volume, a claim, a pod; the data stays when the pod goes, and is kept when the claim goes."""
    pv = f"hold-{me.tag}"
    me.apply(VOLUME % {"tag": me.tag, "ns": me.ns})
    check(re.search(rf"{pv}\s+1Gi\s+RWO,ROX\s+Retain\s+Available", me("get", "pv")), "its line")
    me.apply(CLAIM % {"storage_class": "", "size": "1Gi"})
    me.until("bound", lambda: status(me, "pvc", "cargo") == "Bound" and status(me, "pv", pv) == "Bound")
    me.apply(POD)
    me.ready("pod/store")
    write(me, "tea")
    node = me.field(".spec.nodeName", "pod", "store")
    me("delete", "pod", "store", "--now")
    # On another node, if there is one.
    me("cordon", node)
    try:
        me.apply(POD)
        me.ready("pod/store")
        check(me.field(".spec.nodeName", "pod", "store") != node, "it is elsewhere now")
    finally:
        me("uncordon", node)
    check_equal(read(me), "tea", "the data is there")
    # In use: the claim waits for the pod.
    check_in("kubernetes.io/pv-protection", me("describe", "pv", pv), "protected")
    check_in("kubernetes.io/pvc-protection", me("describe", "pvc", "cargo"), "protected")
    me("delete", "pvc", "cargo", "--wait=false")
    me.until("Terminating", lambda: "Terminating" in me("get", "pvc"))
    check_equal(read(me), "tea", "still there")
    me("delete", "pods", "store", "--now")
    me.until("the claim goes", lambda: me.names("pvc") == [])
    me.until("Released", lambda: status(me, "pv", pv) == "Released")
    me("delete", "pv", pv)


CLASS = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast-%(tag)s}
provisioner: kubernetes.io/gce-pd
parameters: {type: pd-ssd}
"""

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: quay}
spec:
  replicas: 1
  selector: {matchLabels: {app: quay}}
  template:
    metadata: {labels: {app: quay}}
    spec:
      containers:
      - name: app
        image: linuxacademycontent/kubeserve
        env: [{name: app, value: "1"}]
        volumeMounts: [{mountPath: /data, name: data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: cargo}}]
"""


def storage_class(me):
    """Nobody makes the volume: the class does."""
    me.apply(CLASS % {"tag": me.tag})
    check_in("kubernetes.io/gce-pd", me("get", "sc"), "the class")
    me.apply(CLAIM % {"storage_class": f"fast-{me.tag}", "size": "100Mi"})
    me.until("bound", lambda: status(me, "pvc", "cargo") == "Bound")
    pv = me.field(".spec.volumeName", "pvc", "cargo")
    check_in(f"{me.ns}/cargo", me("get", "pv", pv), "the volume it made")
    me("apply", "-f", me.file("quay.yaml", DEPLOYMENT))
    me("rollout", "status", "deployments", "quay", "--timeout=60s")
    pod = me.names("pods")[0]
    me("exec", "-i", pod, "--", "touch", "/data/file1.txt")
    me("delete", "pod", pod, "--now")
    me("rollout", "status", "deployments", "quay", "--timeout=60s")
    pod = me.until("another pod", lambda: [n for n in me.names("pods") if n != pod])[0]
    me.ready(f"pod/{pod}")
    check_in("file1.txt", me("exec", "-i", pod, "--", "ls", "/data"), "the file is there")
    me("delete", "deployment", "quay")
    me("delete", "pvc", "cargo")
    me.until("the volume goes with its claim", lambda: pv not in me.names("pv"))
    me("delete", "sc", f"fast-{me.tag}")


def nothing_fits(me):
    me.apply(CLAIM % {"storage_class": "none-such", "size": "5Gi"})
    me.apply(POD)
    me.until("why", lambda: 'storageclass.storage.k8s.io "none-such" not found' in me("describe", "pvc", "cargo"))
    check_equal(status(me, "pvc", "cargo"), "Pending", "the claim waits")
    me.until("the pod waits, too", lambda: "unbound immediate PersistentVolumeClaims" in me("describe", "pod", "store"))


SCRATCH = """
apiVersion: v1
kind: Pod
metadata: {name: pair}
spec:
  containers:
  - {name: one, image: busybox, command: [/bin/sh, -c, "while true; do sleep 3600; done"], volumeMounts: [{mountPath: /tmp/storage, name: vol}]}
  - {name: two, image: busybox, command: [/bin/sh, -c, "while true; do sleep 3600; done"], volumeMounts: [{mountPath: /seen, name: vol}]}
  volumes: [{name: vol, emptyDir: {}}]
"""
HOST_PATH = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: floor-%(tag)s}
spec:
  storageClassName: local-%(tag)s
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  hostPath: {path: /mnt/data-%(tag)s}
"""


def on_the_node(me):
    """emptyDir is shared by the pod's containers and goes with the pod; hostPath stays on its node."""
    me.apply(SCRATCH)
    me.ready("pod/pair")
    me("exec", "pair", "-c", "one", "--", "sh", "-c", "echo rope > /tmp/storage/x")
    check_equal(me("exec", "pair", "-c", "two", "--", "cat", "/seen/x"), "rope\n", "shared")
    me("delete", "pod", "pair", "--now")
    me.apply(SCRATCH)
    me.ready("pod/pair")
    check_equal(me("exec", "pair", "-c", "two", "--", "ls", "/seen"), "", "empty again")
    me.apply(HOST_PATH % {"tag": me.tag})
    me.apply(CLAIM % {"storage_class": f"local-{me.tag}", "size": "1Gi"})
    me.until("bound", lambda: status(me, "pvc", "cargo") == "Bound")
    me.apply(POD)
    me.ready("pod/store")
    write(me, "sand")
    node = me.field(".spec.nodeName", "pod", "store")
    me("delete", "pod", "store", "--now")
    me.apply(POD.replace("spec:", f"spec:\n  nodeName: {node}", 1))
    me.ready("pod/store")
    check_equal(read(me), "sand", "on the same node")
    me("delete", "pod", "store", "--now")
    me("delete", "pvc", "cargo")
    me("delete", "pv", f"floor-{me.tag}")


if __name__ == "__main__":
    course([claimed_volume, storage_class, nothing_fits, on_the_node], nodes=3)
