#!/usr/bin/env python3
"""Admission and conversion webhooks written in Python, behind TLS, driven by stock kubectl: allow,
deny, patch, again, time-out, fail open and closed, a bad certificate, conditions, conversion.

    webhooks.py [NAME of a part ...]
"""
import base64
import copy
import json
import os
import sys
import threading

from lab import Lab, check, check_equal, check_in, main, need, wait_for
from tls_server import Certificates, Server, service

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE", "DELETE"],
        "resources": ["configmaps"], "scope": "Namespaced"}


class World:
    def __init__(self, lab, pki, server):
        self.lab, self.pki, self.server = lab, pki, server

    def client(self, path, **more):
        return {"service": {"namespace": "default", "name": "hooks", "path": path},
                "caBundle": self.pki.bundle, **more}

    def configure(self, name, *hooks, mutating=False):
        """Registers the webhooks and waits until they are asked. Each sees only namespace NAME."""
        kind = "MutatingWebhookConfiguration" if mutating else "ValidatingWebhookConfiguration"
        if name not in self.lab.names_of("namespaces"):
            self.lab.kubectl("create", "namespace", name)
        for hook in hooks:
            hook.setdefault("sideEffects", "None")
            hook.setdefault("admissionReviewVersions", ["v1"])
            hook.setdefault("rules", [RULE])
            hook.setdefault("namespaceSelector",
                            {"matchLabels": {"kubernetes.io/metadata.name": name}})
        self.lab.kubectl("apply", "-f", "-", stdin=json.dumps(
            {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
             "metadata": {"name": name}, "webhooks": list(hooks)}))

    def create(self, ns, name, *more, **kw):
        return self.lab.run("create", "configmap", name, "-n", ns, "--from-literal=a=1", *more,
                            check=False, **kw)

    def asked(self, path):
        return [tree["request"] for _, _, tree, _ in self.server.calls(path)]


def answer(request, allowed=True, patch=None, **more):
    response = {"uid": request.body["request"]["uid"], "allowed": allowed, **more}
    if patch is not None:
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(json.dumps(patch).encode()).decode()
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}


def deny(w):
    def judge(request):
        asked = request.body["request"]
        shown = asked["object"] or asked["oldObject"]
        if "kept" in shown["metadata"].get("labels", {}) and asked["operation"] == "DELETE":
            return answer(request, False, status={"message": "this one is kept", "code": 403,
                                                  "reason": "Forbidden"})
        if "bad" in shown.get("data", {}):
            return answer(request, False, status={"message": "there is something bad in it"})
        return answer(request, warnings=["somebody looks at this"])
    w.server.on("/judge", judge)
    w.configure("deny", {"name": "judge.example.com", "clientConfig": w.client("/judge")})
    made = wait_for("the webhook is asked", lambda: "somebody looks at this" in w.create(
        "deny", f"probe-{len(w.asked('/judge'))}").stderr)
    check(made, "a warning is shown")
    text = 'admission webhook "judge.example.com" denied the request: there is something bad in it'
    done = w.create("deny", "x", "--from-literal=bad=1")
    check_equal(done.returncode, 1, "refused")
    check_in(text, done.stderr, "create")
    w.create("deny", "keep")
    w.lab.refused("patch", "configmap", "keep", "-n", "deny", "--type=merge", "-p",
                  '{"data":{"bad":"1"}}', text=text)
    w.lab.kubectl("label", "configmap", "keep", "-n", "deny", "kept=yes")
    w.lab.refused("delete", "configmap", "keep", "-n", "deny", text="this one is kept")
    w.lab.refused("delete", "configmap", "-n", "deny", "--all", text="this one is kept")
    done = w.create("deny", "dry", "--dry-run=server")
    check_equal(done.returncode, 0, "dry run: " + done.stderr)
    check_equal(w.asked("/judge")[-1]["dryRun"], True, "the webhook is told that it is dry")
    check_equal(w.asked("/judge")[-1]["userInfo"]["username"], "admin", "who asks")
    w.lab.kubectl("delete", "validatingwebhookconfiguration", "deny")
    wait_for("nobody is asked any more", lambda: w.create(
        "deny", "free", "--from-literal=bad=1").returncode == 0)


