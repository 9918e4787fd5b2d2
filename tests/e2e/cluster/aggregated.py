#!/usr/bin/env python3
"""An aggregated API server written in Python, behind TLS with the front proxy's certificate, driven
by stock kubectl: discovery, get, list, watch, write, who asks, and what happens when it is away.

    aggregated.py [NAME of a part ...]
"""
import json
import os
import subprocess
import sys
import threading

from lab import Lab, check, check_equal, check_in, client_path, main, need, wait_for
from tls_server import Certificates, Server, service

GROUP, VERSION = "flowers.example.com", "v1alpha1"
PATH = f"/apis/{GROUP}/{VERSION}"
NAME = f"{VERSION}.{GROUP}"
RESOURCES = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/{VERSION}",
             "resources": [{"name": "roses", "singularName": "rose", "namespaced": True,
                            "kind": "Rose", "shortNames": ["ro"],
                            "verbs": ["create", "delete", "get", "list", "watch"]}]}


class Flowers:
    """Keeps roses in memory."""

    def __init__(self, server):
        self.server, self.roses, self.changed = server, {}, threading.Condition()
        self.log = []  # (type, rose), the version is the place
        server.on(PATH, lambda request: RESOURCES)
        server.on(PATH + "/*", self.serve)

    def put(self, kind, rose):
        with self.changed:
            self.log.append((kind, rose))
            rose["metadata"]["resourceVersion"] = str(len(self.log))
            self.changed.notify_all()

    def serve(self, request):
        parts = request.path.split("?")[0][len(PATH) + 1:].split("/")
        if parts[:1] == ["roses"]:
            return self.listing()
        name = parts[3] if len(parts) > 3 else None
        if request.command == "POST":
            rose = request.body
            rose["metadata"].update(namespace=parts[1], uid="u-" + rose["metadata"]["name"],
                                    creationTimestamp="2026-01-01T00:00:00Z")
            rose["askedBy"] = request.headers["X-Remote-User"]
            self.roses[rose["metadata"]["name"]] = rose
            self.put("ADDED", rose)
            return 201, rose
        if name is not None and name not in self.roses:
            return 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404,
                         "reason": "NotFound", "message": f'roses "{name}" not found'}
        if request.command == "DELETE":
            self.put("DELETED", self.roses.pop(name))
            return {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        if name is not None:
            return self.roses[name]
        if "watch=" in request.path:
            return self.watch(request)
        return self.listing()

    def listing(self):
        return {"kind": "RoseList", "apiVersion": f"{GROUP}/{VERSION}",
                "metadata": {"resourceVersion": str(len(self.log))},
                "items": list(self.roses.values())}

    def watch(self, request):
        request.begin()
        sent = 0
        while True:
            with self.changed:
                self.changed.wait_for(lambda: len(self.log) > sent, 30)
                fresh = self.log[sent:]
            if not fresh:
                return request.chunk(b"")
            for kind, rose in fresh:
                request.chunk(json.dumps({"type": kind, "object": rose}).encode() + b"\n")
            sent += len(fresh)


class World:
    def __init__(self, lab, pki, server):
        self.lab, self.pki, self.server, self.flowers = lab, pki, server, Flowers(server)

    def register(self, **more):
        self.lab.kubectl("apply", "-f", "-", stdin=json.dumps(
            {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
             "metadata": {"name": NAME},
             "spec": {"group": GROUP, "version": VERSION, "groupPriorityMinimum": 100,
                      "versionPriority": 10, "caBundle": self.pki.bundle,
                      "service": {"namespace": "default", "name": "flowers"}, **more}}))

    def condition(self):
        status = self.lab.get("apiservice", NAME).get("status", {})
        found = [c for c in status.get("conditions", []) if c["type"] == "Available"]
        return (found[0]["status"], found[0]["reason"], found[0]["message"]) if found else None

    def wait_condition(self, status, reason):
        wait_for(f"{status} {reason}", lambda: (self.condition() or ())[:2] == (status, reason) or
                 check(False, f"{self.condition()}"), 60)


def away(w):
    """Not there, step by step."""
    w.register()
    w.wait_condition("False", "ServiceNotFound")
    check_equal(w.condition()[2], 'service/flowers in "default" is not present', "message")
    code, body = w.lab.api("GET", PATH + "/roses")
    check_equal((code, body), (503, "service unavailable\n"), "request to a server that is away")
    table = w.lab.out("get", "apiservice", NAME)
    check_in("default/flowers", table, "SERVICE")
    check_in("False (ServiceNotFound)", table, "AVAILABLE")
    check("roses" not in w.lab.run("api-resources", check=False).stdout, "nothing in discovery")
    w.lab.kubectl("apply", "-f", "-", stdin=service("flowers", w.server.port))
    w.wait_condition("True", "Passed")


def use(w):
    lab = w.lab
    wait_for("discovery", lambda: "roses" in lab.run(
        "api-resources", f"--api-group={GROUP}", check=False).stdout)
    check_in(f"{GROUP}/{VERSION}", lab.out("api-versions"), "api-versions")
    rose = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Rose", "color": "red"}
    for name in ("one", "two"):
        lab.kubectl("create", "--validate=false", "-f", "-",
                    stdin=json.dumps({**rose, "metadata": {"name": name}}))
    check_equal(lab.get("rose", "one")["askedBy"], "admin", "who asks")
    check_equal(lab.names_of("ro"), ["one", "two"], "list by short name")
    check_equal(lab.names_of("ro", "-A"), ["one", "two"], "list of all namespaces")
    lab.refused("get", "rose", "none", text='roses "none" not found')
    command, _, _, headers = w.server.calls(PATH + "/namespaces/default/roses/one")[-1]
    check_equal(command, "GET", "method")
    check_equal(headers.get("X-Remote-Group"), "system:masters", "the first group")
    check("Authorization" not in headers, "no token of the user goes on")
    lab.kubectl("delete", "rose", "one", "--wait=false")
    check_equal(lab.names_of("ro"), ["two"], "deleted")
    lab.kubectl("create", "serviceaccount", "gardener")
    lab.refused("get", "roses", "--as=system:serviceaccount:default:gardener", text="forbidden")
    lab.kubectl("create", "role", "gardener", "--verb=get,list", f"--resource=roses.{GROUP}")
    lab.kubectl("create", "rolebinding", "gardener", "--role=gardener",
                "--serviceaccount=default:gardener")
    wait_for("our RBAC decides", lambda: lab.run(
        "get", "roses", "--as=system:serviceaccount:default:gardener",
        check=False).returncode == 0)
    asked = w.server.calls(PATH + "/namespaces/default/roses")[-1][3]
    check_equal(asked["X-Remote-User"], "system:serviceaccount:default:gardener", "who asks")


def watch(w):
    """Events arrive when they happen."""
    process = subprocess.Popen([client_path(), "get", "roses", "-w", "-o", "name"],
                               stdout=subprocess.PIPE, text=True, env=w.lab.env)
    lines = []

    def read():
        for line in process.stdout:
            lines.append(line.strip())
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        wait_for("what is there", lambda: any("two" in line for line in lines), 60)
        w.lab.kubectl("create", "--validate=false", "-f", "-", stdin=json.dumps(
            {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Rose", "metadata": {"name": "late"}}))
        wait_for("what comes", lambda: any("late" in line for line in lines), 60)
    finally:
        process.terminate()
        process.wait(10)
        reader.join(10)


def trust(w):
    """The map that tells such servers whom to believe, and a certificate that is not to be
    trusted."""
    data = w.lab.get("configmap", "extension-apiserver-authentication", "-n",
                     "kube-system")["data"]
    with open(os.path.join(w.lab.dir, "pki", "front-proxy-ca.crt")) as f:
        check_equal(data["requestheader-client-ca-file"], f.read(), "CA of the front proxy")
    for key, value in (("allowed-names", ["front-proxy-client"]),
                       ("username-headers", ["X-Remote-User"]),
                       ("group-headers", ["X-Remote-Group"]),
                       ("extra-headers-prefix", ["X-Remote-Extra-"])):
        check_equal(json.loads(data["requestheader-" + key]), value, key)
    other = Certificates(w.pki.path("other"), "other-ca")
    w.register(caBundle=other.bundle)
    w.wait_condition("False", "FailedDiscoveryCheck")
    check_in("certificate signed by unknown authority", w.condition()[2], "why")
    w.register()
    w.wait_condition("True", "Passed")


def gone(w):
    """Endpoints vanish; then the registration."""
    w.lab.kubectl("delete", "endpointslice", "flowers-test")
    w.wait_condition("False", "EndpointsNotFound")
    w.lab.kubectl("get", "pods")  # others are served
    w.lab.kubectl("delete", "apiservice", NAME)
    wait_for("out of discovery",
             lambda: GROUP not in w.lab.run("api-versions", check=False).stdout)


PARTS = [away, use, watch, trust, gone]


def aggregated():
    need("openssl")
    with Lab(replicas=1) as lab:
        pki = Certificates(os.path.join(lab.root, "flower-pki"))
        front_proxy = os.path.join(lab.dir, "pki", "front-proxy-ca.crt")
        with Server(pki.issue("flowers.default.svc"), client_ca=front_proxy) as server:
            world = World(lab, pki, server)
            for part in PARTS:
                if not given or part.__name__ in given:
                    part(world)
                    print(f"ok {part.__name__}", flush=True)


if __name__ == "__main__":
    given, sys.argv[1:] = sys.argv[1:], []
    main([aggregated], limit=230)
