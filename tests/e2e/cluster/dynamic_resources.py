#!/usr/bin/env python3
"""Devices with the newest kubectl there is and mini-kubectl: a node with two GPUs, more pods than
that, one claim for two pods, selectors, claims from templates, and what a container is told.
"""
import json
import os
import shutil
import subprocess

from lab import Lab, check, check_equal, check_in, client_path, main, wait_for

DRIVER = "gpu.coracle.dev"

CLASSES = """
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: gpu.coracle.dev}
spec:
  selectors:
  - cel: {expression: "device.driver == 'gpu.coracle.dev'"}
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: {name: one-gpu}
spec:
  spec:
    devices:
      requests:
      - {name: gpu, exactly: {deviceClassName: gpu.coracle.dev}}
"""

CLAIM = """
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: {name: %(name)s}
spec:
  devices:
    requests:
    - name: gpu
      exactly: {deviceClassName: gpu.coracle.dev%(more)s}
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  resourceClaims:
  - {name: gpu, %(claim)s}
  containers:
  - name: c
    image: busybox
    command: [sh, -c, 'echo "devices: $DEVICES_GPU"; exec sleep 3600']
    resources: {claims: [{name: gpu}]}
"""


def newest_kubectl():
    """A kubectl that knows resource.k8s.io by itself, or the one every test has."""
    path = shutil.which("kubectl")
    folder = os.path.dirname(os.path.realpath(path))
    known = [f for f in os.listdir(folder) if f.startswith("kubectl.1.")]
    if not known:
        return client_path()
    return os.path.join(folder, max(known, key=lambda f: int(f.rsplit(".", 1)[1])))


def stock(lab, *args, code=0):
    done = subprocess.run([newest_kubectl(), *args], env=lab.env, capture_output=True, text=True,
                          timeout=60)
    check_equal(done.returncode, code, f"kubectl {args}: {done.stdout}{done.stderr}")
    return done.stdout if code == 0 else done.stderr


def apply(lab, *docs):
    lab.kubectl("apply", "-f", "-", stdin="---".join(docs))


def pod(name, claim):
    return POD % {"name": name, "claim": claim}


def from_template(name):
    return pod(name, "resourceClaimTemplateName: one-gpu")


def claim(name, more=""):
    return CLAIM % {"name": name, "more": more}


def phase(lab, name):
    return lab.get("pod", name)["status"].get("phase")


def runs(lab, *names):
    for name in names:
        wait_for(f"{name} runs", lambda: phase(lab, name) == "Running")


def why_pending(lab, name):
    conditions = lab.get("pod", name)["status"].get("conditions", [])
    return "".join(c.get("message", "") for c in conditions if c["type"] == "PodScheduled")


def device_of(lab, claim_name):
    status = lab.get("resourceclaim", claim_name).get("status", {})
    results = status.get("allocation", {}).get("devices", {}).get("results", [])
    return [r["device"] for r in results]


def remove(lab, *names):
    lab.kubectl("delete", "pod", *names, "--force", "--grace-period=0")


def free(lab):
    """All claims that pods made are gone, and no other holds a device."""
    def probe():
        claims = lab.get("resourceclaims")["items"]
        return all("ownerReferences" not in c["metadata"] and
                   "allocation" not in c.get("status", {}) for c in claims)
    wait_for("all devices are free", probe)


def slices(lab):
    lab.kubectl("annotate", "node", "node-1",
                f"lab.coracle.dev/devices={DRIVER} 2 model=a100 memory=40Gi")
    wait_for("a slice", lambda: lab.names_of("resourceslices"))
    table = stock(lab, "get", "resourceslices")
    check_equal(table.split("\n")[0].split(), ["NAME", "NODE", "DRIVER", "POOL", "AGE"], "columns")
    check_equal(table.split("\n")[1].split()[:4], [f"node-1-{DRIVER}", "node-1", DRIVER, "node-1"],
                "the slice")
    check_in("a100", stock(lab, "describe", "resourceslice", f"node-1-{DRIVER}"), "describe")


