#!/usr/bin/env python3
"""The rarer commands and flags of kubectl against a running cluster, by the stock client and by
mini-kubectl: pruning, dry runs, files with mistakes in them, copies of pods, definitions that come
again with another scope. And what no client may do: reach the whole cluster through a namespace."""
import json
import os

from lab import Lab, check, check_equal, check_in, client_path, main, wait_for

PAUSE = "registry.k8s.io/pause:3.9"


def config_map(name, labels=None, **data):
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap",
                       "metadata": {"name": name, "labels": labels or {}}, "data": data})


def pod(name, labels=None, node=None, **spec):
    return json.dumps({"apiVersion": "v1", "kind": "Pod",
                       "metadata": {"name": name, "labels": labels or {}},
                       "spec": {**({"nodeName": node} if node else {}), **spec,
                                "containers": [{"name": "c", "image": PAUSE}]}})


def documents(*texts):
    return "\n".join(texts)


class Client:
    """One client in a namespace of its own."""

    def __init__(self, lab, name):
        self.lab, self.name, self.ns = lab, name, "of-" + name
        lab.kubectl("create", "namespace", self.ns)
        wait_for("the service account", lambda: "default" in lab.names_of("sa", "-n", self.ns))

    def __call__(self, *args, **kw):
        return self.lab.out(*args, "-n", self.ns, client=self.name, **kw)

    def refused(self, *args, text, **kw):
        return self.lab.refused(*args, "-n", self.ns, text=text, client=self.name, **kw)

    def get(self, *args):
        return self.lab.get(*args, "-n", self.ns)

    def names_of(self, *args):
        return self.lab.names_of(*args, "-n", self.ns)


def prune(k):
    """apply --prune: what was applied goes when the files no longer have it."""
    mine = {"prune": "yes"}
    k("apply", "-f", "-", stdin=config_map("by-hand", mine))
    k("create", "-f", "-", stdin=config_map("created", mine))
    k.refused("apply", "--prune", "-f", "-", stdin=config_map("a", mine),
              text="all resources selected for prune without explicitly passing --all")
    shown = k("apply", "--prune", "-l", "prune=yes", "--dry-run=server", "-f", "-",
              stdin=config_map("a", mine))
    check_in("configmap/by-hand pruned (server dry run)", shown, "a dry run")
    check("by-hand" in k.names_of("configmaps"), "a dry run has pruned")
    done = k("apply", "--prune", "-l", "prune=yes", "-f", "-",
             stdin=documents(config_map("a", mine), config_map("other", {})))
    check_in("configmap/by-hand pruned", done, "apply --prune")
    left = k.names_of("configmaps", "-l", "prune=yes")
    check_equal(left, ["a", "created"], "what is left")
    check("other" not in k.names_of("configmaps"), "an object the selector leaves out was applied")


def files_with_mistakes(k):
    """What is wrong with one document is told; the others are done."""
    text = documents(config_map("good"), '{"apiVersion":"boats.org/v1","kind":"Boat","metadata":'
                     '{"name":"b"}}', config_map("also-good"))
    k.refused("create", "-f", "-", stdin=text,
              text='no matches for kind "Boat" in version "boats.org/v1"')
    k.refused("label", "-f", "-", "seen=yes", stdin=text, text='no matches for kind "Boat"')
    check_equal(k.names_of("configmaps", "-l", "seen=yes"), ["also-good", "good"], "labelled")
    k.refused("delete", "-f", "-", stdin=text, text='no matches for kind "Boat"')
    check("good" not in k.names_of("configmaps"), "delete stopped at the mistake")


