#!/usr/bin/env python3
"""Debian's Prometheus scrapes every daemon of a lab, and promtool judges the pages."""
import json
import os
import shutil
import signal
import subprocess
import urllib.parse
import urllib.request

from lab import BIN, Lab, check, check_equal, free_port, main, skip, wait_for

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  %s
  containers: [{name: c, image: nginx}]
"""

CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
"""

JOB = """
- job_name: %(name)s
  scheme: %(scheme)s
  metrics_path: %(path)s
  tls_config:
    cert_file: %(pki)s/admin.crt
    key_file: %(pki)s/admin.key
    insecure_skip_verify: true
  static_configs: [{targets: ["%(target)s"]}]
"""

# Upstream's names that dashboards and alerts are made of: daemon -> {name: type}.
WANTED = {
    "apiserver": {"apiserver_request_total": "counter",
                  "apiserver_request_duration_seconds": "histogram",
                  "apiserver_current_inflight_requests": "gauge",
                  "apiserver_storage_objects": "gauge",
                  "apiserver_flowcontrol_dispatched_requests_total": "counter"},
    "scheduler": {"scheduler_schedule_attempts_total": "counter",
                  "scheduler_pending_pods": "gauge",
                  "scheduler_scheduling_algorithm_duration_seconds": "histogram"},
    "controller-manager": {"workqueue_adds_total": "counter", "workqueue_depth": "gauge",
                           "workqueue_retries_total": "counter",
                           "workqueue_queue_duration_seconds": "histogram",
                           "workqueue_work_duration_seconds": "histogram"},
    "kvstore": {"etcd_server_has_leader": "gauge", "etcd_server_is_leader": "gauge",
                "etcd_server_leader_changes_seen_total": "counter",
                "etcd_server_proposals_committed_total": "gauge",
                "etcd_mvcc_db_total_size_in_bytes": "gauge"},
    "kubelet": {"kubelet_running_pods": "gauge", "kubelet_running_containers": "gauge",
                "kubelet_node_name": "gauge"},
    "resource": {"node_cpu_usage_seconds_total": "counter",
                 "container_memory_working_set_bytes": "gauge"},
    "kubelet-sim": {"process_resident_memory_bytes": "gauge"},
}


