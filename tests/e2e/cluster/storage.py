#!/usr/bin/env python3
"""Storage with stock kubectl: claims find volumes, volumes outlive their claims or not, classes make
volumes, pods wait for them, and what is in use stays.
"""

import os

from lab import SOURCE, Lab, check_equal, check_in, main, wait_for

VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: %(name)s, labels: {disk: %(name)s}}
spec:
  capacity: {storage: %(size)s}
  accessModes: [%(mode)s]
  persistentVolumeReclaimPolicy: %(policy)s
  storageClassName: "%(cls)s"
  hostPath: {path: /tmp/%(name)s}
"""

ONLY_ON = """
  nodeAffinity:
    required:
      nodeSelectorTerms:
      - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [%s]}]
"""

CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: %(name)s}
spec:
  accessModes: [ReadWriteOnce]
  %(more)s
  resources: {requests: {storage: %(size)s}}
"""

CLASS = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: %(name)s
  annotations: {storageclass.kubernetes.io/is-default-class: "%(default)s"}
provisioner: %(by)s
volumeBindingMode: %(mode)s
allowVolumeExpansion: true
"""

# Writes what it is told to, once.
ONCE = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s}
spec:
  nodeName: %(node)s
  restartPolicy: Never
  containers:
  - name: c
    image: busybox
    command: [sh, -c, "%(run)s"]
    volumeMounts: [{name: v, mountPath: /data}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: %(claim)s}}]
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: nginx, volumeMounts: [{name: v, mountPath: /data}]}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: %(claim)s}}]
"""

def volume(lab, name, size="1Gi", mode="ReadWriteOnce", policy="Retain", cls=""):
    lab.kubectl("apply", "-f", "-", stdin=VOLUME % locals())


def claim(lab, name, size="1Gi", cls="", more=""):
    if cls is not None:
        more += '\n  storageClassName: "%s"' % cls
    lab.kubectl("apply", "-f", "-", stdin=CLAIM % dict(name=name, size=size, more=more))


def phase(lab, kind, name):
    return lab.get(kind, name)["status"].get("phase")


def wait_phase(lab, kind, name, wanted):
    wait_for(f"{kind} {name} to be {wanted}", lambda: phase(lab, kind, name) == wanted, 60)


def wait_gone(lab, kind, name):
    wait_for(f"{kind} {name} to go", lambda: name not in lab.names_of(kind), 60)


def told(lab, kind, name, reason):
    """The message of the newest event of that reason about it."""
    def look():
        events = lab.get("events", "--field-selector",
                         f"involvedObject.kind={kind},involvedObject.name={name},reason={reason}")
        return [e["message"] for e in events["items"]]
    return wait_for(f"an event {reason} about {kind} {name}", look, 60)[-1]


def run_once(lab, name, claim_name, command):
    """What a pod says that runs this with the claim in /data."""
    node = lab.names_of("nodes")[0]
    lab.kubectl("apply", "-f", "-", stdin=ONCE % dict(name=name, node=node, run=command,
                                                      claim=claim_name))
    wait_phase(lab, "pod", name, "Succeeded")
    said = lab.out("logs", name)
    lab.kubectl("delete", "pod", name)
    return said


def column(lab, *get):
    return lab.out("get", *get, "--no-headers").split()


def binding(lab):
    claim(lab, "c")
    check_equal(told(lab, "PersistentVolumeClaim", "c", "FailedBinding"),
                "no persistent volumes available for this claim and no storage class is set",
                "what a claim without a class is told")
    volume(lab, "large", "5Gi")
    wait_phase(lab, "pvc", "c", "Bound")
    row = column(lab, "pvc", "c")
    check_equal(row[:5], ["c", "Bound", "large", "5Gi", "RWO"], "get pvc")
    row = column(lab, "pv", "large")
    check_equal(row[:6], ["large", "5Gi", "RWO", "Retain", "Bound", "default/c"], "get pv")
    volume(lab, "small", "1Gi")
    volume(lab, "middle", "2Gi", mode="ReadOnlyMany")
    wait_phase(lab, "pv", "small", "Available")
    claim(lab, "chosen", more="volumeName: middle")
    check_equal(told(lab, "PersistentVolumeClaim", "chosen", "VolumeMismatch"),
                'Cannot bind to requested volume "middle": incompatible accessMode', "the reason")
    claim(lab, "picky", more="selector: {matchLabels: {disk: small}}")
    wait_phase(lab, "pvc", "picky", "Bound")
    check_equal(lab.get("pvc", "picky")["spec"]["volumeName"], "small", "by label")