def changes(k):
    """--record, --local, versions as preconditions, raw requests, replaces."""
    k("create", "-f", "-", stdin=config_map("m", {"a": "1"}, key="one"))
    k("label", "configmap", "m", "b=2", "--record")
    cause = k.get("configmap", "m")["metadata"]["annotations"]["kubernetes.io/change-cause"]
    check_in("label configmap m b=2", cause, "the recorded cause")
    local = k("label", "--local", "-f", "-", "c=3", "-o", "yaml", stdin=config_map("m"))
    check_in('c: "3"', local, "a local change")
    check("c" not in k.get("configmap", "m")["metadata"]["labels"], "--local has reached the server")
    k.refused("label", "configmap", "m", "d=4", "--resource-version=1",
              text="the object has been modified")
    shown = json.loads(k("get", "configmap", "m", "-o", "json"))
    shown["data"]["key"] = "two"
    k("replace", "--force", "-f", "-", stdin=json.dumps(shown))
    now = k.get("configmap", "m")
    check_equal(now["data"]["key"], "two", "the replaced object")
    check(now["metadata"]["uid"] != shown["metadata"]["uid"], "it is still the old object")
    path = f"/api/v1/namespaces/{k.ns}/configmaps"
    k("create", "--raw", path, "-f", "-", stdin=config_map("raw"))
    check_in('"key":"raw"', k("replace", "--raw", path + "/raw", "-f", "-",
                              stdin=config_map("raw", key="raw")).replace(": ", ":"), "PUT")
    k("delete", "--raw", path + "/raw")
    k.refused("get", "configmap", "raw", text='configmaps "raw" not found')
    k.refused("patch", "configmap", "m", "-p", '{"metadata":{"labels":"x"}}',
              text="cannot restore map from string")


def templates(k):
    k("create", "-f", "-", stdin=config_map("t"))
    missing = ["get", "configmap", "t", "--template={{.metadata.annotations.none}}"]
    check_equal(k(*missing), "<no value>", "a missing key")
    k.refused(*missing, "--allow-missing-template-keys=false", text="no entry for key")


def environment(k):
    """set env from a config map, and back to what is there."""
    k("create", "configmap", "env", "--from-literal=log.level=info", "--from-literal=mode=x")
    k("create", "deployment", "web", "--image=" + PAUSE)
    k("set", "env", "deployment/web", "--from=configmap/env", "--prefix=WEB_")
    # The stock client takes the keys of a config map in any order.
    lines = k("set", "env", "deployment/web", "--list", "--resolve").splitlines()
    check_equal(lines[:1] + sorted(lines[1:]),
                ["# Deployment web, container pause", "WEB_LOG_LEVEL=info", "WEB_MODE=x"], "set env")
    k.refused("set", "resources", "deployment/web", "-c", "none", "--limits=cpu=1",
              text="unable to find container named none")
    k("delete", "deployment", "web")


def exposed(k):
    """A file is enough; names are cut to what a Service may have."""
    name = "n" * 70
    check_in("service/" + "n" * 63 + " exposed",
             k("expose", "-f", "-", "--port=80", stdin=pod(name, {"a": "b"})), "expose")
    owners = k("get", "service", "n" * 63, "--show-managed-fields", "-o",
               "jsonpath={.metadata.managedFields[*].manager}")
    check_equal(owners, "kubectl-expose", "the field manager")


def dump(k):
    text = k("cluster-info", "dump", "--namespaces", k.ns, "--output-directory=state-" + k.name)
    check_in("Cluster info dumped to", text, "cluster-info dump")
    folder = os.path.join(k.lab.root, "state-" + k.name, k.ns)
    for name in ("pods.json", "events.json", "replication-controllers.json"):
        check(os.path.exists(os.path.join(folder, name)), f"the dump has no {name}")


def drained(k, node):
    """A dry run of a drain evicts nothing; the real one does what the budget allows."""
    k("create", "-f", "-", stdin=pod("held", {"app": "held"}, node))
    k("create", "pdb", "held", "--selector=app=held", "--min-available=1")
    k("create", "-f", "-", stdin=pod("free", {"app": "free"}, node))
    k("wait", "pod/held", "pod/free", "--for=condition=Ready", "--timeout=20s")
    wait_for("the budget", lambda: k.get("pdb", "held")["status"].get("currentHealthy") == 1)
    flags = ["--force", "--pod-selector=app in (held,free)"]
    check_in("(server dry run)", k("drain", node, "--dry-run=server",
                                   "--force", "--pod-selector=app=free"), "a dry run")
    check_equal(k.names_of("pods", "-l", "app=free"), ["free"], "pods after a dry run")
    check(not k.get("node", node)["spec"].get("unschedulable"), "a dry run has cordoned the node")
    k.refused("drain", node, *flags, "--timeout=2s", text="disruption budget")
    check_equal(k.names_of("pods", "-l", "app in (held,free)"), ["held"], "what the budget keeps")
    k("uncordon", node)
    k("delete", "pod/held", "pdb/held", "--now")