def patch(w):
    """A sidecar is put into the pods of a Deployment, and the first webhook is asked again."""
    def sidecar(request):
        pod = request.body["request"]["object"]
        if any(c["name"] == "sidecar" for c in pod["spec"]["containers"]):
            return answer(request)
        return answer(request, patch=[{"op": "add", "path": "/spec/containers/-",
                                       "value": {"name": "sidecar", "image": "busybox",
                                                 "command": ["sleep", "3600"]}}])

    def count(request):
        pod = request.body["request"]["object"]
        number = str(len(pod["spec"]["containers"]))
        return answer(request, patch=[{"op": "add", "path": "/metadata/annotations", "value": {
            **pod["metadata"].get("annotations", {}), "example.com/containers": number}}])
    w.server.on("/sidecar", sidecar)
    w.server.on("/count", count)
    pods = {**RULE, "operations": ["CREATE"], "resources": ["pods"]}
    w.configure("patch",
                {"name": "count.example.com", "clientConfig": w.client("/count"), "rules": [pods],
                 "reinvocationPolicy": "IfNeeded"},
                {"name": "sidecar.example.com", "clientConfig": w.client("/sidecar"),
                 "rules": [pods]}, mutating=True)
    wait_for("the webhook is asked", lambda: "sidecar" in w.lab.out(
        "run", "dry", "-n", "patch", "--image=nginx", "--dry-run=server", "-o", "json"))
    w.lab.kubectl("create", "deployment", "d", "-n", "patch", "--image=nginx", "--replicas=2")

    def two_pods():
        items = w.lab.get("pods", "-n", "patch", "-l", "app=d")["items"]
        return items if len(items) == 2 else None
    for pod in wait_for("both pods", two_pods, 60):
        names = [c["name"] for c in pod["spec"]["containers"]]
        check_equal(names, ["nginx", "sidecar"], "containers")
        check_equal(pod["metadata"]["annotations"]["example.com/containers"], "2",
                    "the first webhook saw what the second one added")
    w.lab.kubectl("rollout", "status", "deployment/d", "-n", "patch", "--timeout=60s")
    w.lab.kubectl("delete", "mutatingwebhookconfiguration", "patch")


def slow(w):
    """A webhook that does not answer, with both failure policies."""
    release = threading.Event()
    w.server.on("/slow", lambda request: release.wait(20) and answer(request))
    hook = {"name": "slow.example.com", "clientConfig": w.client("/slow"), "timeoutSeconds": 1}
    w.configure("slow", {**hook, "failurePolicy": "Fail"})
    text = ('failed calling webhook "slow.example.com": failed to call webhook: Post '
            '"https://hooks.default.svc:443/slow?timeout=1s": context deadline exceeded')
    wait_for("time-out", lambda: text in w.create("slow", "x").stderr)
    w.configure("slow", {**hook, "failurePolicy": "Ignore"})
    wait_for("passes", lambda: w.create("slow", "x").returncode == 0)
    release.set()
    w.lab.kubectl("delete", "validatingwebhookconfiguration", "slow")


def broken(w):
    """Nobody there, and a certificate that is not to be trusted."""
    other = Certificates(w.pki.path("other"), "other-ca")
    text = "x509: certificate signed by unknown authority"
    for policy in ("Fail", "Ignore"):
        w.configure("broken", {"name": "bad.example.com", "failurePolicy": policy,
                               "clientConfig": {**w.client("/judge"), "caBundle": other.bundle}})
        if policy == "Fail":
            wait_for("not trusted", lambda: text in w.create("broken", "x").stderr)
        else:
            wait_for("open", lambda: w.create("broken", "x").returncode == 0)
    gone = {"service": {"namespace": "default", "name": "nobody"}, "caBundle": w.pki.bundle}
    w.configure("broken", {"name": "gone.example.com", "clientConfig": gone})
    text = 'service "nobody" not found'
    wait_for("no service", lambda: text in w.create("broken", "y").stderr)
    url = {"url": f"https://127.0.0.1:{w.server.port}/no-such", "caBundle": w.pki.bundle}
    w.configure("broken", {"name": "gone.example.com", "clientConfig": url})
    text = "the server could not find the requested resource"
    wait_for("404", lambda: text in w.create("broken", "y").stderr)
    w.lab.kubectl("delete", "validatingwebhookconfiguration", "broken")