def protection(lab):
    """A claim that a pod uses, and a volume that is bound, are only marked."""
    lab.kubectl("apply", "-f", "-", stdin=POD % dict(name="user", claim="c"))
    wait_phase(lab, "pod", "user", "Running")
    lab.kubectl("delete", "pv", "large", "--wait=false")
    lab.kubectl("delete", "pvc", "c", "--wait=false")
    wait_for("the mark", lambda: column(lab, "pvc", "c")[1] == "Terminating")
    check_equal(column(lab, "pv", "large")[4], "Terminating", "get pv")
    described = lab.out("describe", "pvc", "c")
    check_in("Finalizers:    [kubernetes.io/pvc-protection]", described, "describe pvc")
    check_in("Used By:       user", described, "describe pvc")
    lab.kubectl("delete", "pod", "user")
    wait_gone(lab, "pvc", "c")
    wait_gone(lab, "pv", "large")


def reclaiming(lab):
    lab.kubectl("delete", "pvc", "picky")
    wait_phase(lab, "pv", "small", "Released")
    claim(lab, "late")
    told(lab, "PersistentVolumeClaim", "late", "FailedBinding")  # a released one is not given again
    lab.kubectl("patch", "pv", "small", "--type=json",
                "-p", '[{"op":"remove","path":"/spec/claimRef"}]')
    wait_phase(lab, "pvc", "late", "Bound")
    lab.kubectl("patch", "pv", "small", "-p", '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}')
    lab.kubectl("delete", "pvc", "late")
    wait_gone(lab, "pv", "small")
    volume(lab, "again", policy="Recycle")
    claim(lab, "first")
    wait_phase(lab, "pvc", "first", "Bound")
    check_equal(run_once(lab, "writer", "first", "echo kept > /data/f; cat /data/f"), "kept\n",
                "what the volume holds")
    lab.kubectl("delete", "pvc", "first")
    wait_phase(lab, "pv", "again", "Available")
    check_equal(told(lab, "PersistentVolume", "again", "VolumeRecycled"), "Volume recycled", "event")
    lab.kubectl("delete", "pv", "again", "middle")
    lab.kubectl("delete", "pvc", "chosen")


def classes(lab):
    """Volumes made on demand, at once and for the first consumer; grown; gone with their claim."""
    claim(lab, "open", cls=None)
    lab.kubectl("apply", "-f", "-", stdin=CLASS % dict(
        name="standard", default="true", by="lab.coracle.dev/hostpath", mode="Immediate"))
    wait_phase(lab, "pvc", "open", "Bound")  # the default reaches who was there before it
    got = lab.get("pvc", "open")
    check_equal(got["spec"]["storageClassName"], "standard", "the class assigned")
    name = "pvc-" + got["metadata"]["uid"]
    check_equal(got["spec"]["volumeName"], name, "the volume made")
    check_equal(told(lab, "PersistentVolumeClaim", "open", "ProvisioningSucceeded"),
                f"Successfully provisioned volume {name}", "event")
    run_once(lab, "writer", "open", "echo kept > /data/f")
    check_equal(run_once(lab, "reader", "open", "cat /data/f"), "kept\n", "what outlives a pod")
    check_in("standard (default)   lab.coracle.dev/hostpath   Delete          Immediate",
             lab.out("get", "sc"), "get sc")
    lab.refused("patch", "pvc", "open", "-p", '{"spec":{"volumeName":"x"}}',
                text="spec: Forbidden: spec is immutable after creation except resources.requests")
    lab.kubectl("patch", "pvc", "open",
                "-p", '{"spec":{"resources":{"requests":{"storage":"3Gi"}}}}')
    wait_for("the claim to grow", lambda:
             lab.get("pvc", "open")["status"]["capacity"]["storage"] == "3Gi")
    check_equal(column(lab, "pv", name)[1], "3Gi", "the volume's size")
    lab.kubectl("delete", "pvc", "open")
    wait_gone(lab, "pv", name)

    lab.kubectl("apply", "-f", "-", stdin=CLASS % dict(
        name="elsewhere", default="false", by="example.com/absent", mode="Immediate"))
    claim(lab, "never", cls="elsewhere")
    check_in("Waiting for a volume to be created either by the external provisioner "
             "'example.com/absent' or manually",
             told(lab, "PersistentVolumeClaim", "never", "ExternalProvisioning"), "event")
    lab.kubectl("delete", "pvc", "never")


