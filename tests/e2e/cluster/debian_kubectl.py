#!/usr/bin/env python3
"""Debian's own kubectl (kubernetes-client, 1.20): sixteen versions older than what we speak, it reads
OpenAPI v2 and legacy discovery. Everything is validated by it: no --validate=false.

Unpacked into the build folder from Debian's archive when another kubectl is installed; without apt,
or the archive, the test is skipped and says so."""
import base64
import glob
import os
import shutil
import subprocess
import threading

from basics import WEB
from lab import BIN, Lab, check, check_equal, check_in, main, skip, wait_for

FOLDER = os.path.join(os.path.dirname(BIN), "debian_kubectl")


def version(path):
    done = subprocess.run([path, "version", "--client", "--short"], capture_output=True, text=True)
    return done.stdout.strip().rsplit(" ", 1)[-1]


def debian_kubectl():
    for path in (shutil.which("kubectl"), os.path.join(FOLDER, "usr/bin/kubectl")):
        if path and os.path.exists(path) and version(path).startswith("v1.20."):
            return path
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        skip("no kubectl 1.20 is installed, and there is no apt-get to get it with")
    os.makedirs(FOLDER, exist_ok=True)
    done = subprocess.run(["apt-get", "download", "kubernetes-client"], cwd=FOLDER,
                          capture_output=True, text=True, timeout=100)
    packages = glob.glob(os.path.join(FOLDER, "kubernetes-client_*.deb"))
    if done.returncode != 0 or not packages:
        skip("apt-get cannot download kubernetes-client: " + done.stderr.strip()[-300:])
    subprocess.run(["dpkg", "-x", packages[0], FOLDER], check=True)
    path = os.path.join(FOLDER, "usr/bin/kubectl")
    if not version(path).startswith("v1.20."):
        skip(f"this distribution's kubectl is {version(path)}, not 1.20")
    return path


class Old:
    """kubectl 1.20 in a namespace of its own."""

    def __init__(self, lab, path, ns):
        self.lab, self.path, self.ns = lab, path, ns

    def run(self, *args, stdin=None, code=0):
        done = subprocess.run([self.path, "-n", self.ns, *args], input=stdin, text=True,
                              capture_output=True, timeout=90, env=self.lab.env, cwd=self.lab.root)
        check_equal(done.returncode, code,
                    f"exit code of kubectl {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr


def apply_and_diff(old):
    check_in("deployment.apps/web created", old.run("apply", "-f", "-", stdin=WEB), "apply")
    check_in("deployment.apps/web unchanged", old.run("apply", "-f", "-", stdin=WEB), "again")
    changed = WEB.replace("nginx:1.26", "nginx:1.27")
    check_in("+      - image: nginx:1.27", old.run("diff", "-f", "-", stdin=changed, code=1), "diff")
    check_in("deployment.apps/web configured", old.run("apply", "-f", "-", stdin=changed), "changed")
    check_in("successfully rolled out", old.run("rollout", "status", "deployment/web"), "rollout")
    wrong = WEB.replace("  replicas: 3", "  replicass: 3")
    check_in('unknown field "replicass" in io.k8s.api.apps.v1.DeploymentSpec',
             old.run("apply", "-f", "-", stdin=wrong, code=1), "a misspelt field")
    wrong = WEB.replace("  replicas: 3", "  replicas: three")
    check_in('invalid type for io.k8s.api.apps.v1.DeploymentSpec.replicas: got "string", '
             'expected "integer"', old.run("apply", "-f", "-", stdin=wrong, code=1), "a wrong type")


def server_side(old):
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned}\ndata: {k: %s}\n"
    check_in("configmap/owned serverside-applied",
             old.run("apply", "--server-side", "-f", "-", stdin=one % "one"), "apply")
    check_in('conflict with "kubectl"', old.run("apply", "--server-side", "--field-manager=other",
                                                "-f", "-", stdin=one % "two", code=1), "conflict")
    old.run("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-",
            stdin=one % "two")
    check_equal(old.run("get", "cm", "owned", "-o", "jsonpath={.data.k}"), "two", "forced")


def rollouts(old):
    old.run("rollout", "restart", "deployment/web")
    check_in("successfully rolled out", old.run("rollout", "status", "deployment/web"), "restart")
    check_in("REVISION", old.run("rollout", "history", "deployment/web"), "history")
    old.run("rollout", "undo", "deployment/web", "--to-revision=1")
    check_in("successfully rolled out", old.run("rollout", "status", "deployment/web"), "undo")
    check_equal(old.run("get", "deployment", "web", "-o",
                        "jsonpath={.spec.template.spec.containers[0].image}"), "nginx:1.26", "undone")
    old.run("set", "image", "deployment/web", "web=nginx:1.28")
    old.run("scale", "deployment/web", "--replicas=2")
    old.run("wait", "--for=condition=available", "deployment/web", "--timeout=60s")
    old.run("autoscale", "deployment/web", "--min=1", "--max=3", "--cpu-percent=50")
    check_in("Deployment/web", old.run("get", "hpa"), "hpa")
    old.run("delete", "hpa", "web")
    old.run("expose", "deployment/web", "--port=80")
    old.run("label", "deployment/web", "tier=front")
    old.run("annotate", "deployment/web", "note=x")
    old.run("patch", "deployment/web", "-p", '{"spec":{"replicas":1}}')


