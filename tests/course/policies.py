#!/usr/bin/env python3
"""Course: who may talk to whom. NetworkPolicies for what comes in and what goes out, by label,
namespace, address and port; what is refused is dropped, and told."""
import json
import time

from student import check, check_equal, check_in, course, curl

DENY_ALL = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


def pods(me, *names):
    """Web servers on 8080 that are clients, too; each with its name as label `app`."""
    for name in names:
        me("run", name, "--image=registry.k8s.io/e2e-test-images/agnhost:2.40", f"--labels=app={name}",
           "--port=8080", "--", "netexec")
    me.ready(*[f"pod/{name}" for name in names])


def asks(me, pod, url, ns=None):
    """Whether an answer comes; a dropped packet is told by a time-out, not by a refusal."""
    done = me.run("exec", pod, "-n", ns or me.ns, "--", "wget", "-q", "-O-", "-T", "1", url)
    if done.returncode == 0:
        return True
    check_in("timed out", done.stderr, f"{pod} asks {url}")
    return False


def ip(me, pod):
    return me.field(".status.podIP", "pod", pod)


def deny_all(me):
    """Closed to everybody, by a Service and by address; and told why."""
    me("create", "deployment", "nginx", "--image=nginx", "--replicas=2")
    me("expose", "deployment", "nginx", "--port=80", "--type=NodePort")
    me("run", "busybox", "--image=busybox", "--restart=Never", "--", "sleep", "3600")
    me("rollout", "status", "deployment/nginx", "--timeout=60s")
    me.ready("pod/busybox")
    spider = ["exec", "busybox", "--", "wget", "--spider", "--timeout=1", "nginx"]
    me.until("open by default", lambda: me.run(*spider).returncode == 0)
    node_port = f"http://localhost:{me.field('.spec.ports[0].nodePort', 'service', 'nginx')}"
    me.until("from outside", lambda: curl(node_port)[1] == 0)
    me("apply", "-f", me.file("deny.yaml", DENY_ALL))
    check_in("deny-all", me("get", "netpol"), "the policy")
    check_in("Selected pods are isolated for ingress connectivity", me("describe", "networkpolicy", "deny-all"), "describe")
    me.until("closed", lambda: me.run(*spider).returncode != 0)
    began = time.monotonic()
    said = me.fails(*spider, says="timed out")
    check(time.monotonic() - began > 0.9, f"dropped, not refused: {said}")
    pod = me.names("pods", "-l", "app=nginx")[0]
    check(not asks(me, "busybox", f"http://{ip(me, pod)}"), "by its address")
    check_equal(curl("--max-time", "1", node_port)[1], 28, "from outside")
    reason = f"is not allowed by any rule of NetworkPolicy {me.ns}/deny-all"
    me.until("an event", lambda: reason in me("get", "events", "--field-selector=reason=NetworkPolicyDrop"))
    asked = (f"/api/v1/nodes/node-1/proxy/networkPolicy?from={me.ns}/busybox&to={me.ns}/{pod}&port=80")
    answer = json.loads(me("get", "--raw", asked))
    check_equal(answer["allowed"], False, "asked")
    check_in(f"TCP ingress from pod {me.ns}/busybox to pod {me.ns}/{pod} port 80 {reason}", answer["reason"], "why")
    # The kubelet's own ways are no traffic of pods.
    me("logs", pod)
    me("exec", pod, "--", "true")
    me("delete", "netpol", "deny-all")
    me.until("open again", lambda: me.run(*spider).returncode == 0)


def by_label(me):
    """Only the web servers reach the database, on its port."""
    pods(me, "db", "web", "other")
    me.apply("""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}]
""")
    url = f"http://{ip(me, 'db')}:8080/hostname"
    me.until("others do not", lambda: not asks(me, "other", url))
    check(asks(me, "web", url), "web does")
    check(asks(me, "db", url), "itself, too")
    check(asks(me, "db", f"http://{ip(me, 'other')}:8080/hostname"), "db is only closed for what comes in")
    me("label", "pod", "other", "app=web", "--overwrite")
    me.until("with the label", lambda: asks(me, "other", url))
    me("label", "pod", "other", "app=other", "--overwrite")
    me("patch", "netpol", "db", "--type=merge", "-p", '{"spec":{"ingress":[{"from":[{"podSelector":{}}],"ports":[{"port":9999}]}]}}')
    me.until("another port", lambda: not asks(me, "web", url))


def by_namespace(me):
    pods(me, "db")
    far = f"tenant-{me.tag}"
    me("create", "namespace", far)
    me.until("the account", lambda: me.run("get", "sa", "default", "-n", far).returncode == 0)
    me("run", "guest", "-n", far, "--image=busybox", "--", "sleep", "3600")
    me.ready("pod/guest", "-n", far)
    me.apply(f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: tenants}}
spec:
  podSelector: {{matchLabels: {{app: db}}}}
  ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{tenant: web-{me.tag}}}}}}}], ports: [{{port: 8080}}]}}]
""")
    url = f"http://{ip(me, 'db')}:8080/hostname"
    me.until("not yet", lambda: not asks(me, "guest", url, far))
    me("label", "namespace", far, f"tenant=web-{me.tag}")
    me.until("by its namespace", lambda: asks(me, "guest", url, far))
    me("delete", "namespace", far, "--wait=false")


def by_address(me):
    pods(me, "db", "near", "far")
    me.apply(f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: block}}
spec:
  podSelector: {{matchLabels: {{app: db}}}}
  ingress: [{{from: [{{ipBlock: {{cidr: 127.128.0.0/9, except: [{ip(me, "far")}/32]}}}}]}}]
""")
    url = f"http://{ip(me, 'db')}:8080/hostname"
    me.until("the exception", lambda: not asks(me, "far", url))
    check(asks(me, "near", url), "the block")


def egress(me):
    """Out only to the database, and to the DNS to find it."""
    pods(me, "db", "web", "other")
    for name in ("db", "other"):
        me("expose", "pod", name, "--port=8080")
    me.apply("""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 8080}]}]
""")
    me.until("not there", lambda: not asks(me, "web", f"http://{ip(me, 'other')}:8080/hostname"))
    check(asks(me, "web", f"http://{ip(me, 'db')}:8080/hostname"), "there")
    check(asks(me, "other", f"http://{ip(me, 'web')}:8080/hostname"), "it is open for what comes in")
    check(me.run("exec", "web", "--", "timeout", "3", "nslookup", "db").returncode != 0, "no DNS without a rule for it")
    me.apply("""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dns}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]
    ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
""")
    me.until("by name", lambda: asks(me, "web", "http://db:8080/hostname"))
    check(not asks(me, "web", "http://other:8080/hostname"), "the other Service is found and not reached")
    check(not asks(me, "web", "http://192.0.2.1/"), "nor what is outside")
    check(not asks(me, "other", f"http://{ip(me, 'db')}:8080/hostname"), "everybody else has only DNS")


if __name__ == "__main__":
    course([deny_all, by_label, by_namespace, by_address, egress], nodes=2)
