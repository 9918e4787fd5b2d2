#!/usr/bin/env python3
"""The workload controllers with stock kubectl, beyond what the recordings play: rollouts of
DaemonSets and StatefulSets, claims, Indexed and suspended Jobs, failure policies, CronJobs, and
descriptions, where mini-kubectl must print what kubectl prints.

    workloads.py [NAME of a part ...]
"""
import re
import sys

from basics import Space
from lab import SOURCE, Lab, check, check_equal, check_in, client_path, main, wait_for

TEMPLATE = """
  selector: {matchLabels: {app: %(name)s}}
  template:
    metadata: {labels: {app: %(name)s}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: c, image: "nginx:1.%(version)s"}]
"""


def workload(kind, name, spec, version=25):
    return (f"apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{spec}" +
            TEMPLATE % {"name": name, "version": version})


def job(name, spec, command, image="busybox"):
    return f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
{spec}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers: [{{name: c, image: {image}, command: {command}}}]
"""


def apply(space, text):
    return space.kubectl("apply", "-f", "-", stdin=text)


def images(space, app):
    """{pod: image} of those that are not going."""
    return {p["metadata"]["name"]: p["spec"]["containers"][0]["image"].split(":")[1]
            for p in space.pods(f"app={app}")}


def condition(space, name, kind):
    for c in space.get("job", name)["status"].get("conditions", []):
        if c["type"] == kind and c["status"] == "True":
            return c
    return None


def ended(space, name, kind, reason):
    got = wait_for(f"job {name} is {kind}", lambda: condition(space, name, kind), 60)
    check_equal(got["reason"], reason, name)


def settled(text):
    """A description without ages and counters of events; those of one second in any order."""
    age = r"\b\d+(s|m|m\d+s|h)\b|\(x\d+ over [^)]*\)"
    lines = [re.sub(r"\s+", " ", re.sub(age, "<age>", line)) for line in text.splitlines()]
    at = lines.index("Events:") if "Events:" in lines else len(lines)
    return lines[:at] + sorted(lines[at:])


def same_description(space, *what):
    if client_path("mini-kubectl") is None:
        return
    def both():
        stock = settled(space.out("describe", *what))
        mini = settled(space.out("describe", *what, client="mini-kubectl"))
        check_equal(mini, stock, f"describe {what}")
        return True
    wait_for(f"the same description of {what}", both, 20)


def daemon_set(lab):
    s = Space(lab, "w-daemons")
    apply(s, workload("DaemonSet", "log", "  updateStrategy: {rollingUpdate: {maxUnavailable: 2}}\n"))
    s.kubectl("rollout", "status", "ds/log", "--timeout=60s")
    pods = s.pods("app=log")
    check_equal(sorted(p["spec"]["nodeName"] for p in pods), ["node-1", "node-2", "node-3"],
                "the nodes")
    s.kubectl("set", "image", "ds/log", "c=nginx:1.26")
    s.kubectl("rollout", "status", "ds/log", "--timeout=60s")
    check_equal(set(images(s, "log").values()), {"1.26"}, "after the rollout")
    history = s.out("rollout", "history", "ds/log")
    check_equal(len(history.strip().splitlines()), 4, history)
    if client_path("mini-kubectl"):
        for extra in ([], ["--revision=1"]):
            check_equal(s.out("rollout", "history", "ds/log", *extra, client="mini-kubectl"),
                        s.out("rollout", "history", "ds/log", *extra), "history")
    s.kubectl("rollout", "undo", "ds/log")
    s.kubectl("rollout", "status", "ds/log", "--timeout=60s")
    check_equal(set(images(s, "log").values()), {"1.25"}, "after undo")
    # New pods first: no node is ever without one.
    s.kubectl("patch", "ds/log", "--type=merge", "-p",
              '{"spec":{"updateStrategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}')
    s.kubectl("rollout", "restart", "ds/log")
    s.kubectl("rollout", "status", "ds/log", "--timeout=60s")
    check_equal(len(wait_for("old pods to go", lambda: [
        p for p in [s.pods("app=log")] if len(p) == 3])[0]), 3, "pods")
    # A taint that they do not bear drives the pod out; cordoning does not.
    s.kubectl("cordon", "node-1")
    s.kubectl("taint", "node", "node-2", "gpu=yes:NoExecute")
    wait_for("the pod of node-2 to go", lambda: sorted(
        p["spec"]["nodeName"] for p in s.pods("app=log")) == ["node-1", "node-3"])
    s.kubectl("taint", "node", "node-2", "gpu-")
    s.kubectl("uncordon", "node-1")
    s.kubectl("rollout", "status", "ds/log", "--timeout=60s")
    same_description(s, "ds", "log")


def stateful_set(lab):
    s = Space(lab, "w-stateful")
    claims = """
  replicas: 3
  serviceName: web
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete, whenScaled: Retain}
  volumeClaimTemplates:
  - metadata: {name: www}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
    with open(f"{SOURCE}/examples/storageclass.yaml") as f:
        s.kubectl("apply", "-f", "-", stdin=f.read())
    apply(s, workload("StatefulSet", "web", claims))
    s.kubectl("rollout", "status", "sts/web", "--timeout=60s")
    check_equal(s.names_of("pvc"), ["www-web-0", "www-web-1", "www-web-2"], "claims")
    # A canary: only the ordinals from the partition up.
    s.kubectl("patch", "sts/web", "-p",
              '{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":2}}}}')
    s.kubectl("set", "image", "sts/web", "c=nginx:1.26")
    s.kubectl("rollout", "status", "sts/web", "--timeout=60s")
    check_equal(images(s, "web"), {"web-0": "1.25", "web-1": "1.25", "web-2": "1.26"}, "canary")
    status = s.get("sts", "web")["status"]
    check(status["currentRevision"] != status["updateRevision"], "two revisions")
    s.kubectl("patch", "sts/web", "-p",
              '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}')
    s.kubectl("rollout", "status", "sts/web", "--timeout=60s")
    check_equal(set(images(s, "web").values()), {"1.26"}, "all")
    s.kubectl("rollout", "undo", "sts/web", client="mini-kubectl"
              if client_path("mini-kubectl") else None)
    wait_for("undone", lambda: set(images(s, "web").values()) == {"1.25"} and
             len(images(s, "web")) == 3, 60)
    same_description(s, "sts", "web")
    s.kubectl("scale", "sts/web", "--replicas=1")
    wait_for("one pod", lambda: sorted(images(s, "web")) == ["web-0"])
    check_equal(len(s.names_of("pvc")), 3, "claims stay")
    s.kubectl("delete", "sts", "web")
    wait_for("the claims to go with the set", lambda: s.names_of("pvc") == [])


