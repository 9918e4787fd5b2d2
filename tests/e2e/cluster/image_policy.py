#!/usr/bin/env python3
"""Admission plugins by configuration: a policy server for images, written in Python behind TLS,
asked by ImagePolicyWebhook; levels of pod security; and files that are wrong at the start."""
import json
import os

from lab import Lab, check, check_equal, check_in, main, need, wait_for
from own_apiserver import OwnApiserver
from tls_server import Certificates, Server

CONFIGURATION = """
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ImagePolicyWebhook
  path: images.yaml
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline}
    exemptions: {namespaces: [kube-system]}
"""


def write(lab, name, text):
    path = os.path.join(lab.root, name)
    with open(path, "w") as f:
        f.write(text if isinstance(text, str) else json.dumps(text))
    return path


def review(request):
    """Allows what begins with `good`, and what has a ticket."""
    spec = request.body["spec"]
    images = [c["image"] for c in spec["containers"]]
    bad = [image for image in images if not image.startswith("good")]
    ticket = spec.get("annotations", {}).get("mine.image-policy.k8s.io/ticket")
    status = {"allowed": not bad or bool(ticket), "auditAnnotations": {"seen": str(len(images))}}
    if not status["allowed"]:
        status["reason"] = "not ours: " + ", ".join(bad)
    return {"kind": "ImageReview", "apiVersion": "imagepolicy.k8s.io/v1alpha1", "status": status}


def files(lab, pki, port, **more):
    kubeconfig = write(lab, "images.kubeconfig", {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": f"https://127.0.0.1:{port}/policy",
                                               "certificate-authority": pki.path("ca.crt")}}],
        "users": [{"name": "u", "user": {"token": "the-apiserver"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]})
    write(lab, "images.yaml", {"imagePolicy": {"kubeConfigFile": kubeconfig, "denyTTL": -1,
                                               "retryBackoff": 10, **more}})
    return ["--enable-admission-plugins", "ImagePolicyWebhook",
            "--admission-control-config-file", write(lab, "admission.yaml", CONFIGURATION)]


def run(lab, name, image, *more):
    return lab.run("run", name, "--image=" + image, "--restart=Never", *more, check=False)


def asked(lab, pki, server, flags):
    check_equal(run(lab, "fine", "good/one").returncode, 0, "a good image")
    denied = ('Error from server (Forbidden): pods "poor" is forbidden: image policy webhook '
              "backend denied one or more images: not ours: bad/one\n")
    check_equal(run(lab, "poor", "bad/one").stderr, denied, "a bad image")
    check_equal(run(lab, "poor", "bad/one", "--annotations=mine.image-policy.k8s.io/ticket=5",
                    "--annotations=other=x").returncode, 0, "with a ticket")
    command, path, tree, headers = server.calls("/policy")[-1]
    check_equal((command, headers["Authorization"]), ("POST", "Bearer the-apiserver"), "the call")
    check_equal(tree["spec"], {"containers": [{"image": "bad/one"}], "namespace": "default",
                               "annotations": {"mine.image-policy.k8s.io/ticket": "5"}}, "review")
    before = len(server.calls("/policy"))
    check_equal(run(lab, "fine2", "good/one").returncode, 0, "a good image again")
    check_equal(len(server.calls("/policy")), before, "a good answer is kept")
    # A Deployment is made; its pods are not, and it is told why.
    lab.kubectl("create", "deployment", "d", "--image=bad/two")
    wait_for("an event tells", lambda: "not ours: bad/two" in lab.out(
        "get", "events", "--field-selector=reason=FailedCreate"))
    lab.kubectl("delete", "deployment", "d")


def pod_security(lab, pki, server, flags):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "host"},
           "spec": {"hostNetwork": True, "containers": [{"name": "c", "image": "good/one"}]}}
    lab.refused("create", "-f", "-", stdin=json.dumps(pod),
                text='violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)')
    lab.kubectl("create", "-n", "kube-system", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))


def gone(lab, pki, server, apiserver, flags):
    """A policy server that is not there: closed by default, open when so configured."""
    server.on("/policy", lambda request: (500, {"kind": "nonsense"}))
    text = run(lab, "x", "good/three").stderr
    check_in('pods "x" is forbidden: an error on the server', text, "a server with a fault")
    check_equal(len([1 for c in server.calls("/policy") if c[2]["spec"]["containers"] ==
                     [{"image": "good/three"}]]), 5, "tries")
    files(lab, pki, 1)
    apiserver.restart(*flags)
    text = run(lab, "x", "good/three").stderr
    check_in('pods "x" is forbidden: Post "https://127.0.0.1:1/policy": dial tcp 127.0.0.1:1: '
             "connect: connection refused", text, "nobody there")
    files(lab, pki, 1, defaultAllow=True)
    apiserver.restart(*flags)
    check_equal(run(lab, "x", "bad/three").returncode, 0, "fails open")


def wrong(lab, apiserver, flags):
    plugins, config = flags[:2], flags[3]
    check_in("--enable-admission-plugins: ImagePolicyWebhook: no config specified",
             apiserver.refuses(*plugins), "no file")
    check_in('--enable-admission-plugins: plugin "Nonsense" is unknown',
             apiserver.refuses("--enable-admission-plugins", "Nonsense"), "an unknown plugin")
    missing = config + ".none"
    check_in(f"--admission-control-config-file {missing}: open {missing}: no such file",
             apiserver.refuses("--admission-control-config-file", missing), "a missing file")
    for text, why in [("a: [", "yaml: line"), ("kind: Pod\napiVersion: v1\n", 'no kind "Pod"'),
                      ("imagePolicy: {kubeConfigFile: /none}", "kubeConfigFile /none"),
                      (CONFIGURATION.replace("baseline", "high"), "defaults.enforce")]:
        path = write(lab, "wrong.yaml", text)
        said = apiserver.refuses(*plugins, "--admission-control-config-file", path)
        check_in(f"--admission-control-config-file {path}: ", said, "the flag and the file")
        check_in(why, said, "the reason")


def image_policy():
    need("openssl")
    with Lab(replicas=1) as lab:
        pki = Certificates(os.path.join(lab.root, "policy-pki"))
        with Server(pki.issue("images.example.com")) as server:
            server.on("/policy", review)
            flags = files(lab, pki, server.port)
            apiserver = OwnApiserver(lab, *flags)
            try:
                asked(lab, pki, server, flags)
                pod_security(lab, pki, server, flags)
                gone(lab, pki, server, apiserver, flags)
                wrong(lab, apiserver, flags)
                check(lab.api("GET", "/readyz")[0] == 200, "ready")
            finally:
                apiserver.stop()


if __name__ == "__main__":
    main([image_policy], limit=170)
