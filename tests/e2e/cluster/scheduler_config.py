#!/usr/bin/env python3
"""A second scheduler beside the lab's, told by KubeSchedulerConfiguration files: wrong ones end it
with upstream's words; profiles, weights, gates and an extender of ours change where pods go.
"""

import http.server
import json
import os
import subprocess
import threading

from lab import BIN, Lab, check, check_equal, check_in, main, wait_for

HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s}
spec:
  schedulerName: %(scheduler)s
  containers: [{name: c, image: nginx, resources: {requests: {cpu: "%(cpu)s"}}}]
"""


class Extender(http.server.BaseHTTPRequestHandler):
    """Loves the node its server names, and refuses another."""
    def do_POST(self):
        args = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        server.asked.append((self.path, args))
        if self.path == "/sched/filter":
            names = [n["metadata"]["name"] for n in args["Nodes"]["items"]]
            kept = [n for n in args["Nodes"]["items"]
                    if n["metadata"]["name"] not in server.refused]
            answer = {"Nodes": {"items": kept},
                      "FailedNodes": {n: "refused by the extender" for n in names
                                      if n in server.refused}}
        elif self.path == "/sched/prioritize":
            answer = [{"Host": n["metadata"]["name"],
                       "Score": 10 if n["metadata"]["name"] == server.loved else 0}
                      for n in args["Nodes"]["items"]]
        else:
            self.send_error(404)
            return
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Scheduler:
    """One more scheduler of the lab, with a file of its own."""
    def __init__(self, lab, text):
        self.file = os.path.join(lab.root, "scheduler.yaml")
        with open(self.file, "w") as f:
            f.write(HEAD + text)
        self.command = [os.path.join(BIN, "scheduler"), "--config", self.file, "--kubeconfig",
                        os.path.join(lab.dir, "pki", "scheduler.kubeconfig")]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *ignored):
        self.process.terminate()
        self.process.wait(10)
        self.process.stderr.close()

    def refused(self):
        done = subprocess.run(self.command, capture_output=True, text=True, timeout=20)
        check_equal(done.returncode, 2, "exit code for a wrong file")
        return done.stderr


def apply(lab, name, scheduler, cpu="100m"):
    lab.kubectl("apply", "-f", "-", stdin=POD % locals())


def node_of(lab, name):
    return wait_for(f"{name} is placed", lambda: lab.get("pod", name)["spec"].get("nodeName"))


def told(lab, name, text):
    def messages():
        found = lab.get("events", "--field-selector",
                        f"involvedObject.name={name},reason=FailedScheduling")
        return text in "\n".join(e["message"] for e in found["items"])
    wait_for(f"{name} is told {text}", messages)


def wrong_files(lab):
    for text, message in (
            ("profiles: [{schedulerName: a, plugin: {}}]",
             'strict decoding error: unknown field "profiles[0].plugin"'),
            ("profiles: [{schedulerName: a, percentageOfNodesToScore: 200}]",
             "profiles[0].percentageOfNodesToScore: Invalid value: 200: not in valid range [0-100]"),
            ("profiles: [{plugins: {filter: {enabled: [{name: Nope}]}}}]",
             "initializing profiles: creating profile for scheduler name default-scheduler: "
             'FilterPlugin "Nope" does not exist'),
            ("extenders: [{urlPrefix: 'ftp://x', filterVerb: f}]", "extenders[0]")):
        check_in(message, Scheduler(lab, text).refused(), "what a wrong file is told")


def packing(lab):
    """Another scoring strategy packs what the default spreads."""
    with Scheduler(lab, """
leaderElection: {leaderElect: false}
profiles:
- schedulerName: packer
  plugins:
    score: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesFit}]}
    preScore: {disabled: [{name: '*'}]}
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}
"""):
        nodes = set()
        for i in range(4):
            apply(lab, f"packed-{i}", "packer", "500m")
            nodes.add(node_of(lab, f"packed-{i}"))
        check_equal(len(nodes), 1, "nodes of packed pods")
    lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")


def extender(lab):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Extender)
    server.asked, server.loved, server.refused = [], "node-2", {"node-1"}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/sched"
    text = f"""
leaderElection: {{leaderElect: false}}
profiles: [{{schedulerName: extended}}]
extenders: [{{urlPrefix: '{url}', filterVerb: filter, prioritizeVerb: prioritize, weight: 10}}]
"""
    try:
        with Scheduler(lab, text):
            for i in range(3):
                apply(lab, f"extended-{i}", "extended")
                check_equal(node_of(lab, f"extended-{i}"), "node-2", "the node the extender loves")
            path, args = server.asked[0]
            check_equal(path, "/sched/filter", "first question")
            check_equal(args["Pod"]["metadata"]["name"], "extended-0", "the pod it is asked about")
            check("status" in args["Nodes"]["items"][0], "it is shown whole nodes")
            server.refused = {"node-1", "node-2", "node-3"}
            apply(lab, "nowhere", "extended")
            told(lab, "nowhere", "0/3 nodes are available: 3 refused by the extender. preemption:")
            server.refused = set()
            lab.kubectl("label", "node", "node-3", "any=change")
            check_equal(node_of(lab, "nowhere"), "node-2", "once it is let")
            server.shutdown()
            server.server_close()
            apply(lab, "waits", "extended")
            told(lab, "waits", f'Post "{url}/filter": dial tcp')
    finally:
        server.shutdown()
        server.server_close()


def gates(lab):
    lab.kubectl("apply", "-f", "-", stdin="""
apiVersion: v1
kind: Pod
metadata: {name: gated}
spec:
  schedulingGates: [{name: example.com/wait}]
  containers: [{name: c, image: nginx}]
""")
    check_in("SchedulingGated", lab.out("get", "pod", "gated"), "STATUS of a gated pod")
    lab.kubectl("patch", "pod", "gated", "--type=merge", "-p", '{"spec":{"schedulingGates":null}}')
    node_of(lab, "gated")


PARTS = (wrong_files, packing, extender, gates)


def scheduler_config():
    with Lab(replicas=1) as lab:
        for part in PARTS:
            part(lab)
            print(f"  {part.__name__}", flush=True)


if __name__ == "__main__":
    main([scheduler_config], limit=150)
