#!/usr/bin/env python3
"""Course: Services and names. Cluster addresses, node ports, load balancers, endpoints, headless
Services, DNS inside pods and their resolv.conf, Ingress."""
import os
import re

from student import SOURCE, check, check_equal, check_in, course, curl, low, page

# A web server whose page is the pod's name.
APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: %(name)s}
spec:
  replicas: %(replicas)d
  selector: {matchLabels: {app: %(name)s}}
  template:
    metadata: {labels: {app: %(name)s}}
    spec:
      containers:
      - name: web
        image: registry.k8s.io/e2e-test-images/agnhost:2.40
        args: [netexec, --http-port=8080]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
"""

NODE_PORT = """
apiVersion: v1
kind: Service
metadata: {name: gate}
spec:
  type: NodePort
  selector: {app: shop}
  ports: [{protocol: TCP, port: 80, targetPort: 8080, nodePort: %d}]
"""


def app(me, name, replicas=2):
    me.apply(APP % {"name": name, "replicas": replicas})
    me("rollout", "status", f"deployment/{name}", "--timeout=60s")


def who(url, count, *words):
    return {page(url, *words) for _ in range(count)}


def node_port(me):
    app(me, "shop")
    port = 30080 + me.number
    me("create", "-f", me.file("gate.yaml", NODE_PORT % port))
    check(re.search(rf"gate\s+NodePort\s+\S+\s+<none>\s+80:{port}/TCP", me("get", "services")), "its line")
    pods = set(me.names("pods", "-l", "app=shop"))
    me.until("both pods answer", lambda: who(f"http://localhost:{port}/hostname", 6) == pods)
    for address in me.field(".items[*].status.addresses[?(@.type=='InternalIP')].address", "nodes").split():
        check_in(page(f"http://{address}:{port}/hostname"), pods, f"on the node {address}")
    me.fails("create", "-f", me.file("again.yaml", (NODE_PORT % port).replace("gate", "gate2")),
             says="provided port is already allocated")


def cluster_ip(me):
    """One address stays while the pods behind it come and go."""
    app(me, "shop")
    me("expose", "deployment", "shop", "--port=8000", "--target-port=8080")
    address = me.field(".spec.clusterIP", "service", "shop")
    url = f"http://{address}:8000/hostname"
    first = set(me.names("pods", "-l", "app=shop"))
    me.until("both", lambda: who(url, 6) == first)
    addresses = set(me.field(".subsets[*].addresses[*].ip", "endpoints", "shop").split())
    check_equal(addresses, set(me("get", "pods", "-l", "app=shop", "-o",
                                  "jsonpath={.items[*].status.podIP}").split()), "the endpoints")
    me("delete", "pods", "-l", "app=shop", "--now")
    me("rollout", "status", "deployment/shop", "--timeout=60s")
    me.until("the new ones", lambda: len(me.names("pods", "-l", "app=shop")) == 2 and who(url, 6) == set(
        me.names("pods", "-l", "app=shop")))
    check(not first & who(url, 6), "the old ones are gone")
    check_equal(me.field(".spec.clusterIP", "service", "shop"), address, "the same address")
    me("scale", "deployment", "shop", "--replicas=0")
    me.until("nobody answers", lambda: curl(url)[1] == 7)
    check_in("<none>", me("get", "endpoints", "shop"), "no endpoints")


def load_balancer(me):
    me("create", "deployment", "front", "--image=chadmcrowell/kubeserve2")
    me("scale", "deployment/front", "--replicas=2")
    me("rollout", "status", "deployment/front", "--timeout=60s")
    check_equal(len(set(me("get", "pods", "-o", "wide", "--no-headers").split())) > 8, True, "-o wide")
    port = 8800 + me.number
    me("expose", "deployment", "front", "--port", str(port), "--target-port", "80", "--type", "LoadBalancer")
    address = me.until("an address", lambda: me.field(".status.loadBalancer.ingress[0].ip", "service", "front"))
    check_in(address, me("get", "services"), "in the list")
    pods = me.until("two pods", lambda: me.names("pods", "-l", "app=front"))
    seen = me.until("both", lambda: (lambda s: s if len(s) == 2 else None)(who(f"http://{address}:{port}", 6)))
    for text in seen:
        check(any(pod in text for pod in pods), f"{text} names its pod")
    me("annotate", "service", "front", "externalTrafficPolicy=Local")
    check_in("externalTrafficPolicy: Local", me("describe", "services", "front"), "the annotation")
    # What really does it is a field.
    me("patch", "service", "front", "-p", '{"spec":{"externalTrafficPolicy":"Local"}}')
    check_in("External Traffic Policy:  Local", me("describe", "services", "front"), "the policy")


def headless(me):
    """A name for each pod instead of one address."""
    app(me, "crew")
    me.apply("""
apiVersion: v1
kind: Service
metadata: {name: crew}
spec: {clusterIP: None, selector: {app: crew}, ports: [{port: 80, targetPort: 8080}]}
""")
    check_in("None", me("get", "service", "crew"), "no address")
    me("run", "asker", "--image=busybox:1.28.4", "--restart=Never", "--", "sleep", "3600")
    me.ready("pod/asker")
    ips = set(me("get", "pods", "-l", "app=crew", "-o", "jsonpath={.items[*].status.podIP}").split())
    me.until("all of them", lambda: ips == set(re.findall(
        r"Address \d+: (\S+)", me("exec", "asker", "--", "nslookup", "crew").split("\n\n", 1)[1])))


BUSYBOX = """
apiVersion: v1
kind: Pod
metadata: {name: busybox}
spec:
  containers:
  - {name: busybox, image: "busybox:1.28.4", command: [sleep, "3600"], imagePullPolicy: IfNotPresent}
