#!/usr/bin/env python3
"""What the cluster tells of its usage: the kubelets' pages and who may read them.

    metrics.py [NAME of a part ...]
"""
import http.client
import json
import re
import ssl
import sys

from lab import Lab, check, check_equal, check_in, main, wait_for

BUSY = """
apiVersion: v1
kind: Pod
metadata: {name: busy, labels: {app: busy}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: spin, image: busybox, command: [sh, -c, "while :; do :; done"]}
  - {name: idle, image: busybox, command: [sleep, "1000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: scripted, labels: {app: scripted}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: db, image: postgres}]
"""


def samples(page, name):
    """{labels as a dict's items: value} of one family of a page of Prometheus text."""
    found = {}
    for line in page.splitlines():
        match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)(?: (\d+))?", line)
        if match and match[1] == name:
            labels = tuple(sorted(re.findall(r'(\w+)="([^"]*)"', match[2] or "")))
            found[labels] = float(match[3])
    return found


def of(pod, container=None):
    labels = {"pod": pod, "namespace": "default"}
    if container:
        labels["container"] = container
    return tuple(sorted(labels.items()))


def node_of(lab, pod):
    return lab.get("pod", pod)["spec"]["nodeName"]


def kubelet_pages(lab):
    lab.kubectl("apply", "-f", "-", stdin=BUSY)
    for pod in ("busy", "scripted"):
        lab.kubectl("wait", "--for=condition=Ready", f"pod/{pod}", "--timeout=30s")
    node = node_of(lab, "busy")
    raw = f"/api/v1/nodes/{node}/proxy"

    def cpu():
        page = lab.out("get", "--raw", raw + "/metrics/resource")
        return samples(page, "container_cpu_usage_seconds_total")[of("busy", "spin")]
    wait_for("it has used CPU", lambda: cpu() > 0.2)
    first = cpu()
    wait_for("the counter rises", lambda: cpu() > first)
    page = lab.out("get", "--raw", raw + "/metrics/resource")
    memory = samples(page, "container_memory_working_set_bytes")
    check(memory[of("busy", "idle")] > 10000, f"memory of a process: {memory}")
    check(samples(page, "pod_cpu_usage_seconds_total")[of("busy")] >= first, "of the pod")
    check(samples(page, "node_cpu_usage_seconds_total")[()] >= first, "of the node")
    check_equal(samples(page, "resource_scrape_error"), {(): 0.0}, "errors")

    scripted = node_of(lab, "scripted")
    page = lab.out("get", "--raw", f"/api/v1/nodes/{scripted}/proxy/metrics/resource")
    wait_for("its curve", lambda: samples(
        lab.out("get", "--raw", f"/api/v1/nodes/{scripted}/proxy/metrics/resource"),
        "container_memory_working_set_bytes")[of("scripted", "db")] == 30 << 20, 20)

    summary = json.loads(lab.out("get", "--raw", raw + "/stats/summary"))
    check_equal(summary["node"]["nodeName"], node, "the summary's node")
    pod = [p for p in summary["pods"] if p["podRef"]["name"] == "busy"][0]
    check_equal(sorted(c["name"] for c in pod["containers"]), ["idle", "spin"], "containers")
    check(pod["cpu"]["usageNanoCores"] > 10**7, f"rate: {pod['cpu']}")
    pods = json.loads(lab.out("get", "--raw", raw + "/pods"))
    check("busy" in [p["metadata"]["name"] for p in pods["items"]], "/pods")
    check(all(p["spec"]["nodeName"] == node for p in pods["items"]), "/pods of one node")
    page = lab.out("get", "--raw", raw + "/metrics")
    check(samples(page, "kubelet_running_pods")[()] >= 1, "kubelet_running_pods")
    check_equal(samples(page, "kubelet_node_name"), {(("node", node),): 1.0}, "kubelet_node_name")
    page = lab.out("get", "--raw", raw + "/metrics/cadvisor")
    cadvisor = {(dict(labels)["namespace"], dict(labels)["pod"], dict(labels)["container"]): value
                for labels, value in samples(page, "container_memory_working_set_bytes").items()}
    check(cadvisor[("default", "busy", "idle")] > 10000, f"cAdvisor's names: {cadvisor}")
    check(cadvisor[("", "", "")] > 200 << 20, "the whole node")
    config = json.loads(lab.out("get", "--raw", raw + "/configz"))["kubeletconfig"]
    check_equal(config["maxPods"], 110, "configz")


