#!/usr/bin/env python3
"""A node joins with a bootstrap token: it believes the cluster by its CA's hash, gets a certificate
of its own, may see its own things only, comes back without the token, and renews.
"""
import os
import shlex
import subprocess

from lab import BIN, Lab, check, check_equal, check_in, main, wait_for

POD = """
apiVersion: v1
kind: Pod
metadata: {name: guest}
spec:
  nodeName: guest-1
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: nginx}]
"""


class Node:
    """A kubelet-sim started by the printed command; stopped when the `with` ends."""

    def __init__(self, lab, command):
        self.log = os.path.join(lab.root, "guest.log")
        self.command = [os.path.join(BIN, "kubelet-sim"), *command]
        self.process = None

    def __enter__(self):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=out)
        return self

    def __exit__(self, kind, value, trace):
        self.process.terminate()
        self.process.wait(30)
        if kind is not None:
            print(self.text(), flush=True)

    def text(self):
        with open(self.log) as f:
            return f.read()


def join_command(lab, *flags):
    done = lab.coracle("token", "create", *flags)
    check_equal(done.returncode, 0, f"token create: {done.stdout}{done.stderr}")
    return shlex.split(done.stdout)[1:] + ["--node-name", "guest-1"]


def refused(lab, command, text):
    done = subprocess.run([os.path.join(BIN, "kubelet-sim"), *command], capture_output=True,
                          text=True, timeout=90, check=False)
    check_equal(done.returncode, 2, f"exit code: {done.stdout}{done.stderr}")
    check_in(text, done.stdout + done.stderr, "why it does not join")


def changed(command, **flags):
    """The command with other values of its flags; None leaves one out."""
    out = list(command)
    for name, value in flags.items():
        at = out.index("--" + name.replace("_", "-"))
        out[at:at + 2] = [] if value is None else [out[at], value]
    return out


def flags_of(lab, daemon):
    with open(f"/proc/{lab.pid(daemon)}/cmdline") as f:
        return f.read().split("\0")[1:-1]


def heartbeat(lab):
    return lab.get("lease", "guest-1", "-n", "kube-node-lease")["spec"]["renewTime"]


def is_ready(lab):
    nodes = {n["metadata"]["name"]: n for n in lab.get("nodes")["items"]}
    conditions = nodes.get("guest-1", {}).get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def requests(lab):
    return [c for c in lab.get("csr")["items"]
            if c["spec"]["signerName"] == "kubernetes.io/kube-apiserver-client-kubelet"
            and c["status"].get("certificate")]


def joins(lab, command):
    with Node(lab, command):
        wait_for("the node to be Ready", lambda: is_ready(lab), 60)
        lab.kubectl("apply", "-f", "-", stdin=POD)
        wait_for("its pod", lambda: lab.get("pod", "guest")["status"].get("phase") == "Running", 60)
        asked = requests(lab)[0]
        check(asked["spec"]["username"].startswith("system:bootstrap:"), asked["spec"])
        check_equal(asked["status"]["conditions"][0]["reason"], "AutoApproved", "the verdict")
        # What it may and may not, as itself.
        identity = os.path.join(command[command.index("--root-dir") + 1],
                                "pki/kubelet-client-current.pem")
        check_equal(os.stat(identity).st_mode & 0o777, 0o600, "mode of its key")
        lab.kubectl("config", "set-credentials", "guest", "--client-certificate", identity,
                    "--client-key", identity, "--embed-certs=true")
        lab.kubectl("config", "set-context", "guest", "--cluster=coracle", "--user=guest")
        check_in("system:node:guest-1", lab.out("--context=guest", "auth", "whoami"), "its name")
        lab.kubectl("--context=guest", "get", "node", "guest-1")
        lab.refused("--context=guest", "get", "node", "node-1", text="only its own Node object")
        lab.refused("--context=guest", "get", "secrets", "-A", text="No Object name found")
        lab.refused("--context=guest", "label", "node", "node-1", "a=b", text="only its own Node")


def serves(lab, command):
    """The node's server: signed by itself at first, by the cluster once that is approved."""
    def asked():
        return [c for c in lab.get("csr")["items"]
                if c["spec"]["signerName"] == "kubernetes.io/kubelet-serving"]
    with Node(lab, command + ["--rotate-server-certificates"]):
        wait_for("the node to be Ready", lambda: is_ready(lab), 60)
        wait_for("its request", asked)
        request = asked()[0]
        check_equal(request["spec"]["username"], "system:node:guest-1", "who asks")
        check_equal(request["spec"]["usages"], ["digital signature", "server auth"], "usages")
        check("conditions" not in request["status"], "nobody approves it by himself")
        page = "/api/v1/nodes/guest-1/proxy/healthz"
        refused_by = lab.run("get", "--raw", page, check=False)
        check_in("x509", refused_by.stderr, "a certificate that nobody vouches for")
        lab.kubectl("certificate", "approve", request["metadata"]["name"])
        wait_for("the cluster's certificate", lambda: lab.run(
            "get", "--raw", page, check=False).stdout == "ok", 30)
        wait_for("logs", lambda: lab.run("logs", "guest", check=False).returncode == 0, 30)


def returns_and_renews(lab, command):
    """Without a token, from what it kept; certificates that live for seconds are renewed."""
    flags = flags_of(lab, "controller-manager-1") + ["--cluster-signing-duration", "20s"]
    lab.stop("controller-manager-1")
    short = os.path.join(lab.root, "short.log")
    with open(short, "ab") as out:
        manager = subprocess.Popen([os.path.join(BIN, "controller-manager"), *flags],
                                   stdout=out, stderr=out)
    try:
        last = heartbeat(lab)
        with Node(lab, changed(command, token=None)):
            wait_for("the node's heart to beat again", lambda: heartbeat(lab) != last, 60)
        os.remove(os.path.join(command[command.index("--root-dir") + 1],
                               "pki/kubelet-client-current.pem"))
        with Node(lab, command) as node:
            wait_for("two renewals", lambda: node.text().count("has a new certificate") >= 2, 90)
            check(is_ready(lab), "it stays Ready")
            own = [c for c in requests(lab) if c["spec"]["username"] == "system:node:guest-1"]
            check(own, "no renewal was asked for by the node itself")  # those that ran out are gone
            check_in("self kubelet client certificate",
                     own[0]["status"]["conditions"][0]["message"], "the verdict on a renewal")
    finally:
        manager.terminate()
        manager.wait(30)


def strangers(lab):
    command = join_command(lab)
    refused(lab, changed(command, ca_cert_hash="sha256:" + "0" * 64), "none of the given hashes")
    secret = command[command.index("--token") + 1].split(".")[0] + "." + "0" * 16
    refused(lab, changed(command, token=secret), "not by this token")
    refused(lab, changed(command, token=None), "give --token")
    refused(lab, changed(command, ca_cert_hash=None), "Give --ca-file or --ca-cert-hash")
    done = lab.coracle("token", "create", "--ttl", "1s")
    token = shlex.split(done.stdout)[shlex.split(done.stdout).index("--token") + 1]
    wait_for("the token to go", lambda: "bootstrap-token-" + token.split(".")[0]
             not in lab.names_of("secrets", "-n", "kube-system"), 60)


def join():
    with Lab(replicas=1, nodes=1) as lab:
        strangers(lab)
        print("  strangers", flush=True)
        command = join_command(lab)
        for part in (joins, serves, returns_and_renews):
            part(lab, command)
            print(f"  {part.__name__}", flush=True)


if __name__ == "__main__":
    main([join], limit=260)