"""

CUSTOM_DNS = """
apiVersion: v1
kind: Pod
metadata: {name: own-names}
spec:
  containers: [{name: c, image: nginx}]
  dnsPolicy: None
  dnsConfig:
    nameservers: [203.0.113.7]
    searches: [shipyard.svc.cluster.local, names.example.org]
    options: [{name: ndots, value: "2"}, {name: edns0}]
"""


def names_in_pods(me):
    me.create(BUSYBOX)
    me.ready("pod/busybox")
    server = me.field(".spec.clusterIP", "service", "kube-dns", "-n", "kube-system")
    conf = me("exec", "-i", "busybox", "--", "cat", "/etc/resolv.conf")
    check_in(f"nameserver {server}\n", conf, "resolv.conf")
    check_in(f"search {me.ns}.svc.cluster.local svc.cluster.local cluster.local", conf, "search")
    check_in("options ndots:5", conf, "options")
    kubernetes = me.field(".spec.clusterIP", "service", "kubernetes", "-n", "default")
    check_in(kubernetes, me("exec", "busybox", "--", "nslookup", "kubernetes.default"), "the API's name")
    ip = me.field(".status.podIP", "pod", "busybox")
    dashed = ip.replace(".", "-")
    check_in(ip, me("exec", "busybox", "--", "nslookup", f"{dashed}.{me.ns}.pod.cluster.local"), "a pod's name")
    check_in(server, me("exec", "busybox", "--", "nslookup", "kube-dns.kube-system.svc.cluster.local"),
             "the DNS itself")
    done = me.run("exec", "busybox", "--", "nslookup", "no-such-service")
    check(done.returncode != 0, "a name that nobody has")


def own_resolv_conf(me):
    me.create(CUSTOM_DNS)
    me.ready("pod/own-names")
    check_equal(me("exec", "own-names", "--", "cat", "/etc/resolv.conf").splitlines(),
                ["search shipyard.svc.cluster.local names.example.org", "nameserver 203.0.113.7",
                 "options ndots:2 edns0"], "resolv.conf")


def other_namespaces(me):
    """SERVICE here, SERVICE.NAMESPACE from elsewhere, and a name for something outside."""
    app(me, "bank", 1)
    me("expose", "deployment", "bank", "--port=80", "--target-port=8080")
    other = f"abroad-{me.tag}"
    me("create", "namespace", other)
    me.until("the account", lambda: me.run("get", "sa", "default", "-n", other).returncode == 0)
    me("run", "visitor", "-n", other, "--image=busybox", "--restart=Never", "--", "sleep", "3600")
    me.ready("pod/visitor", "-n", other)
    check_equal(me("exec", "visitor", "-n", other, "--", "wget", "-qO-", f"http://bank.{me.ns}/hostname"),
                me.names("pods", "-l", "app=bank")[0], "from another namespace")
    check(me.run("exec", "visitor", "-n", other, "--", "wget", "-qO-", "-T", "2", "http://bank/").returncode != 0,
          "the short name means the own namespace")
    me("create", "service", "externalname", "archive", "--external-name=docs.example.com")
    check_in("docs.example.com", me("get", "service", "archive"), "ExternalName")
    me("create", "service", "clusterip", "foo", "--tcp=5678:8080")
    check_in("5678/TCP", me("get", "service", "foo"), "create service clusterip")
    me("delete", "svc", "foo")
    me("delete", "namespace", other, "--wait=false")


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: door}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.%(tag)s.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
  - host: blog.%(tag)s.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: blog, port: {number: 80}}}}]}
%(all)s
"""
ALL_HOSTS = """  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: rest, port: {number: 80}}}}]}
"""


def ingress(me):
    """One address, many Services: by host name, and for requests without one of them."""
    me("apply", "-f", os.path.join(SOURCE, "examples/ingress-class.yaml"))
    for name in ("shop", "blog", "rest"):
        app(me, name, 1)
        me("expose", "deployment", name, "--port=80", "--target-port=8080")
    # Only one of the two students has all other hosts.
    me("create", "-f", me.file("door.yaml", INGRESS % {"tag": me.tag, "all": "" if me.number else ALL_HOSTS}))
    address = me.until("an address", lambda: me.field(".status.loadBalancer.ingress[0].ip", "ingress", "door"))
    text = me("describe", "ingress")
    for part in (f"shop.{me.tag}.example.com", "shop:80", "blog:80"):
        check_in(part, text, "describe")
    port = low(80)

    def asked(host):
        return page(f"http://{host}:{port}/hostname", "--resolve", f"{host}:{port}:{address}")
    for name in ("shop", "blog"):
        pod = me.names("pods", "-l", f"app={name}")[0]
        me.until(name, lambda: asked(f"{name}.{me.tag}.example.com") == pod)
    if not me.number:
        check_equal(asked("anything.example.org"), me.names("pods", "-l", "app=rest")[0], "no host")
    # kubectl edit, as a person would: another backend for the blog.
    me("edit", "ingress", "door", env={"EDITOR": "sed -i 's/name: blog/name: shop/'"})
    pod = me.names("pods", "-l", "app=shop")[0]
    me.until("edited", lambda: asked(f"blog.{me.tag}.example.com") == pod)


if __name__ == "__main__":
    course([node_port, cluster_ip, load_balancer, headless, names_in_pods, own_resolv_conf,
            other_namespaces, ingress], nodes=2, load_balancers=True)