def conditions(w):
    w.server.on("/never", lambda request: answer(request, False))
    expressions = [{"name": "by-name", "expression": "object.metadata.name.startsWith('watched')"}]
    w.configure("conditions", {"name": "c.example.com", "clientConfig": w.client("/never"),
                               "matchConditions": expressions})
    wait_for("asked about", lambda: 'admission webhook "c.example.com" denied the request without '
             "explanation" in w.create("conditions", "watched-1").stderr)
    check_equal(w.create("conditions", "other").returncode, 0, "not asked about")
    bad = {"apiVersion": "admissionregistration.k8s.io/v1",
           "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "bad"}, "webhooks": [
               {"name": "c.example.com", "clientConfig": w.client("/never"), "rules": [RULE],
                "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "matchConditions": [{"name": "x", "expression": "object.x +"}]}]}
    w.lab.refused("create", "-f", "-", stdin=json.dumps(bad),
                  text="webhooks[0].matchConditions[0].expression: Invalid value: ")
    w.lab.kubectl("delete", "validatingwebhookconfiguration", "conditions")


DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "backends.conversion.example.com"},
    "spec": {"group": "conversion.example.com", "scope": "Namespaced",
             "names": {"plural": "backends", "kind": "Backend"},
             "versions": [
                 {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                     "type": "object", "properties": {
                         "hostPort": {"type": "string", "pattern": "^[a-z.]+:[0-9]+$"}}}}},
                 {"name": "v2", "served": True, "storage": False, "schema": {"openAPIV3Schema": {
                     "type": "object", "properties": {
                         "host": {"type": "string"}, "port": {"type": "integer"}}}}}]}}


def convert(request):
    """v1 {hostPort: "a:1"}, v2 {host: "a", port: 1}."""
    asked, out = request.body["request"], []
    for made in copy.deepcopy(asked["objects"]):
        if made.get("host") == "impossible" or made.get("hostPort", "").startswith("impossible"):
            return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
                    "response": {"uid": asked["uid"], "convertedObjects": [], "result": {
                        "status": "Failure", "message": "impossible is not for converting"}}}
        made["apiVersion"] = asked["desiredAPIVersion"]
        if asked["desiredAPIVersion"].endswith("/v2"):
            host, _, port = made.pop("hostPort", ":0").partition(":")
            made.update(host=host, port=int(port))
        else:
            made["hostPort"] = f"{made.pop('host', '')}:{made.pop('port', 0)}"
        made["metadata"]["name"] = made["metadata"]["name"]
        out.append(made)
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
            "response": {"uid": asked["uid"], "convertedObjects": out,
                         "result": {"status": "Success"}}}


def backend(version, name, **more):
    return json.dumps({"apiVersion": "conversion.example.com/" + version, "kind": "Backend",
                       "metadata": {"name": name}, **more})


def conversion(w):
    w.server.on("/convert", convert)
    lab, spec = w.lab, copy.deepcopy(DEFINITION)
    spec["spec"]["conversion"] = {"strategy": "Webhook", "webhook": {
        "conversionReviewVersions": ["v1"], "clientConfig": w.client("/convert")}}
    lab.kubectl("create", "-f", "-", stdin=json.dumps(spec))
    lab.kubectl("wait", "--for=condition=Established", "crd/" + spec["metadata"]["name"])
    v1, v2 = "backends.v1.conversion.example.com", "backends.v2.conversion.example.com"
    wait_for("both versions", lambda: lab.run("get", v1, check=False).returncode == 0 and
             lab.run("get", v2, check=False).returncode == 0)
    lab.kubectl("create", "-f", "-", stdin=backend("v2", "two", host="b.example", port=2))
    lab.kubectl("apply", "-f", "-", stdin=backend("v1", "one", hostPort="a.example:1"))
    check_equal(lab.get(v1, "two")["hostPort"], "b.example:2", "written in v2, read in v1")
    check_equal((lab.get(v2, "one")["host"], lab.get(v2, "one")["port"]), ("a.example", 1),
                "written in v1, read in v2")
    check_equal([i["host"] for i in lab.get(v2)["items"]], ["a.example", "b.example"], "list")
    lab.kubectl("patch", v2, "one", "--type=merge", "-p", '{"port":7}')
    check_equal(lab.get(v1, "one")["hostPort"], "a.example:7", "patched in v2")
    lab.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-",
                stdin=backend("v2", "one", host="a.example", port=8))
    check_equal(lab.get(v1, "one")["hostPort"], "a.example:8", "applied in v2")
    lab.refused("create", "-f", "-", stdin=backend("v2", "no", host="NOT GOOD", port=1),
                text="hostPort")
    lab.refused("create", "-f", "-", stdin=backend("v2", "no", host="impossible", port=1),
                text="conversion webhook for conversion.example.com/v2, Kind=Backend failed: "
                     "impossible is not for converting")
    watched(w)
    # Another storage version: what is stored stays as it is until it is written.
    spec["spec"]["versions"][0]["storage"], spec["spec"]["versions"][1]["storage"] = False, True
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(spec))
    check_equal(lab.get(v2, "two")["port"], 2, "stored in v1, read in v2")
    check_equal(lab.get(v1, "two")["hostPort"], "b.example:2", "stored in v1, read in v1")
    lab.kubectl("label", v2, "two", "x=y")
    check_equal(lab.get(v1, "two")["hostPort"], "b.example:2", "stored in v2, read in v1")
    lab.kubectl("delete", "crd", spec["metadata"]["name"], "--timeout=60s")


