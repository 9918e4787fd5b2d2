#!/usr/bin/env python3
"""Course material is older than the cluster: what upstream has removed must say so, and what to use
instead."""
from student import check_in, course

OLD = """
apiVersion: %s
kind: %s
metadata: {name: old}
spec: %s
"""
# What was written, and what it is now.
REMOVED = [
    ("extensions/v1beta1", "Ingress", "{rules: []}", "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "Ingress", "{rules: []}", "networking.k8s.io/v1"),
    ("extensions/v1beta1", "Deployment", "{template: {}}", "apps/v1"),
    ("apps/v1beta2", "DaemonSet", "{template: {}}", "apps/v1"),
    ("extensions/v1beta1", "NetworkPolicy", "{podSelector: {}}", "networking.k8s.io/v1"),
    ("batch/v1beta1", "CronJob", "{schedule: '* * * * *'}", "batch/v1"),
    ("policy/v1beta1", "PodDisruptionBudget", "{minAvailable: 1}", "policy/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole", "{}", "rbac.authorization.k8s.io/v1"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest", "{request: ''}", "certificates.k8s.io/v1"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "{maxReplicas: 3}", "autoscaling/v2"),
    ("policy/v1beta1", "PodSecurityPolicy", "{}", "Pod Security Admission"),
]


def removed_versions(me):
    for version, kind, spec, instead in REMOVED:
        errors = me.fails("create", "-f", "-", stdin=OLD % (version, kind, spec),
                          says=f'no matches for kind "{kind}" in version "{version}"')
        check_in("ensure CRDs are installed first", errors, kind)
        # Stock clients stop there; the server's own words are for whoever asks it.
        group_version, plural = version, kind.lower() + "s"
        code, answer = me.lab.api("POST", f"/apis/{group_version}/namespaces/{me.ns}/{plural}",
                                  {"apiVersion": version, "kind": kind, "metadata": {"name": "old"}})
        check_in(str(code), "404", "the server")
        if me.client == "mini-kubectl":
            check_in(instead, errors, f"{version} {kind} says what to use")
    me.fails("get", "podsecuritypolicies", says='the server doesn\'t have a resource type "podsecuritypolicies"')


def removed_flags(me):
    """kubectl's own: flags and commands."""
    me("create", "deployment", "web", "--image=nginx")
    me.fails("get", "deployment", "web", "-o", "yaml", "--export", says="unknown flag: --export")
    me.fails("rolling-update", "web", "-f", "x.yaml", says='unknown command "rolling-update"')
    me.fails("run", "web", "--image=nginx", "--replicas=2", says="unknown flag: --replicas")
    me.fails("run", "web", "--image=nginx", "--generator=deployment/v1beta1", says="unknown flag: --generator")
    me.fails("version", "--short", says="unknown flag: --short")
    me.fails("scale", "deployment", "web", says="replicas")
    if me.client == "mini-kubectl":
        for words, instead in [
                (["get", "deployment", "web", "--export"], "-o yaml"),
                (["rolling-update", "web", "-f", "x"], "kubectl rollout"),
                (["run", "web", "--image=nginx", "--replicas=2"], "kubectl create deployment"),
                (["run", "web", "--image=nginx", "--generator=run/v1"], "kubectl create"),
                (["version", "--short"], "default")]:
            check_in(instead, me.fails(*words), " ".join(words))


def deprecated(me):
    """What still works, or says what does."""
    done = me.run("create", "deployment", "kept", "--image=nginx")
    done = me.run("set", "image", "deployment/kept", "nginx=nginx:1.26", "--record")
    check_in("--record has been deprecated, --record will be removed in the future", done.stderr, "the warning")
    me.until("the cause", lambda: "set image deployment/kept nginx=nginx:1.26 --record=true" in
             me("rollout", "history", "deployment/kept"))
    check_in("use discovery.k8s.io/v1 EndpointSlice", me.run("get", "endpoints").stderr, "endpoints")


if __name__ == "__main__":
    course([removed_versions, removed_flags, deprecated], nodes=1)
