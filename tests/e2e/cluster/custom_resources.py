#!/usr/bin/env python3
"""Custom resources with stock kubectl: define a kind, use it, explain it, and let it go.

    custom_resources.py [NAME of a part ...]
"""
import sys

from lab import Lab, check, check_equal, check_in, main, wait_for

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, kind: CronTab, shortNames: [ct], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        type: object
        description: A job of the old kind.
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec:
                type: string
                pattern: '^(\\S+ ){4}\\S+$'
                description: When it runs.
              image: {type: string}
              replicas: {type: integer, minimum: 1, maximum: 10, default: 1}
"""

CRONTAB = """
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: %s, namespace: default}
spec: %s
"""


def define(lab):
    lab.kubectl("apply", "-f", "-", stdin=DEFINITION)
    lab.kubectl("wait", "--for=condition=Established", "--timeout=30s",
                "crd/crontabs.stable.example.com")
    wait_for("the kind is served",
             lambda: "crontabs" in lab.out("api-resources", "--api-group=stable.example.com"))


def use(lab):
    define(lab)
    lab.kubectl("apply", "-f", "-", stdin=CRONTAB % ("one", '{cronSpec: "* * * * */5"}'))
    lines = lab.out("get", "ct").splitlines()
    check_equal(lines[0].split(), ["NAME", "SPEC", "REPLICAS", "AGE"], "the columns")
    check_in("* * * * */5", lines[1], "the row")
    lab.kubectl("scale", "ct/one", "--replicas=3")
    check_equal(lab.get("ct", "one")["spec"]["replicas"], 3, "after the scale")
    lab.kubectl("apply", "-f", "-", stdin=CRONTAB % ("one", '{cronSpec: "* * * * *", image: a}'))
    check_equal(lab.get("ct", "one")["spec"],
                {"cronSpec": "* * * * *", "image": "a", "replicas": 3}, "after the second apply")
    lab.kubectl("apply", "--server-side", "--field-manager=other", "-f", "-",
                stdin=CRONTAB % ("two", '{cronSpec: "1 * * * *"}'))
    check_in("crontab.stable.example.com/two", lab.out("get", "all"), "get all")


def refuse(lab):
    define(lab)
    bad = CRONTAB % ("bad", '{cronSpec: "x", replicas: 11}')
    text = lab.refused("apply", "-f", "-", stdin=bad, text="spec.cronSpec in body should match")
    check_in("spec.replicas in body should be less than or equal to 10", text, "the maximum")
    odd = CRONTAB % ("bad", '{cronSpec: "* * * * *", colour: red}')
    lab.refused("apply", "-f", "-", stdin=odd, text='unknown field "spec.colour"')


def explain(lab):
    define(lab)
    text = lab.out("explain", "crontab.spec", "--recursive")
    check_in("cronSpec", text, "explain")
    check_in("-required-", text, "explain")
    check_in("When it runs.", lab.out("explain", "crontab.spec.cronSpec"), "explain of a field")
    check_in("A job of the old kind.", lab.out("explain", "crontab"), "explain of the kind")


def delete(lab):
    define(lab)
    lab.kubectl("apply", "-f", "-", stdin=CRONTAB % ("last", '{cronSpec: "* * * * *"}'))
    lab.kubectl("delete", "crd", "crontabs.stable.example.com", "--timeout=60s")
    check("crontabs" not in lab.out("api-resources", "--api-group=stable.example.com"),
          "the kind is gone from discovery")
    define(lab)
    check_equal(lab.get("ct")["items"], [], "nothing is left")


def owned(lab):
    """Custom objects own others, are owned, are counted by a quota, and go with their namespace."""
    define(lab)
    lab.kubectl("create", "namespace", "custom")
    lab.kubectl("create", "quota", "few", "-n", "custom",
                "--hard=count/crontabs.stable.example.com=2,configmaps=5")

    def make(name, owner=None):
        text = CRONTAB.replace("default", "custom") % (name, "{cronSpec: '* * * * *'}")
        if owner is not None:
            text = text.replace("namespace: custom", "namespace: custom, ownerReferences: [{"
                                "apiVersion: stable.example.com/v1, kind: CronTab, name: %s, "
                                "uid: %s}]" % (owner["name"], owner["uid"]))
        lab.kubectl("apply", "-f", "-", stdin=text)
        return lab.get("crontab", name, "-n", "custom")["metadata"]

    parent = make("parent")
    make("child", parent)

    def used():
        return lab.get("quota", "few", "-n", "custom").get("status", {}).get("used", {})
    wait_for("the quota to count them",
             lambda: used().get("count/crontabs.stable.example.com") == "2", 60)
    check_equal(used()["configmaps"], "1", "kube-root-ca.crt is counted")
    lab.refused("apply", "-f", "-", text="exceeded quota: few", stdin=CRONTAB.replace(
        "default", "custom") % ("third", "{cronSpec: '* * * * *'}"))
    lab.kubectl("delete", "crontab", "parent", "-n", "custom")
    wait_for("the child to go with its owner",
             lambda: not lab.names_of("crontabs", "-n", "custom"), 60)
    wait_for("the quota to count none",
             lambda: used().get("count/crontabs.stable.example.com") == "0", 60)
    make("last")
    lab.kubectl("delete", "namespace", "custom", "--timeout=60s")
    check_equal(lab.names_of("crontabs", "-A"), [], "objects of a namespace that is gone")
    lab.kubectl("delete", "crd", "crontabs.stable.example.com")


PARTS = [use, refuse, explain, delete, owned]


def custom_resources():
    names = given
    with Lab(replicas=1) as lab:
        for part in PARTS:
            if not names or part.__name__ in names:
                part(lab)
                print(f"ok {part.__name__}", flush=True)


if __name__ == "__main__":
    given, sys.argv[1:] = sys.argv[1:], []
    main([custom_resources], limit=170)