def jobs(lab):
    s = Space(lab, "w-jobs")
    apply(s, job("indexed", "  completionMode: Indexed\n  completions: 5\n  parallelism: 3",
                 '["true"]'))
    ended(s, "indexed", "Complete", "CompletionsReached")
    done = s.get("job", "indexed")["status"]
    check_equal((done["completedIndexes"], done["succeeded"]), ("0-4", 5), "indexes")
    check(all("finalizers" not in p["metadata"] for p in s.pods("job-name=indexed")), "finalizers")
    names = sorted(p["spec"]["hostname"] for p in s.pods("job-name=indexed"))
    check_equal(names, [f"indexed-{i}" for i in range(5)], "hostnames")
    same_description(s, "job", "indexed")

    apply(s, job("spent", "  completionMode: Indexed\n  completions: 2\n  backoffLimitPerIndex: 0",
                 '["sh", "-c", "exit 3"]'))
    ended(s, "spent", "Failed", "FailedIndexes")
    check_equal(s.get("job", "spent")["status"]["failedIndexes"], "0,1", "failed indexes")

    apply(s, job("policy", """  backoffLimit: 6
  podFailurePolicy:
    rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]""",
                 '["sh", "-c", "exit 42"]'))
    ended(s, "policy", "Failed", "PodFailurePolicy")
    check_in("failed with exit code 42 matching FailJob rule at index 0",
             condition(s, "policy", "Failed")["message"], "message")

    apply(s, job("deadline", "  activeDeadlineSeconds: 1", '["sleep", "1000"]'))
    ended(s, "deadline", "Failed", "DeadlineExceeded")

    apply(s, job("held", "  suspend: true\n  ttlSecondsAfterFinished: 1", '["sleep", "1000"]'))
    wait_for("Suspended", lambda: condition(s, "held", "Suspended"))
    check_equal(s.pods("job-name=held"), [], "pods of a suspended job")
    s.kubectl("patch", "job/held", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    wait_for("it runs", lambda: s.get("job", "held")["status"].get("ready") == 1)
    s.kubectl("patch", "job/held", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    wait_for("no pod", lambda: s.get("pods", "-l", "job-name=held")["items"] == [])
    check_equal(s.get("job", "held")["status"].get("failed", 0), 0, "failures")
    s.kubectl("delete", "job", "held")

    apply(s, job("short", "  ttlSecondsAfterFinished: 1", '["true"]'))
    wait_for("it goes by itself", lambda: "short" not in s.names_of("jobs"), 60)
    # Nothing holds pods whose jobs are gone.
    s.kubectl("delete", "jobs", "--all")
    s.gone("pods")


def cron_job(lab):
    s = Space(lab, "w-cron")
    s.kubectl("create", "cronjob", "tick", "--image=busybox", "--schedule=@every 1s", "--", "true")
    wait_for("a run", lambda: s.get("cronjob", "tick").get("status", {}).get("lastSuccessfulTime"), 60)
    s.kubectl("patch", "cronjob", "tick", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    made = s.get("jobs")["items"]
    owner = made[0]["metadata"]["ownerReferences"][0]
    check_equal((owner["kind"], owner["name"]), ("CronJob", "tick"), "owner")
    check("batch.kubernetes.io/cronjob-scheduled-timestamp" in made[0]["metadata"]["annotations"],
          "the time it was for")
    if client_path("mini-kubectl"):
        s.kubectl("create", "job", "--from=cronjob/tick", "now", client="mini-kubectl")
        ended(s, "now", "Complete", "CompletionsReached")
    same_description(s, "cronjob", "tick")
    reasons = {e["reason"] for e in s.get("events")["items"]
               if e["involvedObject"]["kind"] == "CronJob"}
    check({"SuccessfulCreate", "SawCompletedJob"} <= reasons, f"events: {reasons}")
    s.kubectl("delete", "cronjob", "tick")
    wait_for("its jobs to go", lambda: s.get("jobs,pods")["items"] == [], 60)


def replication_controller(lab):
    s = Space(lab, "w-rc")
    apply(s, """
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: old}}
    spec: {terminationGracePeriodSeconds: 1, containers: [{name: c, image: nginx}]}
""")
    wait_for("two", lambda: s.get("rc", "old")["status"].get("readyReplicas") == 2)
    s.kubectl("scale", "rc/old", "--replicas=1")
    wait_for("one", lambda: s.get("rc", "old")["status"]["replicas"] == 1)
    same_description(s, "rc", "old")
    if client_path("mini-kubectl"):
        wait_for("the same `get all`", lambda: settled(s.out("get", "all")) ==
                 settled(s.out("get", "all", client="mini-kubectl")))
    s.kubectl("delete", "rc", "old")
    s.gone("pods")


PARTS = [daemon_set, stateful_set, jobs, cron_job, replication_controller]


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.argv[1:] = []

    def workloads():
        with Lab(replicas=1, nodes=3) as lab:
            for part in PARTS:
                if not wanted or part.__name__ in wanted:
                    part(lab)
                    print(f"  {part.__name__}", flush=True)
    main([workloads], limit=280)
