#!/usr/bin/env python3
"""Services carry traffic and have names: clients of the machine reach what is behind a Service, by
its cluster address, on node ports, by TCP and UDP, and a stock resolver finds it by name.

    network.py [NAME of a part ...]
"""
import http.server
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request

from lab import SOURCE, Failure, Lab, check, check_equal, check_in, free_port, main, wait_for

HERE = f"127.{random.randint(200, 250)}.{random.randint(1, 250)}."  # of this test's servers


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.name.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Backends:
    """HTTP servers, each saying its name, on addresses of their own and one port."""

    def __init__(self, count):
        self.servers = []
        for i in range(1, count + 1):
            port = self.servers[0].server_port if self.servers else 0
            server = http.server.ThreadingHTTPServer((f"{HERE}{i}", port), Web)
            server.daemon_threads = True
            server.name = f"s{i}"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.servers.append(server)
        self.port = self.servers[0].server_port

    def stop(self, i):
        self.servers[i].shutdown()
        self.servers[i].server_close()

    def close(self):
        for i in range(len(self.servers)):
            self.stop(i)


def slice_of(service, endpoints, port, name="", protocol="TCP"):
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": service + "-1", "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv4", "endpoints": endpoints,
            "ports": [{"name": name, "port": port, "protocol": protocol}]}


def endpoint(i, ready=True, **more):
    return {"addresses": [f"{HERE}{i}"], "conditions": {"ready": ready}, **more}


def apply(lab, *objects):
    for item in objects:
        lab.kubectl("apply", "-f", "-", stdin=json.dumps(item))


def ask(address, port):
    with urllib.request.urlopen(f"http://{address}:{port}/", timeout=5) as answer:
        return answer.read().decode()


def answers(address, port, count=6):
    """Who answered; None stands for nobody."""
    seen = []
    for _ in range(count):
        try:
            seen.append(ask(address, port))
        except OSError:
            seen.append(None)
    return set(seen)


def expect(what, address, port, want):
    wait_for(f"{what}: {want}", lambda: answers(address, port) == want, seconds=60)


def services(lab):
    web = Backends(3)
    lab.kubectl("create", "service", "nodeport", "web", f"--tcp=8080:{web.port}")
    lab.kubectl("patch", "service", "web", "-p", '{"spec":{"selector":null}}')
    service = lab.get("service", "web")
    address, port = service["spec"]["clusterIP"], 8080
    node_port = service["spec"]["ports"][0]["nodePort"]
    name = service["spec"]["ports"][0]["name"]
    try:
        ask(address, port)
        raise Failure("somebody answered where nobody is")
    except OSError:
        pass
    apply(lab, slice_of("web", [endpoint(1), endpoint(2), endpoint(3, ready=False)], web.port, name))
    expect("ready ones answer", address, port, {"s1", "s2"})
    nodes = [a["address"] for n in lab.get("nodes")["items"] for a in n["status"]["addresses"]
             if a["type"] == "InternalIP"]
    for node in [*nodes, "127.0.0.1"]:
        expect(f"the node port on {node}", node, node_port, {"s1", "s2"})
    web.stop(0)
    expect("who is dead but called ready is passed over", address, port, {"s2"})
    apply(lab, slice_of("web", [endpoint(3)], web.port, name))
    expect("others took over", address, port, {"s3"})
    lab.kubectl("patch", "service", "web", "-p", '{"spec":{"sessionAffinity":"ClientIP"}}')
    apply(lab, slice_of("web", [endpoint(2), endpoint(3)], web.port, name))
    wait_for("a client stays", lambda: len(answers(address, port, 12)) == 1, seconds=60)
    # Traffic from outside stays on the node that was asked.
    lab.kubectl("patch", "service", "web", "-p",
                '{"spec":{"sessionAffinity":"None","externalTrafficPolicy":"Local"}}')
    apply(lab, slice_of("web", [endpoint(2, nodeName="node-1"), endpoint(3, nodeName="node-2")],
                        web.port, name))
    expect("its own", nodes[0], node_port, {"s2"})
    expect("its own", nodes[1], node_port, {"s3"})
    expect("inside, all", address, port, {"s2", "s3"})
    lab.kubectl("delete", "service", "web")
    expect("nobody listens any more", address, port, {None})
    web.servers = web.servers[1:]
    web.close()


