#!/usr/bin/env python3
"""What upstream's conformance list asks of a cluster and no other suite here does: deletion with several
owners and in circles, failures that a set tells, evictions a Job forgives, what kubelets tell of
pods, logs over a WebSocket, and the programs of the image that such suites bring along."""
import json
import time

from lab import Lab, check, check_equal, check_in, main, wait_for

BUSYBOX = "registry.k8s.io/e2e-test-images/busybox:1.36.1-1"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"
PODS = "/api/v1/namespaces/default/pods"


class World:
    def __init__(self, lab):
        self.lab = lab

    def call(self, method, path, body=None, want=None, patch=None):
        kind = {"Content-Type": f"application/{patch}-patch+json"} if patch else None
        code, answer = self.lab.api(method, path, body, headers=kind)
        if want is not None:
            check_equal(code, want, f"{method} {path}: {answer}")
        return answer

    def code(self, path):
        return self.lab.api("GET", path)[0]

    def pod(self, name, command=None, image=BUSYBOX, container=None, **spec):
        one = {"name": "c", "image": image, **(container or {})}
        if command:
            one["command"] = ["sh", "-c", command]
        return self.call("POST", PODS, {
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"containers": [one], "terminationGracePeriodSeconds": 1, **spec}}, 201)

    def get_pod(self, name):
        return self.call("GET", f"{PODS}/{name}", want=200)

    def phase(self, name, phase):
        wait_for(f"{name} {phase}", lambda: self.get_pod(name)["status"]["phase"] == phase)
        return self.get_pod(name)

    def ready(self, name):
        wait_for(f"{name} ready", lambda: any(
            c["type"] == "Ready" and c["status"] == "True"
            for c in self.get_pod(name)["status"].get("conditions", [])))
        return self.get_pod(name)

    def log(self, name):
        return str(self.lab.api("GET", f"{PODS}/{name}/log")[1])

    def says(self, name, *words):
        wait_for(f"{name} says {words}", lambda: all(w in self.log(name) for w in words))


def reference(owner, uid, **more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uid, **more}


def owners(w):
    maps = "/api/v1/namespaces/default/configmaps"

    def make(name, *refs):
        return w.call("POST", maps, {"metadata": {"name": name, "ownerReferences": list(refs)}},
                      201)["metadata"]["uid"]
    # Of two owners one goes and waits: what both own stays, and only the other owns it then.
    a, b = make("a"), make("b")
    make("both", reference("a", a, blockOwnerDeletion=True), reference("b", b))
    make("mine", reference("a", a, blockOwnerDeletion=True))
    w.call("DELETE", f"{maps}/a", {"propagationPolicy": "Foreground"}, 200)
    wait_for("a to go", lambda: w.code(f"{maps}/a") == 404)
    check_equal(w.code(f"{maps}/mine"), 404, "what only a owned")
    check_equal([r["name"] for r in w.call("GET", f"{maps}/both")["metadata"]["ownerReferences"]],
                ["b"], "owners left")
    # In a circle each waits for the next.
    uids = {name: make(name) for name in ("x", "y", "z")}
    for name, owner in (("x", "z"), ("y", "x"), ("z", "y")):
        w.call("PATCH", f"{maps}/{name}", {"metadata": {"ownerReferences": [
            reference(owner, uids[owner], blockOwnerDeletion=True)]}}, 200, "merge")
    w.call("DELETE", f"{maps}/x", {"propagationPolicy": "Foreground"}, 200)
    wait_for("the circle to go", lambda: all(w.code(f"{maps}/{n}") == 404 for n in "xyz"))


