#!/usr/bin/env python3
"""Pod groups with kubectl: a gang waits until it is complete and has room, and then runs; two gangs
that want more than there is do not hold each other up.
"""

from lab import Lab, check, check_equal, main, wait_for

GROUP = """
apiVersion: scheduling.k8s.io/v1alpha2
kind: PodGroup
metadata: {name: %(name)s}
spec: {schedulingPolicy: {gang: {minCount: %(count)d}}}
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s, labels: {group: %(group)s}}
spec:
  schedulingGroup: {podGroupName: %(group)s}
  terminationGracePeriodSeconds: 0
  containers:
  - {name: c, image: busybox, command: [sleep, "3600"], resources: {requests: {cpu: "1"}}}
"""


def group(lab, name, count):
    lab.kubectl("apply", "-f", "-", stdin=GROUP % locals())


def pods(lab, *names):
    """a1 is of the group a."""
    docs = [POD % {"name": name, "group": name[0]} for name in names]
    lab.kubectl("apply", "-f", "-", stdin="---".join(docs))


def placed(lab):
    return {p["metadata"]["name"] for p in lab.get("pods")["items"] if p["spec"].get("nodeName")}


def clear(lab):
    lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")
    wait_for("no pods", lambda: not lab.names_of("pods"))


def waits_until_complete(lab):
    pods(lab, "a1", "a2")
    group(lab, "a", 3)
    check_equal(lab.out("get", "podgroup", "a", "-o",
                        "jsonpath={.spec.schedulingPolicy.gang.minCount}"), "3", "minCount")
    lab.kubectl("run", "single", "--image=busybox", "--", "sleep", "3600")
    wait_for("a pod without a group", lambda: "single" in placed(lab))
    check_equal(placed(lab), {"single"}, "pods with a node while the gang is incomplete")
    pods(lab, "a3")
    wait_for("the gang runs", lambda: {"a1", "a2", "a3"} <= placed(lab))
    clear(lab)


def two_gangs(lab):
    """Each wants 5 of the 8 CPUs that two nodes have."""
    names = [g + str(i) for i in range(1, 6) for g in "bc"]
    pods(lab, *names)
    group(lab, "b", 5)
    group(lab, "c", 5)
    won = wait_for("one of the gangs has its nodes", lambda: next(
        (g for g in "bc" if len([p for p in placed(lab) if p[0] == g]) == 5), None), 60)
    check(all(p[0] == won for p in placed(lab)), f"pods of both gangs have nodes: {placed(lab)}")
    lab.kubectl("delete", "pods", "-l", f"group={won}", "--force", "--grace-period=0")
    other = "b" if won == "c" else "c"
    wait_for("the other gang has its nodes", lambda: placed(lab) == {other + str(i) for i in range(1, 6)},
             60)
    clear(lab)


def gang():
    with Lab(replicas=1, nodes=2) as lab:
        waits_until_complete(lab)
        two_gangs(lab)


if __name__ == "__main__":
    main([gang], limit=170)