def kubelet_rights(lab):
    """Tokens at the node's own port."""
    node = lab.get("node", "node-1")
    address = node["status"]["addresses"][0]["address"]
    port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    context = ssl.create_default_context(cafile=lab.dir + "/pki/ca.crt")

    def ask(path, token=None):
        connection = http.client.HTTPSConnection(address, port, timeout=10, context=context)
        headers = {"Authorization": "Bearer " + token} if token else {}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text
    lab.kubectl("create", "serviceaccount", "scraper")
    lab.kubectl("create", "clusterrole", "scraper", "--verb=get", "--resource=nodes/metrics")
    lab.kubectl("create", "clusterrolebinding", "scraper", "--clusterrole=scraper",
                "--serviceaccount=default:scraper")
    token = lab.out("create", "token", "scraper").strip()
    who = "system:serviceaccount:default:scraper"
    for path in ("/metrics", "/metrics/resource"):
        check_equal(ask(path, token)[0], 200, path)
    check_equal(ask("/stats/summary", token),
                (403, f"Forbidden (user={who}, verb=get, resource=nodes, subresource(s)=[stats])\n"),
                "/stats/summary")
    check_equal(ask("/pods", token),
                (403, f"Forbidden (user={who}, verb=get, resource=nodes, "
                      "subresource(s)=[pods proxy])\n"), "/pods")
    check_equal(ask("/metrics"), (401, "Unauthorized"), "nobody")
    check_equal(ask("/healthz"), (401, "Unauthorized"), "nobody")
    check_equal(ask("/metrics", "x" + token), (401, "Unauthorized"), "a bad token")
    refused = lab.run("get", "--raw", "/api/v1/nodes/node-1/proxy/metrics", f"--as={who}",
                      check=False)
    check_in("cannot get resource \"nodes/proxy\"", refused.stderr, "the proxy needs nodes/proxy")


def two_rounds(lab, pod):
    """Until the metrics server has seen the pod twice."""
    return wait_for(f"metrics of {pod}", lambda: lab.api(
        "GET", f"/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/{pod}")[0] == 200, 40)


def metrics_api(lab):
    """metrics.k8s.io by get and list, for whom it is, and how its tables look."""
    check_in("metrics.k8s.io/v1beta1", lab.out("api-versions"), "api-versions")
    wait_for("the APIService is there", lambda: " ".join(lab.out(
        "get", "apiservice", "v1beta1.metrics.k8s.io", "--no-headers").split()[:3]) ==
        "v1beta1.metrics.k8s.io kube-system/metrics-server True")
    two_rounds(lab, "busy")
    code, pod = lab.api("GET", "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/busy")
    check_equal([c["name"] for c in pod["containers"]], ["idle", "spin"], "containers")
    check_equal((pod["kind"], pod["metadata"]["labels"]), ("PodMetrics", {"app": "busy"}), "pod")
    spin = pod["containers"][1]["usage"]
    check(re.fullmatch(r"\d+[nmu]?", spin["cpu"]), f"usage: {spin}")
    check(re.fullmatch(r"\d+(Ki|Mi)", spin["memory"]), f"usage: {spin}")
    nodes = lab.get("nodes.metrics.k8s.io")["items"]
    check_equal([n["metadata"]["name"] for n in nodes], ["node-1", "node-2"], "nodes")
    two_rounds(lab, "scripted")
    table = lab.out("get", "pods.metrics.k8s.io", "-l", "app=scripted")
    check_equal(table.splitlines()[0].split(), ["NAME", "CPU", "MEMORY", "WINDOW"], "columns")

    def settled():
        """Its curve says 3m, from its third second on."""
        row = lab.out("get", "pods.metrics.k8s.io", "-l", "app=scripted").splitlines()[1]
        used = re.match(r"scripted +(\d+)n +30Mi ", row)
        return used and 2_900_000 < int(used[1]) < 3_100_000
    wait_for("what its curve says", settled, 40)
    lab.refused("get", "pods.metrics.k8s.io", "none", text='(NotFound): pods "none" not found')
    lab.refused("get", "pods.metrics.k8s.io", "--field-selector=spec.nodeName=node-1",
                text='"spec.nodeName" is not a known field selector: only "metadata.name", '
                     '"metadata.namespace"')
    lab.kubectl("create", "namespace", "quiet")
    lab.kubectl("create", "serviceaccount", "viewer")
    who = "--as=system:serviceaccount:default:viewer"
    lab.refused("get", "pods.metrics.k8s.io", who,
                text='pods.metrics.k8s.io is forbidden: User "system:serviceaccount:default:viewer"'
                     ' cannot list resource "pods" in API group "metrics.k8s.io" in the namespace '
                     '"default"')
    lab.kubectl("create", "rolebinding", "viewer", "--clusterrole=view",
                "--serviceaccount=default:viewer")
    wait_for("view is enough", lambda: lab.run(
        "get", "pods.metrics.k8s.io", who, check=False).returncode == 0)
    lab.refused("get", "nodes.metrics.k8s.io", who, text="forbidden")
    check(lab.run("delete", "pods.metrics.k8s.io", "busy", check=False).returncode != 0, "delete")