def consumers(lab):
    """Claims of a class that waits are bound where their pod goes."""
    lab.kubectl("apply", "-f", "-", stdin=CLASS % dict(
        name="local", default="false", by="kubernetes.io/no-provisioner",
        mode="WaitForFirstConsumer"))
    lab.kubectl("delete", "sc", "standard")
    lab.kubectl("apply", "-f", os.path.join(SOURCE, "examples/storageclass.yaml"))
    claim(lab, "disk", cls="local")
    claim(lab, "dir", cls=None)
    check_equal(told(lab, "PersistentVolumeClaim", "disk", "WaitForFirstConsumer"),
                "waiting for first consumer to be created before binding", "event")
    lab.kubectl("apply", "-f", "-", stdin=POD % dict(name="disk", claim="disk"))
    check_in("0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.",
             told(lab, "Pod", "disk", "FailedScheduling"), "why it waits")
    local = VOLUME % dict(name="local", size="1Gi", mode="ReadWriteOnce", policy="Retain",
                          cls="local")
    lab.kubectl("apply", "-f", "-", stdin=local + ONLY_ON % "node-2")
    wait_phase(lab, "pod", "disk", "Running")
    check_equal(lab.get("pod", "disk")["spec"]["nodeName"], "node-2", "where the disk is")
    check_equal(lab.get("pvc", "disk")["spec"]["volumeName"], "local", "its volume")
    lab.kubectl("apply", "-f", "-", stdin=POD % dict(name="dir", claim="dir"))
    wait_phase(lab, "pod", "dir", "Running")
    made = lab.get("pv", lab.get("pvc", "dir")["spec"]["volumeName"])
    terms = made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    check_equal(terms[0]["matchExpressions"][0]["values"],
                [lab.get("pod", "dir")["spec"]["nodeName"]], "the node it is made for")
    lab.kubectl("cordon", "node-2")
    lab.kubectl("delete", "pod", "disk")
    lab.kubectl("apply", "-f", "-", stdin=POD % dict(name="disk", claim="disk"))
    check_in("2 node(s) didn't match PersistentVolume's node affinity",
             told(lab, "Pod", "disk", "FailedScheduling"), "tied to its node")
    lab.kubectl("uncordon", "node-2")
    wait_phase(lab, "pod", "disk", "Running")
    claim(lab, "nowhere", cls="absent")
    lab.kubectl("apply", "-f", "-", stdin=POD % dict(name="nowhere", claim="nowhere"))
    check_in("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
             told(lab, "Pod", "nowhere", "FailedScheduling"), "why it waits")
    check_equal(told(lab, "PersistentVolumeClaim", "nowhere", "ProvisioningFailed"),
                'storageclass.storage.k8s.io "absent" not found', "event")


PARTS = (binding, protection, reclaiming, classes, consumers)


def storage():
    with Lab(replicas=1) as lab:
        for part in PARTS:
            part(lab)
            print(f"  {part.__name__}", flush=True)


if __name__ == "__main__":
    main([storage], limit=200)
