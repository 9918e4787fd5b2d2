#!/usr/bin/env python3
"""The audit log of a real apiserver: levels, stages, who asked and as whom, rotation."""
import glob
import json
import os
import stat
import subprocess

from lab import Lab, check, check_equal, check_in, main, wait_for
from own_apiserver import OwnApiserver

POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- {level: None, nonResourceURLs: ["/readyz*", "/openapi*", "/api*"]}
- {level: None, resources: [{group: coordination.k8s.io}, {group: "", resources: [events, "nodes*"]}]}
- {level: Metadata, resources: [{group: "", resources: [secrets]}]}
- level: RequestResponse
  namespaces: [watched]
  resources: [{group: "", resources: [configmaps]}]
- {level: Request, verbs: [watch], namespaces: [watched], omitStages: [ResponseStarted]}
- {level: None}
"""


class Audited(OwnApiserver):
    """With an audit log."""

    def __init__(self, lab, *flags):
        self.path = os.path.join(lab.root, "audit.log")
        self.policy = os.path.join(lab.root, "policy.yaml")
        with open(self.policy, "w") as f:
            f.write(POLICY)
        super().__init__(lab, "--audit-log-path", self.path, "--audit-policy-file", self.policy,
                         *flags)

    def lines(self, **wanted):
        with open(self.path) as f:
            found = [json.loads(line) for line in f]
        return [e for e in found if all(
            (e.get("objectRef") or e).get(k, e.get(k)) == v for k, v in wanted.items())]


def levels(lab, server):
    lab.kubectl("create", "namespace", "watched")
    lab.kubectl("-n", "watched", "create", "configmap", "c", "--from-literal=k=v")
    made = wait_for("the line", lambda: server.lines(verb="create", resource="configmaps", name="c"))
    check_equal(len(made), 1, "lines of one request")
    line = made[0]
    check_equal((line["level"], line["stage"], line["responseStatus"]["code"], line["kind"],
                 line["apiVersion"]),
                ("RequestResponse", "ResponseComplete", 201, "Event", "audit.k8s.io/v1"), "line")
    check_equal(line["user"]["username"], "admin", "user")
    check_in("kubectl", line["userAgent"], "agent")
    check_equal(line["requestObject"]["data"], {"k": "v"}, "what was asked")
    check(line["responseObject"]["metadata"]["uid"], "the answer")
    check("managedFields" not in line["responseObject"]["metadata"], "managed fields are left out")
    check_equal(line["annotations"]["authorization.k8s.io/decision"], "allow", "decision")

    lab.kubectl("-n", "watched", "create", "secret", "generic", "s", "--from-literal=p=hunter2")
    line = wait_for("the secret's", lambda: server.lines(verb="create", resource="secrets"))[0]
    check_equal(line["level"], "Metadata", "level of secrets")
    with open(server.path) as f:
        text = f.read()
    check("hunter2" not in text and "aHVudGVyMg" not in text, "a secret is in the log")
    check_equal(server.lines(resource="nodes") + server.lines(resource="leases"), [], "level None")
    check_equal(server.lines(stage="RequestReceived"), [], "a stage that is left out")


def as_somebody_else(lab, server):
    lab.refused("-n", "watched", "get", "configmap", "c", "--as=kit", "--as-group=devs",
                text='User "kit" cannot get resource "configmaps"')
    line = wait_for("the refusal", lambda: [
        e for e in server.lines(verb="get", resource="configmaps", name="c")
        if e["responseStatus"]["code"] == 403])[0]
    check_equal((line["user"]["username"], line["impersonatedUser"]["username"]), ("admin", "kit"),
                "who, and as whom")
    check_in("devs", line["impersonatedUser"]["groups"], "groups")
    check_equal(line["annotations"]["authorization.k8s.io/decision"], "forbid", "decision")


def streams(lab, server):
    path = "/api/v1/namespaces/watched/pods?watch=1&timeoutSeconds=1"
    check_equal(lab.api("GET", path)[0], 200, "watch")
    line = wait_for("the end of the watch", lambda: server.lines(verb="watch", namespace="watched",
                                                                 resource="pods"))
    check_equal([(e["stage"], e["level"]) for e in line], [("ResponseComplete", "Request")],
                "stages of a watch")


def rotation(lab, server):
    check_equal(stat.S_IMODE(os.stat(server.path).st_mode), 0o600, "mode")
    fill = "x" * 400_000
    for n in range(8):  # each about 0.8 MB in the log
        body = {"metadata": {"name": f"big{n}"}, "data": {"fill": fill}}
        check_equal(lab.api("POST", "/api/v1/namespaces/watched/configmaps", body)[0], 201, "create")
    backups = glob.glob(os.path.join(lab.root, "audit-*.log"))
    check_equal(len(backups), 2, f"files put aside: {backups}")
    for file in [*backups, server.path]:
        check(os.path.getsize(file) < 2 << 20, f"{file} is too big")
        check_equal(stat.S_IMODE(os.stat(file).st_mode), 0o600, file)
        with open(file) as f:
            for line in f:
                json.loads(line)


def audit():
    with Lab(replicas=1, nodes=1) as lab:
        server = Audited(lab, "--audit-log-maxsize=1", "--audit-log-maxbackup=2")
        try:
            for part in (levels, as_somebody_else, streams, rotation):
                part(lab, server)
        finally:
            server.stop()
        with open(server.policy, "w") as f:
            f.write(POLICY.replace("RequestResponse\n", "Everything\n"))
        done = subprocess.run([*server.process.args], capture_output=True, text=True, timeout=30)
        check_equal(done.returncode, 2, "a wrong policy")
        check_in('level "Everything"', done.stderr, "why")


if __name__ == "__main__":
    main([audit], limit=150)