def both_clients():
    with Lab(replicas=1, nodes=2) as lab:
        for number, name in enumerate(("kubectl", "mini-kubectl")):
            if not client_path(name):
                continue
            k = Client(lab, name)
            for step in (prune, files_with_mistakes, changes, templates, environment, exposed,
                         dump):
                step(k)
            drained(k, f"node-{number + 1}")
            print(f"  {name}: as it must be", flush=True)
        stock_only(lab)
        nothing_through_a_namespace(lab)


BOAT = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.boats.org}
spec:
  group: boats.org
  scope: %s
  names: {plural: boats, singular: boat, kind: Boat, shortNames: [pod]}
  versions:
  - name: v1
    served: true
    storage: true
    deprecated: true
    deprecationWarning: row no more
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


def stock_only(lab):
    """A definition that comes again with another scope; sets of applied objects; debug copies."""
    boat = "apiVersion: boats.org/v1\nkind: Boat\nmetadata: {name: b}\nsails: 1\n"
    for scope in ("Cluster", "Namespaced"):
        lab.kubectl("apply", "-f", "-", stdin=BOAT % scope)
        lab.kubectl("wait", "--for=condition=Established", "crd/boats.boats.org")
        lab.kubectl("api-resources")  # the client forgets what it knew
        lab.kubectl("apply", "-f", "-", stdin=boat)
        check_in("Warning: row no more", lab.run("get", "boats").stderr, "a deprecated version")
        lab.refused("get", "boats", "--warnings-as-errors", text="1 warning received")
        check("b" not in lab.names_of("pod"), "a short name has hidden pods")
        lab.kubectl("delete", "crd", "boats.boats.org")
    env = dict(lab.env, KUBECTL_APPLYSET="true")
    apply = ["apply", "-n", "default", "--prune", "--applyset=configmaps/boats", "-f", "-"]
    lab.kubectl(*apply, stdin=config_map("first"), env=env)
    check_in("configmap/first pruned",
             lab.out(*apply, stdin=config_map("second"), env=env), "an apply set")
    lab.kubectl("create", "-f", "-", stdin=pod("target"))
    lab.kubectl("debug", "target", "--copy-to=copy", "--image=busybox", "-c", "shell",
                "--attach=false", "--profile=general", "-it")
    copy = lab.get("pod", "copy")["spec"]
    check_equal([c["name"] for c in copy["containers"]], ["c", "shell"], "the copy's containers")
    check_equal(len(copy["volumes"]), 1, "token volumes of a copy")
    discovery = lab.api("GET", "/api/v1")[1]["resources"]
    check(all(r.get("storageVersionHash") for r in discovery if "watch" in r["verbs"]),
          "a stored kind has no hash of its storage version")


def nothing_through_a_namespace(lab):
    """Who may do everything in a namespace reaches nothing of the whole cluster by a path in it."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "everything", "namespace": "default"},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(role))
    lab.kubectl("create", "rolebinding", "kit", "--role=everything", "--user=kit")
    as_kit = {"Impersonate-User": "kit"}
    for path in ("/api/v1/namespaces/default/nodes", "/api/v1/namespaces/default/nodes/node-1",
                 "/api/v1/namespaces/default/persistentvolumes",
                 "/apis/rbac.authorization.k8s.io/v1/namespaces/default/clusterroles"):
        check_equal(lab.api("GET", path, headers=as_kit)[0], 404, path)
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
               "metadata": {"name": "kit"},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                           "name": "cluster-admin"},
               "subjects": [{"kind": "User", "name": "kit",
                             "apiGroup": "rbac.authorization.k8s.io"}]}
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/clusterrolebindings"
    check_equal(lab.api("POST", path, binding, headers=as_kit)[0], 404, "a way to become admin")


if __name__ == "__main__":
    main([both_clients], limit=150)
