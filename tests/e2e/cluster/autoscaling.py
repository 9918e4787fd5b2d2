#!/usr/bin/env python3
"""HorizontalPodAutoscalers on real load: from 2 replicas to 10 and back, by stock kubectl.

    autoscaling.py [NAME of a part ...]
"""
import json
import re
import sys

from basics import Space
from lab import Lab, check, check_equal, check_in, main, wait_for
from workloads import settled

# Small requests: a tenth of a core in all makes ten pods busy.
APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: php-apache}
spec:
  replicas: 2
  selector: {matchLabels: {run: php-apache}}
  template:
    metadata: {labels: {run: php-apache}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: php-apache
        image: registry.k8s.io/hpa-example
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 10m, memory: 4Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: php-apache}
spec:
  ports: [{port: 80}]
  selector: {run: php-apache}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: php-apache}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: php-apache}
  minReplicas: 2
  maxReplicas: 10
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 0
      policies: [{type: Percent, value: 100, periodSeconds: 15}]
"""

LOAD = """
apiVersion: v1
kind: Pod
metadata: {name: load}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: load
    image: busybox
    command: [sh, -c, "while sleep 0.01; do wget -q -O- http://php-apache >/dev/null; done"]
"""



def hpa(space, name="php-apache"):
    return space.get("hpa", name)


def condition(space, kind, name="php-apache"):
    for c in hpa(space, name).get("status", {}).get("conditions", []):
        if c["type"] == kind:
            return c["status"], c["reason"], c["message"]
    return None


def replicas(space, name="php-apache"):
    return space.get("deployment", name)["spec"]["replicas"]


def still(text):
    """A description without figures that move."""
    return [re.sub(r"\d+% \(\d+m\)", "N", line) for line in settled(text)]


def up_and_down(lab):
    s = Space(lab, "autoscaling")
    s.kubectl("apply", "-f", "-", stdin=APP)
    s.kubectl("wait", "--for=condition=Available", "deployment/php-apache", "--timeout=60s")
    wait_for("the autoscaler knows the load", lambda: (condition(s, "ScalingActive") or [""])[0] ==
             "True", 90)
    check_equal(condition(s, "ScalingActive"),
                ("True", "ValidMetricFound", "the HPA was able to successfully calculate a replica "
                 "count from cpu resource utilization (percentage of request)"), "ScalingActive")
    check_equal(replicas(s), 2, "at rest")
    s.kubectl("apply", "-f", "-", stdin=LOAD)
    wait_for("10 replicas", lambda: replicas(s) == 10, 150, 0.5)
    wait_for("too many are asked for", lambda: condition(s, "ScalingLimited") ==
             ("True", "TooManyReplicas",
              "the desired replica count is more than the maximum replica count"), 60)
    reasons = [e["message"] for e in s.get("events")["items"]
               if e["reason"] == "SuccessfulRescale"]
    check("New size: 10; reason: cpu resource utilization (percentage of request) above target"
          in reasons, f"events: {reasons}")
    row = s.out("get", "hpa", "php-apache", "--no-headers").split()
    check_equal((row[1], row[3].split("/")[-1], row[4:6]),
                ("Deployment/php-apache", "50%", ["2", "10"]), f"the table {row}")
    stock, mini = (s.out("describe", "hpa", "php-apache", client=c)
                   for c in ("kubectl", "mini-kubectl"))
    check_in("resource cpu on pods  (as a percentage of request):", stock, "describe")
    check_equal(still(mini), still(stock), "describe hpa")
    s.kubectl("delete", "pod", "load", "--wait=false")
    wait_for("2 replicas", lambda: replicas(s) == 2, 150, 0.5)
    reasons = [e["message"] for e in s.get("events")["items"]
               if e["reason"] == "SuccessfulRescale"]
    check(any(m.endswith("reason: All metrics below target") for m in reasons), f"{reasons}")
    s.kubectl("delete", "hpa,deployment,service", "--all")


def by_container(lab):
    """kubectl autoscale, a container's metric, and metrics that nobody serves."""
    s = Space(lab, "autoscaling-more")
    s.kubectl("create", "deployment", "busy", "--image=busybox", "--", "sh", "-c",
              "while :; do i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; sleep 0.1; done")
    s.kubectl("set", "resources", "deployment/busy", "--requests=cpu=1m")
    s.kubectl("autoscale", "deployment", "busy", "--min=1", "--max=3", "--cpu-percent=50")
    spec = hpa(s, "busy")["spec"]
    check_equal((spec["minReplicas"], spec["maxReplicas"]), (1, 3), "kubectl autoscale")
    wait_for("3 replicas", lambda: replicas(s, "busy") == 3, 120, 0.5)
    s.kubectl("patch", "hpa", "busy", "--type=merge", "-p", json.dumps({"spec": {"metrics": [
        {"type": "ContainerResource", "containerResource": {
            "name": "cpu", "container": "busybox",
            "target": {"type": "AverageValue", "averageValue": "1"}}}]}}))
    wait_for("the container's metric", lambda: condition(s, "ScalingActive", "busy")[2].endswith(
        "from cpu container resource"), 60)
    for source, why in (
        ({"type": "Pods", "pods": {"metric": {"name": "rate"}, "target": {
            "type": "AverageValue", "averageValue": "1"}}},
         "unable to get metric rate: unable to fetch metrics from custom metrics API: no custom "
         "metrics API (custom.metrics.k8s.io) registered"),
        ({"type": "External", "external": {"metric": {"name": "queue"}, "target": {
            "type": "AverageValue", "averageValue": "1"}}},
         "unable to get external metric autoscaling-more/queue/nil: unable to fetch metrics from "
         "external metrics API: the server could not find the requested resource (get "
         "queue.external.metrics.k8s.io)")):
        s.kubectl("patch", "hpa", "busy", "--type=merge", "-p",
                  json.dumps({"spec": {"metrics": [source]}}))
        wait_for(why, lambda: (condition(s, "ScalingActive", "busy") or ["", "", ""])[2] ==
                 "the HPA was unable to compute the replica count: " + why or
                 check(False, condition(s, "ScalingActive", "busy")), 60)
    s.kubectl("delete", "hpa,deployment", "--all")


PARTS = [up_and_down, by_container]


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.argv[1:] = []

    def autoscaling():
        with Lab(replicas=1, nodes=2, metrics=True) as lab:
            for part in PARTS:
                if not wanted or part.__name__ in wanted:
                    part(lab)
                    print(f"  {part.__name__}", flush=True)
    main([autoscaling], limit=480)