def shape(text):
    """A table whose figures move: numbers and what fills the columns put away."""
    return [re.sub(r"\d+(m|Mi|%)", "N", re.sub(r" +", " ", line)) for line in text.splitlines()]


def top(lab):
    """Stock kubectl and mini-kubectl side by side."""
    two_rounds(lab, "scripted")
    check(re.search(r"busy +spin +[1-9]\d+m +\d+Mi", lab.out("top", "pods", "--containers")),
          "a pod that spins")
    lines = lab.out("top", "pod", "--sort-by=cpu").splitlines()
    check(lines[1].startswith("busy"), f"most first: {lines}")
    for line in (["top", "nodes"], ["top", "node", "node-1"], ["top", "no", "--no-headers"],
                 ["top", "nodes", "--show-capacity"], ["top", "nodes", "--sort-by=memory"],
                 ["top", "pods"], ["top", "pod", "busy", "--containers"], ["top", "pods", "-A"],
                 ["top", "pods", "-A", "--containers", "--sum"], ["top", "pods", "--sum"],
                 ["top", "po", "-l", "app=busy"], ["top", "pods", "--no-headers", "--sort-by=cpu"],
                 ["top", "pods", "--field-selector=metadata.name=busy"]):
        check_equal(shape(lab.out(*line, client="mini-kubectl")), shape(lab.out(*line)),
                    " ".join(line))
    for line in (["top", "pods", "-n", "quiet"], ["top", "pod", "none"], ["top", "node", "none"],
                 ["top", "pods", "--sort-by=age"], ["top", "pod", "busy", "-l", "a=b"],
                 ["top", "node", "node-1", "-l", "a=b"], ["top", "nodes", "-l", "a=b"]):
        stock, mini = (lab.run(*line, check=False, client=c) for c in ("kubectl", "mini-kubectl"))
        check_equal((mini.returncode, mini.stdout, mini.stderr),
                    (stock.returncode, stock.stdout, stock.stderr), " ".join(line))


def without_server(lab):
    """What clients see when it is away, and when it was never registered."""
    lab.stop("metrics-server-1")
    wait_for("the APIService knows", lambda: "False" in lab.out(
        "get", "apiservice", "v1beta1.metrics.k8s.io"), 60)
    check_equal(lab.api("GET", "/apis/metrics.k8s.io/v1beta1/nodes")[0], 503, "away")
    lab.up()
    wait_for("it is back", lambda: lab.run("top", "nodes", check=False).returncode == 0, 60)
    lab.kubectl("delete", "apiservice", "v1beta1.metrics.k8s.io")
    wait_for("the group is gone", lambda: "metrics.k8s.io" not in lab.out("api-versions"))
    for client in ("kubectl", "mini-kubectl"):
        lab.refused("top", "nodes", text="error: Metrics API not available\n", client=client)
        lab.refused("top", "pods", text="error: Metrics API not available\n", client=client)


PARTS = [kubelet_pages, kubelet_rights, metrics_api, top, without_server]


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.argv[1:] = []

    def metrics():
        with Lab(replicas=1, nodes=2, metrics=True) as lab:
            for part in PARTS:
                if not wanted or part.__name__ in wanted:
                    part(lab)
                    print(f"  {part.__name__}", flush=True)
    main([metrics], limit=230)