class Prometheus:
    def __init__(self, lab, targets):
        """targets: {job: (scheme, address, path)}"""
        self.folder = os.path.join(lab.root, "prometheus")
        os.makedirs(self.folder)
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w") as f:
            f.write(CONFIG + "".join(
                JOB % {"name": name, "scheme": scheme, "target": target, "path": path,
                       "pki": lab.dir + "/pki"}
                for name, (scheme, target, path) in targets.items()))
        subprocess.run(["promtool", "check", "config", config], check=True, capture_output=True)
        self.port = free_port()
        with open(os.path.join(self.folder, "log"), "w") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def ask(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?" + urllib.parse.urlencode(query)
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def health(self):
        found = self.ask("targets", state="active")
        return found and {t["labels"]["job"]: (t["health"], t["lastError"])
                          for t in found["activeTargets"]}

    def value(self, query):
        found = self.ask("query", query=query)
        return float(found["result"][0]["value"][1]) if found and found["result"] else None


class Store:
    """A kvstore of its own: those of a lab have no port for pages."""

    def __init__(self, lab):
        client, peer, self.port = free_port(), free_port(), free_port()
        local = "http://127.0.0.1:%d"
        folder = os.path.join(lab.root, "own-store")
        with open(folder + ".log", "w") as log:
            self.process = subprocess.Popen(
                [os.path.join(BIN, "kvstore"), "--name", "own", "--data-dir", folder,
                 "--listen-client-urls", local % client, "--advertise-client-urls", local % client,
                 "--listen-peer-urls", local % peer, "--initial-advertise-peer-urls", local % peer,
                 "--initial-cluster", "own=" + local % peer, "--listen-metrics-urls",
                 local % self.port], stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


# Stock etcd's own names, which promtool would call otherwise.
ETCDS = ("etcd_server_proposals_committed_total", "etcd_server_proposals_applied_total",
         "etcd_debugging_mvcc_keys_total", "etcd_debugging_mvcc_slow_watcher_total",
         "etcd_debugging_mvcc_watcher_total", "etcd_server_leader_changes_seen_total",
         "etcd_server_proposals_failed_total", "etcd_network_active_peers")


def complaints(page):
    judged = subprocess.run(["promtool", "check", "metrics"], input=page, text=True,
                            capture_output=True)
    return [line for line in (judged.stdout + judged.stderr).splitlines()
            if line.split()[0] not in ETCDS]


def types_of(page):
    return {line.split()[2]: line.split()[3] for line in page.splitlines()
            if line.startswith("# TYPE ")}


def targets_of(lab):
    with open(os.path.join(lab.dir, "cluster.json")) as f:
        shape = json.load(f)
    node = lab.get("node", "node-1")["status"]
    kubelet = "%s:%d" % (node["addresses"][0]["address"],
                         node["daemonEndpoints"]["kubeletEndpoint"]["Port"])
    local = "127.0.0.1:%d"
    return {"apiserver": ("https", local % shape["apiserverPorts"][0], "/metrics"),
            "scheduler": ("https", local % shape["schedulerPorts"][0], "/metrics"),
            "controller-manager": ("https", local % shape["controllerManagerPorts"][0], "/metrics"),
            "kubelet": ("https", kubelet, "/metrics"),
            "resource": ("https", kubelet, "/metrics/resource"),
            "kubelet-sim": ("https", local % shape["kubeletSimPort"], "/metrics")}


def page_of(lab, target):
    scheme, address, path = target
    done = subprocess.run(["curl", "-sk", "--cert", lab.dir + "/pki/admin.crt", "--key",
                           lab.dir + "/pki/admin.key", f"{scheme}://{address}{path}"],
                          capture_output=True, text=True, timeout=10)
    return done.stdout


def scrape():
    for program in ("prometheus", "promtool", "curl"):
        if shutil.which(program) is None:
            skip(f"there is no {program}")
    with Lab(replicas=1, nodes=2) as lab, Store(lab) as store:
        lab.kubectl("apply", "-f", "-", stdin=POD % ("runs", "terminationGracePeriodSeconds: 1"))
        lab.kubectl("apply", "-f", "-", stdin=POD % ("waits", "nodeSelector: {no: where}"))
        lab.kubectl("wait", "--for=condition=Ready", "pod/runs", "--timeout=30s")
        targets = {**targets_of(lab),
                   "kvstore": ("http", f"127.0.0.1:{store.port}", "/metrics")}
        wait_for("the store leads", lambda: "etcd_server_has_leader 1" in
                 page_of(lab, targets["kvstore"]))
        pages = {job: page_of(lab, target) for job, target in targets.items()}
        for job, page in pages.items():
            check_equal(complaints(page), [], f"promtool about {job}")
            types = types_of(page)
            for name, kind in WANTED[job].items():
                check_equal(types.get(name), kind, f"{job}: {name}")
        with Prometheus(lab, targets) as prometheus:
            wait_for("all are up", lambda: (lambda h: h and len(h) == len(targets) and all(
                state == "up" for state, _ in h.values()) or check(False, h))(prometheus.health()))
            for query, holds in (
                    ('apiserver_storage_objects{resource="pods"}', lambda v: v == 2),
                    ('scheduler_pending_pods{queue="unschedulable"}', lambda v: v == 1),
                    ('scheduler_schedule_attempts_total{result="scheduled"}', lambda v: v >= 1),
                    ('sum(kubelet_running_pods) + 0', lambda v: v is not None),
                    ('sum(workqueue_adds_total)', lambda v: v > 0),
                    ('sum(rate(node_cpu_usage_seconds_total[10s]))', lambda v: v > 0),
                    ('etcd_server_has_leader', lambda v: v == 1),
                    ('sum(apiserver_request_total{resource="pods",subresource="",code="201"})',
                     lambda v: v == 2),
                    ('histogram_quantile(0.5, sum by (le) '
                     '(apiserver_request_duration_seconds_bucket{verb="GET"}))', lambda v: v > 0)):
                wait_for(query, lambda: (lambda v: v is not None and holds(v) or
                                         check(False, f"{v}"))(prometheus.value(query)), 20, 0.3)


if __name__ == "__main__":
    main([scrape], limit=150)