def looks(old):
    check_in("web", old.run("get", "all"), "get all")
    check_in("Name:                   web", old.run("describe", "deployment", "web"), "describe")
    pod = old.run("get", "pods", "-l", "app=web", "-o", "name").split()[0]
    check_in("Containers:", old.run("describe", pod), "describe pod")
    check_in("Allocatable:", old.run("describe", "node", "node-1"), "describe node")
    check_in("deployments", old.run("api-resources"), "api-resources")
    check_in("apps/v1", old.run("api-versions"), "api-versions")
    check_in("v1.36", old.run("version", "--short"), "version")
    text = old.run("explain", "deployment", "--recursive")
    for field in ("progressDeadlineSeconds", "maxSurge", "livenessProbe", "whenUnsatisfiable"):
        check_in(field, text, "explain --recursive")
    check_in("DESCRIPTION:", old.run("explain", "pod.spec.containers.resources"), "explain a field")
    check_in("VERSION:  batch/v1", old.run("explain", "cronjob"), "explain another group")


def permissions(old):
    check_equal(old.run("auth", "can-i", "create", "pods").strip(), "yes", "can-i")
    check_equal(old.run("auth", "can-i", "create", "pods", "--as=kit", code=1).strip(), "no",
                "can somebody")
    check_in("*.*", old.run("auth", "can-i", "--list"), "can-i --list")
    old.run("create", "sa", "robot")
    old.run("create", "role", "reader", "--verb=get,list", "--resource=pods,configmaps")
    old.run("create", "rolebinding", "reads", "--role=reader", f"--serviceaccount={old.ns}:robot")
    check_in("pods", old.run("auth", "can-i", "--list",
                             f"--as=system:serviceaccount:{old.ns}:robot"), "the robot's list")


def certificates(old):
    made = subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
                           "/dev/null", "-subj", "/CN=kit"], capture_output=True, text=True,
                          check=True).stdout
    request = base64.b64encode(made.encode()).decode()
    old.run("apply", "-f", "-", stdin=f"""
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {{name: old-kit}}
spec: {{request: {request}, signerName: kubernetes.io/kube-apiserver-client, usages: [client auth]}}
""")
    check_in("certificatesigningrequest.certificates.k8s.io/old-kit approved",
             old.run("certificate", "approve", "old-kit"), "approve")
    check_in("Approved", old.run("get", "csr", "old-kit"), "get csr")


def watching(old):
    seen = []
    follower = subprocess.Popen([old.path, "-n", old.ns, "get", "configmaps", "--watch", "-o",
                                 "jsonpath={.metadata.name}:{.data.k}{\"\\n\"}"],
                                stdout=subprocess.PIPE, text=True, env=old.lab.env)

    def follow():
        for line in follower.stdout:
            seen.append(line.strip())
    threading.Thread(target=follow, daemon=True).start()
    try:
        wait_for("what is there", lambda: "owned:two" in seen)
        old.run("create", "configmap", "new", "--from-literal=k=1")
        wait_for("a new one", lambda: "new:1" in seen)
        old.run("patch", "configmap", "new", "-p", '{"data":{"k":"2"}}')
        wait_for("a change", lambda: "new:2" in seen)
    finally:
        follower.terminate()
        follower.wait()


def makes(old):
    old.run("create", "secret", "generic", "s", "--from-literal=k=v")
    old.run("create", "job", "once", "--image=busybox:1.36", "--", "true")
    old.run("create", "quota", "q", "--hard=pods=50")
    old.run("create", "ingress", "in", "--rule=a.example/=web:80")
    old.run("run", "single", "--image=nginx:1.26", "--restart=Never")
    old.run("create", "deployment", "second", "--image=nginx:1.26")
    for what in ("secret/s", "job/once", "quota/q", "ingress/in", "pod/single", "deployment/second"):
        old.run("get", what)
    old.run("taint", "nodes", "node-1", "old=yes:PreferNoSchedule")
    old.run("taint", "nodes", "node-1", "old-")
    old.run("cordon", "node-1")
    old.run("uncordon", "node-1")


def deletes(old):
    old.run("delete", "deployment", "second", "--cascade=foreground")
    old.run("delete", "pod", "single", "--grace-period=1")
    old.run("delete", "configmap", "--all")
    check_in('"web" deleted', old.run("delete", "-f", "-", stdin=WEB), "delete")
    check_in("NotFound", old.run("get", "deployment", "web", code=1), "gone")


def old_client():
    path = debian_kubectl()
    with Lab(replicas=1, nodes=2) as lab:
        lab.kubectl("create", "namespace", "old")
        wait_for("the default ServiceAccount", lambda: "default" in lab.names_of("sa", "-n", "old"))
        old = Old(lab, path, "old")
        failed = []
        for part in (apply_and_diff, server_side, rollouts, looks, permissions, certificates,
                     watching, makes, deletes):
            try:
                part(old)
                print(f"  ok {part.__name__}", flush=True)
            except AssertionError as failure:
                failed.append(part.__name__)
                print(f"  FAILED {part.__name__}: {failure}", flush=True)
        check(not failed, f"failed: {failed}")


if __name__ == "__main__":
    main([old_client], limit=230)