def watched(w):
    """A watch in the version that is not stored: what is there, then what comes."""
    import http.client
    path = "/apis/conversion.example.com/v2/namespaces/default/backends"
    connection = http.client.HTTPSConnection("127.0.0.1", w.lab.ports[0], timeout=60,
                                             context=w.lab._tls())
    try:
        connection.request("GET", path + "?watch=true&timeoutSeconds=60")
        stream = connection.getresponse()
        seen = [json.loads(stream.readline()) for _ in range(2)]
        check_equal([(e["type"], e["object"]["host"]) for e in seen],
                    [("ADDED", "a.example"), ("ADDED", "b.example")], "what is there")
        w.lab.kubectl("patch", "backends.v1.conversion.example.com", "two", "--type=merge", "-p",
                      '{"metadata":{"labels":{"seen":"1"}}}')
        event = json.loads(stream.readline())
        check_equal((event["type"], event["object"]["apiVersion"], event["object"]["port"]),
                    ("MODIFIED", "conversion.example.com/v2", 2), "what comes")
    finally:
        connection.close()


def tokens(w):
    """Who asks for a service account's token is looked at, as a TokenRequest."""
    w.server.on("/tokens", lambda request: answer(
        request, request.body["request"]["object"]["spec"].get("audiences") != ["far"],
        status={"message": "not for far away"}))
    w.configure("tokens", {"name": "tokens.example.com", "clientConfig": w.client("/tokens"),
                           "rules": [{**RULE, "operations": ["CREATE"],
                                      "resources": ["serviceaccounts/token"]}]})
    w.lab.kubectl("create", "serviceaccount", "robot", "-n", "tokens")
    text = 'admission webhook "tokens.example.com" denied the request: not for far away'
    wait_for("the webhook is asked", lambda: text in w.lab.run(
        "create", "token", "robot", "-n", "tokens", "--audience=far", check=False).stderr)
    check(len(w.lab.out("create", "token", "robot", "-n", "tokens").split(".")) == 3, "a token")
    asked = w.asked("/tokens")[-1]
    check_equal((asked["kind"]["kind"], asked["subResource"], asked["name"], asked["operation"]),
                ("TokenRequest", "token", "robot", "CREATE"), "what is asked")
    w.lab.kubectl("delete", "validatingwebhookconfiguration", "tokens")


PARTS = [tokens, deny, patch, slow, broken, conditions, conversion]


def webhooks():
    need("openssl")
    with Lab(replicas=1) as lab:
        pki = Certificates(os.path.join(lab.root, "hook-pki"))
        with Server(pki.issue("hooks.default.svc")) as server:
            lab.kubectl("apply", "-f", "-", stdin=service("hooks", server.port))
            for part in PARTS:
                if not given or part.__name__ in given:
                    part(World(lab, pki, server))
                    print(f"ok {part.__name__}", flush=True)


if __name__ == "__main__":
    given, sys.argv[1:] = sys.argv[1:], []
    main([webhooks], limit=230)