def sets(w):
    sets_path = "/apis/apps/v1/namespaces/default/replicasets"
    w.call("POST", "/api/v1/namespaces/default/resourcequotas",
           {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}}, 201)
    wait_for("the quota", lambda: w.call("GET", "/api/v1/namespaces/default/resourcequotas/q")
             .get("status", {}).get("used"))
    template = {"metadata": {"labels": {"app": "rs"}},
                "spec": {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]}}
    w.call("POST", sets_path, {"metadata": {"name": "rs"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": "rs"}}, "template": template}}, 201)

    def failure():
        status = w.call("GET", f"{sets_path}/rs")["status"]
        return [c for c in status.get("conditions", []) if c["type"] == "ReplicaFailure"]
    told = wait_for("the set to tell why", failure)[0]
    check_equal((told["status"], told["reason"]), ("True", "FailedCreate"), "the condition")
    check_in("exceeded quota: q", told["message"], "the condition")
    w.call("DELETE", "/api/v1/namespaces/default/resourcequotas/q", want=200)
    w.call("PATCH", f"{sets_path}/rs", {"metadata": {"labels": {"again": "now"}}}, 200, "merge")
    wait_for("the set to be well", lambda: not failure(), seconds=60)
    w.call("DELETE", f"{sets_path}/rs", {"propagationPolicy": "Background"}, 200)


def jobs(w):
    path = "/apis/batch/v1/namespaces/default/jobs"
    # Every index is evicted once; without the rule one would be enough to fail the Job.
    command = "if [ -r /data/$JOB_COMPLETION_INDEX ]; then exit 0; fi; " \
              "touch /data/$JOB_COMPLETION_INDEX; sleep 100000"
    w.call("POST", path, {"metadata": {"name": "evicted"}, "spec": {
        "parallelism": 2, "completions": 2, "completionMode": "Indexed", "backoffLimit": 0,
        "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [
            {"type": "DisruptionTarget", "status": "True"}]}]},
        "template": {"spec": {
            "restartPolicy": "Never", "nodeName": "node-1", "terminationGracePeriodSeconds": 1,
            "volumes": [{"name": "d", "hostPath": {"path": "/marks", "type": "DirectoryOrCreate"}}],
            "containers": [{"name": "c", "image": BUSYBOX, "command": ["sh", "-c", command],
                            "volumeMounts": [{"name": "d", "mountPath": "/data"}]}]}}}}, 201)
    chosen = f"{PODS}?labelSelector=job-name=evicted"

    def running():
        pods = w.call("GET", chosen)["items"]
        return len(pods) == 2 and all(p["status"].get("phase") == "Running" for p in pods) and pods
    for pod in wait_for("both to run", running):
        name = pod["metadata"]["name"]
        node_file = f"/data/{pod['metadata']['annotations']['batch.kubernetes.io/job-completion-index']}"
        wait_for("its mark", lambda: w.lab.run("exec", name, "--", "ls", node_file,
                                               check=False).returncode == 0)
        w.call("POST", f"{PODS}/{name}/eviction", {
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}, 201)
    wait_for("the Job to complete", lambda: any(
        c["type"] == "Complete" and c["status"] == "True"
        for c in w.call("GET", f"{path}/evicted")["status"].get("conditions", [])), seconds=40)


def kubelet(w):
    w.pod("late", "sleep 1000")
    w.phase("late", "Running")
    w.call("PATCH", f"{PODS}/late", {"spec": {"activeDeadlineSeconds": 1}}, 200, "merge")
    late = w.phase("late", "Failed")
    check_equal(late["status"]["reason"], "DeadlineExceeded", "a deadline set later")
    w.pod("message", "printf DONE; exit 1", restartPolicy="Never",
          container={"terminationMessagePolicy": "FallbackToLogsOnError"})
    ended = w.phase("message", "Failed")["status"]["containerStatuses"][0]["state"]["terminated"]
    check_equal(ended["message"], "DONE", "a message from a log without a newline")
    check_equal(w.log("message"), "DONE", "that log")
    w.pod("inits", "exit 0", restartPolicy="Never",
          initContainers=[{"name": "i", "image": BUSYBOX, "command": ["true"]}])
    inits = w.phase("inits", "Succeeded")["status"]["initContainerStatuses"]
    check_equal([i["ready"] for i in inits], [True], "init containers that are done")
    w.pod("hosts", "sleep 1000", volumes=[
        {"name": "h", "hostPath": {"path": "/etc/hosts", "type": "File"}}], container={
            "volumeMounts": [{"name": "h", "mountPath": "/etc/hosts"}]})
    w.pod("nodes", "sleep 1000", hostNetwork=True)
    # The pods before asked for Services a moment ago: this one sees what came before it.
    w.call("POST", "/api/v1/namespaces/default/services", {
        "metadata": {"name": "fooservice"}, "spec": {"ports": [{"port": 8765}]}}, 201)
    w.pod("links", "env", restartPolicy="Never")
    w.phase("links", "Succeeded")
    check_in("FOOSERVICE_PORT_8765_TCP_PROTO=tcp", w.log("links"), "a Service made just before")
    for name in ("hosts", "nodes"):
        w.ready(name)
        text = w.lab.out("exec", name, "--", "cat", "/etc/hosts")
        check("# Kubernetes-managed hosts file.\n" not in text, f"{name}: {text}")
        check_in("localhost", text, name)