def apiserver_inside(lab):
    """The address of default/kubernetes leads to the apiserver, whose certificate names it."""
    address = lab.get("service", "kubernetes")["spec"]["clusterIP"]
    if not may_listen_low():
        return print("skipped: ports under 1024 are not for this user", flush=True)
    pki = os.path.join(lab.dir, "pki")

    def version():
        done = subprocess.run(["curl", "-sS", "--cacert", f"{pki}/ca.crt", f"https://{address}/version"],
                              capture_output=True, text=True)
        check_equal(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)
    check_equal(wait_for("the apiserver", version)["major"], "1", "/version")


def datagrams(lab):
    echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    echo.bind((HERE + "1", 0))

    def serve():
        while True:
            try:
                data, sender = echo.recvfrom(2048)
                echo.sendto(b"re: " + data, sender)
            except OSError:
                return
    threading.Thread(target=serve, daemon=True).start()
    port = echo.getsockname()[1]
    apply(lab, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "echo"},
                "spec": {"ports": [{"port": 9999, "protocol": "UDP", "targetPort": port}]}},
          slice_of("echo", [endpoint(1)], port, protocol="UDP"))
    address = lab.get("service", "echo")["spec"]["clusterIP"]
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(0.5)

    def asked():
        client.sendto(b"hello", (address, 9999))
        try:
            return client.recv(2048) == b"re: hello"
        except OSError:
            return False
    wait_for("an answer to a datagram", asked, seconds=60)
    client.close()
    echo.close()


def may_listen_low():
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as f:
        return os.geteuid() == 0 or int(f.read()) <= 53


def low(port):
    """Where a port under 1024 is listened on."""
    return port if may_listen_low() else port + 10000


def names(lab):
    if not may_listen_low():
        return print("skipped: port 53 is not for this user", flush=True)
    server = lab.get("service", "kube-dns", "-n", "kube-system")["spec"]["clusterIP"]
    lab.kubectl("create", "namespace", "shop")
    lab.kubectl("create", "service", "clusterip", "db", "--clusterip=None", "-n", "shop")
    lab.kubectl("create", "service", "externalname", "out", "--external-name=example.com")
    item = slice_of("db", [endpoint(1, hostname="db-0"), endpoint(2)], 5432, "sql")
    item["metadata"]["namespace"] = "shop"
    apply(lab, item)

    def look_up(name, *more):
        done = subprocess.run([shutil.which("busybox"), "nslookup", *more, name, server],
                              capture_output=True, text=True, timeout=30)
        return done.stdout + done.stderr
    kubernetes = lab.get("service", "kubernetes")["spec"]["clusterIP"]
    wait_for("the name of the apiserver",
             lambda: f"Address: {kubernetes}" in look_up("kubernetes.default.svc.cluster.local"))
    wait_for("all endpoints of a headless Service", lambda: all(
        f"Address: {HERE}{i}" in look_up("db.shop.svc.cluster.local") for i in (1, 2)))
    check_in(f"Address: {HERE}1", look_up("db-0.db.shop.svc.cluster.local"), "a host name")
    check_in("service = 0 100 5432 db-0.db.shop.svc.cluster.local",
             look_up("_sql._tcp.db.shop.svc.cluster.local", "-type=srv").lower(), "SRV")
    check_in("name = db-0.db.shop.svc.cluster.local", look_up(f"{HERE}1"), "PTR")
    check_in("NXDOMAIN", look_up("nobody.shop.svc.cluster.local"), "a name nobody has")
    check_in("canonical name = example.com", look_up("out.default.svc.cluster.local"), "CNAME")
    check_in("CoreDNS is running at", lab.out("cluster-info"), "cluster-info")


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front}
spec:
  ingressClassName: nginx
  tls: [{hosts: [shop.example.com], secretName: shop-tls}]
  rules:
  - host: shop.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 8080}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: plain}
spec:
  ingressClassName: nginx
  rules:
  - host: blog.example.com
    http:
      paths:
      - {path: /a, pathType: Prefix, backend: {service: {name: web, port: {number: 8080}}}}
      - {path: /nobody, pathType: Prefix, backend: {service: {name: nobody, port: {number: 80}}}}
