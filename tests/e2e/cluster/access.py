#!/usr/bin/env python3
"""Who may do what, with stock kubectl: daemons under their own names, users without and with roles,
service account tokens, nobody giving away more than he has.

    access.py [--client mini-kubectl]
"""
import argparse
import base64
import http.client
import json
import os
import re
import ssl
import sys

from lab import Lab, check, check_equal, check_in, main, wait_for

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: c, image: nginx:1.26, envFrom: [{configMapRef: {name: m}}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""

ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reconciled, namespace: default}
rules: [{apiGroups: [""], resources: ["%s"], verbs: ["get"]}]
"""


def refusals(lab):
    """Requests answered with 403 so far."""
    code, text = lab.api("GET", "/metrics")
    check_equal(code, 200, "/metrics")
    lines = re.findall(r'^apiserver_request_total\{.*code="403".*\} (\d+)', text, re.M)
    return sum(int(n) for n in lines)


def daemons_need_no_more(lab):
    lab.kubectl("create", "configmap", "m", "--from-literal=a=b")
    lab.kubectl("apply", "-f", "-", stdin=WEB)
    lab.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    lab.kubectl("set", "image", "deployment/web", "c=nginx:1.27")
    lab.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    node = lab.get("pods")["items"][0]["spec"]["nodeName"]
    lab.kubectl("drain", node, "--ignore-daemonsets", "--force", "--timeout=60s")
    lab.kubectl("uncordon", node)
    lab.kubectl("logs", "deployment/web")
    lab.kubectl("delete", "deployment,service", "web", "--timeout=60s")
    lab.kubectl("create", "namespace", "gone")
    lab.kubectl("delete", "namespace", "gone", "--timeout=60s")
    check_equal(refusals(lab), 0, "requests of the daemons that were refused")


def daemons_have_no_more(lab):
    """Each is no administrator."""
    for user, verb, kind, may in [
            ("system:kube-scheduler", "create", "pods/binding", "yes"),
            ("system:kube-scheduler", "create", "deployments", "no"),
            ("system:kube-scheduler", "get", "secrets", "no"),
            ("system:kube-controller-manager", "create", "replicasets", "yes"),
            ("system:kube-controller-manager", "create", "clusterrolebindings", "no"),
            ("system:kubelet-sim", "patch", "pods/status", "yes"),
            ("system:kubelet-sim", "create", "deployments", "no"),
            ("kube-apiserver-kubelet-client", "get", "nodes/log", "yes"),
            ("kube-apiserver-kubelet-client", "list", "pods", "no")]:
        kind, *sub = kind.split("/")
        sub = ["--subresource=" + s for s in sub]
        got = lab.run("auth", "can-i", verb, kind, *sub, "--as=" + user, "-A", check=False)
        check_equal(got.stdout.split()[0], may, f"{user} {verb} {kind}")


def users(lab):
    lab.refused("get", "pods", "--as=kit",
                text='Error from server (Forbidden): pods is forbidden: User "kit" cannot list '
                     'resource "pods" in API group "" in the namespace "default"')
    lab.refused("get", "nodes", "--as=kit", text="at the cluster scope")
    lab.kubectl("create", "rolebinding", "kit-views", "--clusterrole=view", "--user=kit")
    lab.kubectl("get", "pods", "--as=kit")
    lab.refused("get", "pods", "-A", "--as=kit", text="at the cluster scope")
    lab.refused("get", "secrets", "--as=kit", text="cannot list resource")
    lab.refused("delete", "pod", "x", "--as=kit", text='pods "x" is forbidden')


def no_escalation(lab):
    lab.kubectl("create", "rolebinding", "ann-admin", "--clusterrole=admin", "--user=ann")
    lab.kubectl("create", "role", "pods", "--verb=get,list", "--resource=pods", "--as=ann")
    lab.kubectl("create", "rolebinding", "pods", "--role=pods", "--user=bob", "--as=ann")
    lab.kubectl("get", "pods", "--as=bob")
    lab.refused("create", "role", "more", "--verb=get", "--resource=nodes", "--as=ann",
                text="is attempting to grant RBAC permissions not currently held:\n"
                     '{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}')
    lab.refused("create", "rolebinding", "all", "--clusterrole=cluster-admin", "--user=bob",
                "--as=ann", text="is attempting to grant RBAC permissions not currently held")
    lab.refused("create", "clusterrolebinding", "all", "--clusterrole=view", "--user=bob",
                "--as=ann", text='User "ann" cannot create resource "clusterrolebindings"')
    patch = '{"roleRef":{"name":"view"}}'
    lab.refused("patch", "rolebinding", "ann-admin", "--type=merge", "-p", patch,
                text="cannot change roleRef")


def tokens(lab):
    lab.kubectl("create", "serviceaccount", "bot")
    lab.kubectl("create", "rolebinding", "bot", "--clusterrole=view",
                "--serviceaccount=default:bot")
    token = lab.out("create", "token", "bot", "--duration=10m").strip()
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    check_equal(claims["iss"], "https://kubernetes.default.svc", "iss")
    check_equal(claims["sub"], "system:serviceaccount:default:bot", "sub")
    check_equal(claims["exp"] - claims["iat"], 600, "life")

    def ask(path):
        return with_token(lab, token, path)
    check_equal(ask("/api/v1/namespaces/default/pods")[0], 200, "pods with the token")
    check_equal(ask("/api/v1/namespaces/default/secrets")[0], 403, "secrets with the token")
    code, found = ask("/.well-known/openid-configuration")
    check_equal((code, found.get("issuer")), (200, "https://kubernetes.default.svc"), "discovery")
    code, keys = ask("/openid/v1/jwks")
    check_equal((code, keys["keys"][0]["alg"]), (200, "RS256"), "keys")
    code, review = lab.api("POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                           {"spec": {"token": token}})
    check_equal(code, 201, "token review")
    check(review["status"]["authenticated"], review)
    check_in("system:serviceaccounts:default", review["status"]["user"]["groups"], "groups")
    lab.kubectl("delete", "serviceaccount", "bot")
    wait_for("the token to die with its account",
             lambda: ask("/api/v1/namespaces/default/pods")[0] == 401)


def with_token(lab, token, path):
    context = ssl.create_default_context(cafile=os.path.join(lab.dir, "pki", "ca.crt"))
    connection = http.client.HTTPSConnection("127.0.0.1", lab.ports[0], timeout=30,
                                             context=context)
    try:
        connection.request("GET", path, headers={"Authorization": "Bearer " + token})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def questions(lab):
    if lab.client == "kubectl":
        table = lab.out("auth", "can-i", "--list", "--as=kit")
        check(re.search(r"^pods\s+\[\]\s+\[\]\s+\[get list watch\]", table, re.M), table)
        check_in("selfsubjectaccessreviews.authorization.k8s.io", table, "can-i --list")
    for stale in ("pods", "nodes"):  # makes it, then adds what it lacks
        done = lab.kubectl("auth", "reconcile", "-f", "-", stdin=ROLE % stale)
        check_in("role.rbac.authorization.k8s.io/reconciled reconciled", done.stdout, "reconcile")
    rules = lab.get("role", "reconciled")["rules"]
    check_equal([r["resources"] for r in rules], [["pods"], ["nodes"]], "rules reconciled")
    who = lab.out("auth", "whoami", "--as=kit", "--as-group=dev")
    check(re.search(r"^Username\s+kit$", who, re.M), who)
    check(re.search(r"^Groups\s+\[dev system:authenticated\]$", who, re.M), who)


def aggregation(lab):
    """A role with the label becomes part of view, and of edit and admin with it."""
    lab.kubectl("create", "clusterrole", "see-widgets", "--verb=get", "--resource=nodes")
    lab.kubectl("label", "clusterrole", "see-widgets",
                "rbac.authorization.k8s.io/aggregate-to-view=true")

    def has(role):
        rules = lab.get("clusterrole", role)["rules"]
        return any(r["verbs"] == ["get"] and r.get("resources") == ["nodes"] for r in rules)
    wait_for("admin to hold the rule", lambda: has("view") and has("edit") and has("admin"))
    lab.kubectl("delete", "clusterrole", "see-widgets")
    wait_for("the rule to go", lambda: not has("view") and not has("admin"))


PARTS = (daemons_need_no_more, daemons_have_no_more, users, no_escalation, tokens, questions,
         aggregation)

if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("--client", default="kubectl")
    given = flags.parse_args()
    sys.argv[1:] = []

    def access():
        with Lab(client=given.client, replicas=1) as lab:
            wait_for("the nodes", lambda: len(lab.names_of("nodes")) == 3)
            wait_for("the default account", lambda: "default" in lab.names_of("sa"))
            for part in PARTS:
                part(lab)
                print(f"  {part.__name__}", flush=True)
    main([access], limit=150)