def gates(w):
    def condition(type_):
        return next((c for c in w.get_pod("gated")["status"].get("conditions", [])
                     if c["type"] == type_), {"status": ""})

    def say(status):
        w.call("PATCH", f"{PODS}/gated/status", {"status": {"conditions": [
            {"type": "example.com/open", "status": status}]}}, 200, patch="strategic-merge")
    w.pod("gated", "sleep 1000", readinessGates=[{"conditionType": "example.com/open"}])
    wait_for("its containers", lambda: condition("ContainersReady")["status"] == "True")
    check_equal((condition("Ready")["status"], condition("Ready")["reason"]),
                ("False", "ReadinessGatesNotReady"), "a gate nobody opened")
    for status in ("True", "False"):
        say(status)
        wait_for(f"Ready {status}", lambda: condition("Ready")["status"] == status)
    check_equal(condition("example.com/open")["status"], "False", "the condition somebody else sets")
    w.pod("tuned", "sleep 1000", securityContext={
        "sysctls": [{"name": "kernel.msgmax", "value": "1"}]})
    check_equal(w.phase("tuned", "Failed")["status"]["reason"], "SysctlForbidden", "a sysctl")
    w.pod("somewhere", "sleep 1000", volumes=[{"name": "v", "emptyDir": {}}], container={
        "env": [{"name": "WHERE", "valueFrom": {"fieldRef": {
            "fieldPath": "metadata.annotations['where']"}}}],
        "volumeMounts": [{"name": "v", "mountPath": "/v", "subPathExpr": "$(WHERE)"}]})
    wait_for("its reason", lambda: [
        c["state"].get("waiting", {}) for c in w.get_pod("somewhere")["status"].get(
            "containerStatuses", [])] == [{"reason": "CreateContainerConfigError",
                                           "message": "missing value for WHERE"}])
    w.call("PATCH", f"{PODS}/somewhere", {"metadata": {"annotations": {"where": "here"}}}, 200,
           patch="merge")
    w.ready("somewhere")


def logs(w):
    try:
        import websocket
    except ImportError:
        print("there is no python3-websocket", flush=True)
        return
    w.pod("speaker", "echo container is alive; sleep 1000")
    w.says("speaker", "container is alive")

    def read(protocol):
        found = websocket.create_connection(
            f"wss://127.0.0.1:{w.lab.ports[0]}{PODS}/speaker/log?container=c", timeout=10,
            sslopt={"context": w.lab._tls()}, subprotocols=[protocol])
        try:
            while True:
                kind, data = found.recv_data()
                if data:
                    return kind, data
        finally:
            found.close()
    check_equal(read("binary.k8s.io"), (websocket.ABNF.OPCODE_BINARY, b"container is alive\n"),
                "the log in binary messages")
    check_equal(read("base64.binary.k8s.io"),
                (websocket.ABNF.OPCODE_TEXT, b"Y29udGFpbmVyIGlzIGFsaXZlCg=="), "in base64")


def programs(w):
    def run(name, *args):
        w.pod(name, image=AGNHOST, restartPolicy="Never",
              container={"args": list(args)} if args else {})
    run("paused")
    w.says("paused", "Paused")
    run("entry", "entrypoint-tester", "override", "arguments")
    w.says("entry", "[/agnhost entrypoint-tester override arguments]")
    w.pod("mounts", image=AGNHOST, restartPolicy="Never",
          volumes=[{"name": "v", "emptyDir": {}}], container={
              "args": ["mounttest", "--new_file_0644=/v/f", "--file_perm=/v/f", "--file_mode=/v",
                       "--file_owner=/v/f"],
              "volumeMounts": [{"name": "v", "mountPath": "/v"}]})
    w.phase("mounts", "Succeeded")
    w.says("mounts", 'perms of file "/v/f": -rw-r--r--', 'mode of file "/v": drwxrwxrwx',
           'content of file "/v/f": mount-tester new file', 'owner UID of "/v/f": 0')
    for name, port in (("server", "8083"), ("asker", "9080")):
        run(name, "netexec", f"--http-port={port}", "--udp-port=8081")
    address = {name: w.ready(name)["status"]["podIP"] for name in ("server", "asker")}
    for protocol, port in (("http", 8083), ("udp", 8081)):
        def dial():
            got = w.lab.run(
                "exec", "asker", "--", "curl", "-s",
                f"http://{address['asker']}:9080/dial?request=hostname&protocol={protocol}"
                f"&host={address['server']}&port={port}&tries=1", check=False)
            return got.returncode == 0 and json.loads(got.stdout) == {"responses": ["server"]}
        wait_for(f"an answer by {protocol}", dial)
    w.pod("porter", image=AGNHOST, container={
        "args": ["porter", "--json-response"], "env": [{"name": "SERVE_PORT_80", "value": "foo"}]})
    w.ready("porter")
    for method in ("GET", "POST", "DELETE"):
        wait_for(f"the proxy with {method}", lambda: w.lab.api(
            method, f"{PODS}/porter/proxy/some/path") == (200, {"Method": method, "Body": "foo"}))
    run("chatter", "logs-generator", "--log-lines-total=20", "--run-duration=1s")
    w.phase("chatter", "Succeeded")
    check_equal(w.log("chatter").count("/api/v1/namespaces/"), 20, "lines of the generator")


def conformance():
    with Lab(replicas=1, nodes=2, runtime="process") as lab:
        w = World(lab)
        code, answer = lab.api(
            "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}},
            headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
        check_equal((code, answer["reason"]), (406, "NotAcceptable"), "a review as a table")
        for part in (owners, sets, jobs, kubelet, gates, logs, programs):
            at = time.monotonic()
            part(w)
            print(f"ok {part.__name__} ({time.monotonic() - at:.1f} s)", flush=True)


if __name__ == "__main__":
    main([conformance], limit=230)
