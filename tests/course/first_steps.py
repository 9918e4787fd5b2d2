#!/usr/bin/env python3
"""Course: the first hour. Pods, Deployments and Services by command, looking at them, filters and
output formats, documentation, and what an administrator checks in a new cluster."""
import json
import os
import re
import subprocess

from student import check, check_equal, check_in, course, curl, free_port, stop

POD = """
apiVersion: v1
kind: Pod
metadata: {name: harbour, labels: {app: harbour}}
spec:
  containers:
  - {name: web, image: "nginx:1.25", ports: [{containerPort: 80}]}
"""


def by_command(me):
    """Pods, a Service and Deployments without a manifest."""
    me("run", "webpage", "--image=nginx")
    me("run", "database", "--image=redis", "--labels=tier=database")
    me("expose", "pod", "database", "--port=6379", "--name=redis-service", "--type=ClusterIP")
    me("create", "deployment", "web-deployment", "--image=nginx", "--replicas=3")
    me("rollout", "status", "deployment/web-deployment", "--timeout=60s")
    me.ready("pod/webpage", "pod/database")
    check_in("3/3", me("get", "deployments"), "the Deployment's line")
    check_equal(len(me.names("pods", "-l", "app=web-deployment")), 3, "its pods")
    other = f"my-test-{me.tag}"
    me("create", "namespace", other)
    me("create", "deployment", "redis-deploy", "-n", other, "--image=redis", "--replicas=2")
    me("rollout", "status", "deployment/redis-deploy", "-n", other, "--timeout=60s")
    check(not [n for n in me.names("pods") if n.startswith("redis-deploy")], "not in this namespace")
    # The Service is a name for whoever asks from inside.
    me("exec", "webpage", "--", "sh", "-c", "exec 3<>/dev/null; echo PING | nc redis-service 6379 | head -1")
    check_in("PONG", me("exec", "database", "--", "redis-cli", "-h", "redis-service", "ping"), "redis")
    me("delete", "namespace", other, "--wait=false")


def from_a_file(me):
    """create -f, and the object as the cluster keeps it."""
    me("create", "-f", me.file("pod.yaml", POD))
    me.fails("create", "-f", os.path.join(me.dir, "pod.yaml"), says='pods "harbour" already exists')
    me.ready("pod/harbour")
    text = me("get", "pod", "harbour", "-o", "yaml")
    for part in ("kind: Pod", "uid: ", "phase: Running", "image: nginx:1.25"):
        check_in(part, text, "the YAML")
    check_equal(me.sh("cat pod.yaml | kubectl apply -f - --dry-run=server -o name").strip(),
                "pod/harbour", "from standard input")
    me("delete", "-f", os.path.join(me.dir, "pod.yaml"), "--now")
    me.fails("get", "pod", "harbour", says='pods "harbour" not found')


def labels_and_fields(me):
    me("run", "one", "--image=nginx", "--labels=app=shop,tier=front")
    me("run", "two", "--image=nginx", "--labels=app=shop,tier=back")
    me("run", "three", "--image=nginx:no-such-tag", "--labels=app=blog")
    me.ready("pod/one", "pod/two")
    me("label", "pods", "one", "env=prod")
    check_in("app=shop,env=prod,tier=front", me("get", "pods", "--show-labels"), "--show-labels")
    check_in("ENV", me("get", "pods", "-L", "env").upper(), "a column for a label")
    for selector, want in [("app=shop", ["one", "two"]), ("tier!=front", ["three", "two"]),
                           ("tier in (front,back),env", ["one"]), ("!tier", ["three"])]:
        check_equal(me.names("pods", "-l", selector), want, selector)
    for selector, want in [
            ("status.phase=Running", ["one", "two"]), ("status.phase!=Running", ["three"]),
            (f"status.phase=Running,metadata.namespace={me.ns}", ["one", "two"]),
            ("metadata.name=one", ["one"])]:
        check_equal(me.names("pods", "--field-selector", selector), want, selector)
    all_services = me("get", "services", "-A", "--field-selector", "metadata.namespace=default")
    check_in("kubernetes", all_services, "services of a namespace")
    me.fails("get", "pods", "--field-selector", "spec.image=x", says="field label not supported")
    me("annotate", "pod", "one", "my.corp/note=logo")
    check_equal(me.field(r".metadata.annotations.my\.corp/note", "pod", "one"), "logo", "annotation")
    me("label", "pods", "one", "env-")
    check_equal(me.names("pods", "-l", "env"), [], "a label taken away")
    me.fails("label", "pods", "one", "tier=x", says="already has a value (front), and --overwrite is false")