def third_pod_waits(lab):
    apply(lab, from_template("a"), from_template("b"))
    runs(lab, "a", "b")
    apply(lab, from_template("c"))
    wait_for("the third is told why", lambda: why_pending(lab, "c").startswith(
        "0/2 nodes are available: 2 cannot allocate all claims."))
    check_in("2 cannot allocate all claims", stock(lab, "describe", "pod", "c"), "events of c")
    names = {c["metadata"]["annotations"]["resource.kubernetes.io/pod-claim-name"]
             for c in lab.get("resourceclaims")["items"]}
    check_equal(names, {"gpu"}, "annotations of the claims")
    table = stock(lab, "get", "resourceclaims")
    check_equal(table.split("\n")[0].split(), ["NAME", "STATE", "AGE"], "columns of claims")
    check_equal(sorted(line.split()[1] for line in table.strip().split("\n")[1:]),
                ["allocated,reserved", "allocated,reserved", "pending"], "states of claims")
    told = {lab.out("logs", name).strip() for name in "ab"}
    check_equal(told, {"devices: gpu-0", "devices: gpu-1"}, "what the containers are told")
    remove(lab, "a")
    runs(lab, "c")
    remove(lab, "b", "c")
    free(lab)
    check_equal(lab.names_of("resourceclaims"), [], "claims when their pods are gone")


def one_claim_for_two(lab):
    apply(lab, claim("shared"), pod("d", "resourceClaimName: shared"),
          pod("e", "resourceClaimName: shared"))
    runs(lab, "d", "e")
    status = lab.get("resourceclaim", "shared")["status"]
    check_equal(sorted(r["name"] for r in status["reservedFor"]), ["d", "e"], "reservedFor")
    check_equal(len(status["allocation"]["devices"]["results"]), 1, "devices of the claim")
    # It goes when nobody needs it any more.
    lab.kubectl("delete", "resourceclaim", "shared", "--wait=false")
    check("deletionTimestamp" in lab.get("resourceclaim", "shared")["metadata"],
          "the claim was not kept while it is used")
    remove(lab, "d", "e")
    wait_for("the claim is gone", lambda: "shared" not in lab.names_of("resourceclaims"))


def selected(lab):
    last = ", selectors: [{cel: {expression: \"device.attributes['gpu.coracle.dev'].index == 1\"}}]"
    large = (", selectors: [{cel: {expression: \"device.capacity['gpu.coracle.dev'].memory"
             ".isGreaterThan(quantity('80Gi'))\"}}]")
    apply(lab, claim("last", last), claim("large", large), pod("f", "resourceClaimName: last"),
          pod("g", "resourceClaimName: large"), pod("h", "resourceClaimName: missing"))
    runs(lab, "f")
    check_equal(device_of(lab, "last"), ["gpu-1"], "the device of the selector")
    wait_for("no device is that large",
             lambda: "2 cannot allocate all claims" in why_pending(lab, "g"))
    check_in("cannot allocate all claims", lab.out("why", "g", client="mini-kubectl"), "why")
    check_in("waits for resourceclaim missing, which is not there",
             lab.out("why", "h", client="mini-kubectl"), "why")
    apply(lab, claim("missing"))
    runs(lab, "h")
    # A node that gets other devices is looked at again.
    lab.kubectl("annotate", "--overwrite", "node", "node-2",
                f"lab.coracle.dev/devices={DRIVER} 1 memory=96Gi")
    runs(lab, "g")
    check_equal(lab.get("pod", "g")["spec"]["nodeName"], "node-2", "where the large one is")
    remove(lab, "f", "g", "h")
    free(lab)
    lab.kubectl("delete", "resourceclaim", "--all")


def refused(lab):
    bad = json.dumps({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim",
                      "metadata": {"name": "bad"}, "spec": {"devices": {"requests": [
                          {"name": "gpu", "exactly": {"deviceClassName": "x", "selectors": [
                              {"cel": {"expression": "device.nope"}}]}}]}}})
    done = lab.kubectl("apply", "-f", "-", stdin=bad, check=False)
    check_in("spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: "
             "\"device.nope\": compilation failed", done.stderr, "a bad expression")
    lab.kubectl("annotate", "--overwrite", "node", "node-1", "lab.coracle.dev/devices=gpu many")
    wait_for("the node says what is wrong", lambda: any(
        e["reason"] == "DevicesNotPublished" for e in lab.get("events", "-n", "default")["items"]))


def dynamic_resources():
    with Lab(replicas=1, nodes=2) as lab:
        apply(lab, CLASSES)
        slices(lab)
        third_pod_waits(lab)
        one_claim_for_two(lab)
        selected(lab)
        refused(lab)


if __name__ == "__main__":
    main([dynamic_resources], limit=150)