"""


def ingress(lab):
    web = Backends(2)
    apply(lab, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                "spec": {"ports": [{"port": 8080, "targetPort": web.port}]}},
          slice_of("web", [endpoint(1), endpoint(2)], web.port))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=shop", "-addext", "subjectAltName=DNS:shop.example.com",
                    "-keyout", f"{lab.root}/tls.key", "-out", f"{lab.root}/tls.crt"],
                   check=True, capture_output=True)
    lab.kubectl("create", "secret", "tls", "shop-tls", f"--key={lab.root}/tls.key",
                f"--cert={lab.root}/tls.crt")
    lab.kubectl("apply", "-f", "-", stdin=INGRESS)
    check_equal(lab.get("ingress", "front")["status"], {"loadBalancer": {}},
                "nobody serves the class before there is one")
    lab.kubectl("apply", "-f", os.path.join(SOURCE, "examples/ingress-class.yaml"))
    address = wait_for("an address", lambda: lab.get("ingress", "front")["status"]["loadBalancer"]
                       .get("ingress", [{}])[0].get("ip"))

    def curl(url, host, *more):
        port = 443 if url.startswith("https") else 80
        done = subprocess.run(["curl", "-sS", "--max-time", "10", "--connect-to",
                               f"{host}:{port}:{address}:{low(port)}", "-o", "-", "-w",
                               "\n%{http_code}", *more, url], capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"{url}: {done.stderr}")
        return tuple(done.stdout.rsplit("\n", 1))
    check_in(wait_for("an answer", lambda: curl("http://blog.example.com/a", "blog.example.com")),
             [("s1", "200"), ("s2", "200")], "by host and path")
    check_equal(curl("http://blog.example.com/b", "blog.example.com")[1], "404", "no rule")
    check_equal(curl("http://blog.example.com/nobody", "blog.example.com")[1], "503", "no endpoint")
    check_equal(curl("http://shop.example.com/", "shop.example.com")[1], "308", "TLS is meant")
    check_in(curl("https://shop.example.com/", "shop.example.com", "--cacert", f"{lab.root}/tls.crt"),
             [("s1", "200"), ("s2", "200")], "with the certificate of the Secret")
    lab.kubectl("delete", "ingress", "--all")

    def closed():
        try:
            curl("http://blog.example.com/a", "blog.example.com")
        except Failure:
            return True
    wait_for("nobody listens any more", closed)
    lab.kubectl("delete", "service", "web")
    web.close()


def side_by_side(lab):
    """A second lab on this machine takes addresses of its own."""
    with Lab(replicas=1, nodes=1) as other:
        def addresses(of):
            return of.get("service", "kubernetes")["spec"]["clusterIP"]
        check(addresses(lab) != addresses(other), "two labs have one address")
        web = Backends(1)
        apply(other, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                      "spec": {"ports": [{"port": 8080, "targetPort": web.port}]}},
              slice_of("web", [endpoint(1)], web.port))
        expect("the other's Service", other.get("service", "web")["spec"]["clusterIP"], 8080, {"s1"})
        web.close()
        # It keeps its addresses when it is started again.
        before = addresses(other)
        check_equal(other.coracle("down").returncode, 0, "coracle down")
        other.up()
        check_equal(addresses(other), before, "after a restart")


def host_ports(lab):
    """From the node's address to the pod; a port in use keeps another pod away."""
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  nodeName: node-1
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: registry.k8s.io/e2e-test-images/agnhost:2.53
    args: [netexec]
    ports: [{containerPort: 8080, hostPort: %d}]
"""
    port = free_port()
    lab.kubectl("apply", "-f", "-", stdin=pod % ("hosted", port))
    lab.kubectl("wait", "--for=condition=Ready", "pod/hosted", "--timeout=30s")
    address = lab.get("node", "node-1")["status"]["addresses"][0]["address"]

    def page():
        done = subprocess.run(["curl", "-sS", "--max-time", "5", f"http://{address}:{port}/hostname"],
                              capture_output=True, text=True)
        return done.stdout or done.stderr
    wait_for("an answer", lambda: page() == "hosted" or check(False, page()))
    lab.kubectl("apply", "-f", "-", stdin=pod % ("second", port))
    wait_for("no second one", lambda: lab.get("pod", "second")["status"].get("reason") ==
             "NodePorts")
    lab.kubectl("delete", "pod", "hosted", "second")
    wait_for("nobody answers any more", lambda: "connect" in page() or check(False, page()))


PARTS = [services, host_ports, apiserver_inside, datagrams, names, ingress, side_by_side]


def network():
    with Lab(replicas=1) as lab:
        for part in PARTS:
            if not given or part.__name__ in given:
                part(lab)
                print(f"ok {part.__name__}", flush=True)


if __name__ == "__main__":
    given, sys.argv[1:] = sys.argv[1:], []
    main([network], limit=220)