def formats(me):
    """The tricks with -o: jsonpath, custom columns, sorting, templates."""
    me("create", "deployment", "hull", "--image=nginx", "--replicas=2")
    me("run", "mast", "--image=busybox:1.28", "--restart=Never", "--", "sleep", "3600")
    me("rollout", "status", "deployment/hull", "--timeout=60s")
    me.ready("pod/mast")
    got = me("get", "pods", "-o", "custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image",
             "--sort-by=.metadata.name").splitlines()
    check(re.match(r"NAME\s+IMAGE$", got[0]) and re.match(r"mast\s+busybox:1.28$", got[-1]), got)
    ips = me("get", "pods", "-o", "jsonpath={.items[*].status.podIP}").split()
    check(len(ips) == 3 and len(set(ips)) == 3, f"an address each: {ips}")
    lines = me("get", "pods", "-o",
               r'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.phase}{"\n"}{end}')
    check_in("mast\tRunning\n", lines, "range")
    check_equal(me("get", "pods", "-o", "jsonpath={.items[?(@.spec.restartPolicy=='Never')].metadata.name}"),
                "mast", "a filter")
    ages = me("get", "pods", "--sort-by=.metadata.creationTimestamp", "--no-headers",
              "-o", "custom-columns=N:.metadata.name").split()
    check_equal(len(ages), 3, "sorted by age")
    check_equal(me("get", "pod", "mast", "-o", "go-template={{.spec.nodeName}}"),
                me.field(".spec.nodeName", "pod", "mast"), "a template")
    check_in("deployment.apps/hull", me("get", "all", "-o", "name"), "-o name")
    check_in("NOMINATED NODE", me("get", "pods", "-o", "wide"), "-o wide")
    check_equal(me.sh("kubectl get pods -o json | jq -r '.items[] | select(.spec.restartPolicy | "
                      "contains(\"Never\")) | .metadata.name'").strip(), "mast", "jq")


def lifecycle(me):
    """What STATUS says of pods that run, end, fail, and cannot start."""
    me("run", "done", "--image=busybox", "--restart=Never", "--", "true")
    me("run", "failed", "--image=busybox", "--restart=Never", "--", "sh", "-c", "exit 3")
    me("run", "crashing", "--image=busybox", "--", "sh", "-c", "echo oops; exit 1")
    me("run", "nowhere", "--image=nginx:does-not-exist")
    me.until("Completed", lambda: "Completed" in me("get", "pod", "done"))
    me.until("Error", lambda: "Error" in me("get", "pod", "failed"))
    me.until("CrashLoopBackOff", lambda: "CrashLoopBackOff" in me("get", "pod", "crashing"))
    me.until("ImagePullBackOff", lambda: me.reason("nowhere") == "ImagePullBackOff")
    check_equal(me.field(".status.phase", "pod", "done"), "Succeeded", "phase")
    check_equal(me.field(".status.containerStatuses[0].state.terminated.exitCode", "pod", "failed"), "3",
                "exit code")
    check_in("oops", me("logs", "crashing", "-p"), "the run before")
    events = me.sh("kubectl describe pod nowhere | grep -i events -A 10")
    check_in("Failed to pull image", events, "the last events")
    check_in("Back-off restarting failed container", me("describe", "pod", "crashing"), "describe")


def checklist(me):
    """The tests by hand that everything of a cluster works."""
    me("create", "deployment", "nginx", "--image=nginx")
    me("rollout", "status", "deployment/nginx", "--timeout=60s")
    pod = me.names("pods")[0]
    port = free_port()
    forward = me.start("port-forward", pod, f"{port}:80")
    try:
        head = me.until("the forwarded port", lambda: curl("--head", f"http://127.0.0.1:{port}")[0])
        check_in("200 OK", head, "through the forwarded port")
        check(re.search(r"^Server: nginx/\d", head, re.M), f"nginx says its version: {head}")
    finally:
        stop(forward)
    me.until("the log", lambda: '"HEAD / HTTP/1.1" 200' in me("logs", pod))
    done = me.run("exec", "-i", pod, "--", "nginx", "-v")
    check_in("nginx version: nginx/", done.stdout + done.stderr, "a command in the pod")
    me("expose", "deployment", "nginx", "--port", "80", "--type", "NodePort")
    node_port = me.field(".spec.ports[0].nodePort", "service", "nginx")
    me.until("the node port", lambda: "200 OK" in curl("-I", f"localhost:{node_port}")[0])
    nodes = me.sh("kubectl get nodes --no-headers | awk '{print $2}'").split()
    check(nodes and set(nodes) == {"Ready"}, f"all nodes are Ready: {nodes}")
    for part in ("Capacity:", "Allocatable:", "Non-terminated Pods:", "Allocated resources:"):
        check_in(part, me("describe", "nodes"), "describe nodes")
    check_in("Started container nginx", me("describe", "pods"), "describe pods")


def busybox_by_the_way(me):
    """A pod for one command, gone when it ends."""
    me("create", "deployment", "site", "--image=nginx")
    me("expose", "deployment", "site", "--port=80")
    me("rollout", "status", "deployment/site", "--timeout=60s")
    me.until("its endpoint", lambda: me.field(".subsets[*].addresses[*].ip", "endpoints", "site"))
    said = me("run", "debug", "-i", "--rm", "--image=busybox", "--restart=Never", "--", "sh",
              stdin="wget -qO- http://site\nexit\n")
    check_in("Welcome to nginx!", said, "from the shell")
    said = me("run", "debug", "-i", "--rm", "--image=radial/busyboxplus:curl", "--restart=Never", "--",
              "curl", "-s", "http://site")
    check_in("Welcome to nginx!", said, "curl")
    check_equal(me.names("pods", "-l", "run=debug"), [], "it is gone")
    me("run", "rand", "--image=busybox", "--", "sh", "-c", "echo ready > /root/rand; while true; do echo tick; sleep 1; done")
    me.ready("pod/rand")
    me("cp", f"{me.ns}/rand:/root/rand", "copy")
    with open(os.path.join(me.dir, "copy")) as f:
        check_equal(f.read(), "ready\n", "a file copied out")
    me("cp", "copy", "rand:/tmp/back")
    check_equal(me("exec", "rand", "--", "cat", "/tmp/back"), "ready\n", "and in")
    attached = me.start("attach", "rand")
    line = ""
    while "tick" not in line:  # the process's end would end this too
        line = attached.stdout.readline()
        check(line != "", "attach ended")
    stop(attached)


def documentation(me):
    check_in("deployments", me("api-resources"), "api-resources")
    check_in("apps/v1", me("api-versions"), "api-versions")
    wide = me("api-resources", "-o", "wide")
    check(re.search(r"^pods\s+po\s+v1\s+true\s+Pod\s+create,delete", wide, re.M), wide[:300])
    check_equal(me.sh("kubectl api-resources | grep -i deploy | awk '{print $3}'").strip(), "apps/v1",
                "the group of deployments")
    text = me("explain", "pods.spec.containers")
    for part in ("KIND:", "VERSION:", "image\t<string>", "-required-"):
        check_in(part, text, "explain")
    check_in("livenessProbe\t<Probe>", me("explain", "pods.spec.containers", "--recursive"), "--recursive")
    check_in("CustomResourceDefinition", me("explain", "crd"), "a short name")
    check_in("Server Version", me("version"), "version")
    check_in("is running at https://127.0.0.1", me("cluster-info"), "cluster-info")
    done = me.run("get", "nodes", "-v", "6")
    check_in("GET https://", done.stderr, "-v 6 shows the requests")
    check_in("200 OK", done.stderr, "and their answers")
    check_in('"kind":', me.run("get", "nodes", "-v", "99").stderr, "-v 99 shows the bodies")


def look_around(me):
    """What a new administrator looks at."""
    for what in ("nodes", "namespaces"):
        check(len(me("get", what).splitlines()) > 1, what)
    for what in ("configmaps", "secrets", "pods", "services", "deployments", "events", "ingress"):
        me("get", what, "-A")
    check_in("kube-root-ca.crt", me("get", "configmaps", "-A"), "the cluster's own")
    check_equal(set(me.names("namespaces")) >= {"default", "kube-system", "kube-public",
                                                "kube-node-lease"}, True, "namespaces")
    me("run", "seen", "--image=nginx")
    me.ready("pod/seen")
    sorted_events = me("get", "events", "--sort-by=.metadata.creationTimestamp")
    check_in("Scheduled", sorted_events, "events in their order")
    check_in("holderIdentity", me("get", "lease", "kube-scheduler", "-n", "kube-system", "-o", "yaml"),
             "who leads among the schedulers")
    context = me("config", "current-context").strip()
    me("config", "use-context", context)
    check_in(me.ns, me("config", "get-contexts"), "the context's namespace")
    check_in("certificate-authority-data: DATA+OMITTED", me("config", "view"), "config view hides keys")


def without_a_client(me):
    """The API with curl: a certificate, JSON in, a stream of events out."""
    config = json.loads(me("config", "view", "--raw", "-o", "json"))
    server = config["clusters"][0]["cluster"]["server"]
    pki = os.path.join(me.lab.dir, "pki")
    auth = ["--cert", f"{pki}/admin.crt", "--key", f"{pki}/admin.key", "--cacert", f"{pki}/ca.crt"]
    pods = f"{server}/api/v1/namespaces/{me.ns}/pods"
    check_equal(json.loads(curl(*auth, pods)[0])["kind"], "PodList", "a list")
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "posted"},
           "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    made = json.loads(curl(*auth, pods, "-H", "Content-Type: application/json", "-d", json.dumps(pod))[0])
    check_equal(made["metadata"]["name"], "posted", "POST")
    patch = json.loads(curl(*auth, f"{pods}/posted", "-X", "PATCH", "-H",
                            "Content-Type: application/merge-patch+json",
                            "-d", '{"metadata":{"labels":{"by":"curl"}}}')[0])
    check_equal(patch["metadata"]["labels"], {"by": "curl"}, "PATCH")
    watch = subprocess.Popen(["curl", "-sN", *auth, f"{server}/api/v1/nodes?watch=true"],
                             stdout=subprocess.PIPE, text=True)
    try:
        event = json.loads(watch.stdout.readline())
    finally:
        watch.kill()
        watch.communicate()
    check_equal((event["type"], event["object"]["kind"]), ("ADDED", "Node"), "a watch")
    curl(*auth, f"{pods}/posted", "-X", "DELETE")
    me.until("DELETE", lambda: me.names("pods") == [])


if __name__ == "__main__":
    course([by_command, from_a_file, labels_and_fields, formats, lifecycle, checklist,
            busybox_by_the_way, documentation, look_around, without_a_client])
