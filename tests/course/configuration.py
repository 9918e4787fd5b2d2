#!/usr/bin/env python3
"""Course: what an application is told. Environment variables, ConfigMaps and Secrets as variables and
as files, a web server with its configuration and certificate from them."""
import os
import re
import subprocess

from student import check, check_equal, check_in, course, curl, free_port, stop

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: by-variable}
spec:
  containers:
  - name: app
    image: busybox:1.28
    command: [sh, -c, "echo $(WIND) && sleep 3600"]
    env: [{name: WIND, valueFrom: {configMapKeyRef: {name: weather, key: wind}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: by-file}
spec:
  containers:
  - name: app
    image: busybox
    command: [sh, -c, "sleep 3600"]
    volumeMounts: [{name: weather, mountPath: /etc/weather}]
  volumes: [{name: weather, configMap: {name: weather}}]
"""


def config_maps(me):
    me("create", "configmap", "weather", "--from-literal=wind=north", "--from-literal=sea=rough")
    check_in("wind: north", me("get", "configmap", "weather", "-o", "yaml"), "the object")
    me.apply(PODS)
    me.ready("pod/by-variable", "pod/by-file")
    me.until("the variable", lambda: me("logs", "by-variable") == "north\n")
    check_equal(me("exec", "by-file", "--", "ls", "/etc/weather").split(), ["sea", "wind"], "the keys are files")
    check_equal(me("exec", "by-file", "--", "cat", "/etc/weather/wind"), "north", "and have the values")
    # A file follows the ConfigMap, a variable does not.
    me("patch", "configmap", "weather", "-p", '{"data":{"wind":"south"}}')
    me.until("the file follows", lambda: me("exec", "by-file", "--", "cat", "/etc/weather/wind") == "south")
    check_equal(me("logs", "by-variable"), "north\n", "the variable is what it was at the start")
    me.file("notes.txt", "keep clear\n")
    me("create", "configmap", "files", "--from-file=notes.txt", "--from-file=other=notes.txt")
    check_equal(me.get("configmap", "files")["data"], {"notes.txt": "keep clear\n", "other": "keep clear\n"}, "from files")
    check_in("keep clear", me("describe", "configmap", "files"), "describe")


SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: papers}
stringData: {cert: "sealed", key: "turned"}
---
apiVersion: v1
kind: Pod
metadata: {name: holds}
spec:
  containers:
  - name: app
    image: busybox
    command: [sh, -c, "echo Ahoy && sleep 3600"]
    env: [{name: PAPERS, valueFrom: {secretKeyRef: {name: papers, key: cert}}}]
    volumeMounts: [{name: papers, mountPath: /etc/papers, readOnly: true}]
  volumes: [{name: papers, secret: {secretName: papers}}]
"""


def secrets(me):
    me.apply(SECRET)
    me.ready("pod/holds")
    check_equal(me("exec", "-i", "holds", "--", "sh", stdin="echo $PAPERS\nexit\n"), "sealed\n", "the variable")
    check_equal(me("exec", "holds", "--", "ls", "/etc/papers").split(), ["cert", "key"], "the files")
    check_equal(me("exec", "holds", "--", "cat", "/etc/papers/key"), "turned", "decoded")
    check(me.run("exec", "holds", "--", "sh", "-c", "echo x > /etc/papers/key").returncode != 0, "read-only")
    check_equal(me("get", "secret", "papers", "-o", "go-template={{.data.cert | base64decode}}"), "sealed",
                "a template decodes it")
    check_equal(me.sh("kubectl get secret papers -o jsonpath='{.data.cert}' | base64 --decode"), "sealed", "so does a shell")
    text = me("describe", "secret", "papers")
    check("sealed" not in text and "6 bytes" in text, f"describe does not show it: {text}")
    check_in("Opaque", me("get", "secrets"), "its type")
    # Each pod has a token of its own, and the cluster's certificate.
    check_equal(me("exec", "holds", "--", "ls", "/var/run/secrets/kubernetes.io/serviceaccount").split(),
                ["ca.crt", "namespace", "token"], "the account's files")
    check_equal(me("exec", "holds", "--", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/namespace"), me.ns, "namespace")
    check_in("/var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-", me("describe", "pod", "holds"), "the mount")


def missing_then_there(me):
    """A pod waits for what it names."""
    me.apply(PODS)
    me.until("it waits", lambda: me.reason("by-variable") == "CreateContainerConfigError")
    me.until("why", lambda: 'configmap "weather" not found' in me("describe", "pod", "by-variable"))
    me("create", "configmap", "weather", "--from-literal=wind=west")
    me.ready("pod/by-variable", "pod/by-file")


HTTPS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data:
  site.conf: |
    server {
        listen 80;
        listen 443 ssl;
        server_name harbour.example.org;
        ssl_certificate certs/https.cert;
        ssl_certificate_key certs/https.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers HIGH:!aNULL:!MD5;
        location / {
            root /usr/share/nginx/html;
            index index.html index.htm;
        }
    }
  pause: "1"
---
apiVersion: v1
kind: Pod
metadata: {name: site}
spec:
  containers:
  - name: writer
    image: busybox
    env: [{name: PAUSE, valueFrom: {configMapKeyRef: {name: conf, key: pause}}}]
    command: [sh, -c, "while true; do echo tide tables > /var/htdocs/index.html; sleep $PAUSE; done"]
    volumeMounts: [{name: html, mountPath: /var/htdocs}]
  - name: server
    image: nginx:alpine
    ports: [{containerPort: 80}, {containerPort: 443}]
    volumeMounts:
    - {name: html, mountPath: /usr/share/nginx/html, readOnly: true}
    - {name: conf, mountPath: /etc/nginx/conf.d, readOnly: true}
    - {name: certs, mountPath: /etc/nginx/certs/, readOnly: true}
  volumes:
  - {name: html, emptyDir: {}}
  - {name: conf, configMap: {name: conf, items: [{key: site.conf, path: https.conf}]}}
  - {name: certs, secret: {secretName: https}}
"""


def https_server(me):
    """Certificate and key from a Secret, configuration from a ConfigMap, pages from a neighbour."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
                    "/CN=harbour.example.org", "-addext", "subjectAltName=DNS:harbour.example.org", "-keyout", "https.key", "-out", "https.cert"],
                   check=True, capture_output=True, cwd=me.dir)
    me.file("file", "")
    me("create", "secret", "generic", "https", "--from-file=https.key", "--from-file=https.cert", "--from-file=file")
    check_in("https.cert: LS0t", me("get", "secrets", "https", "-o", "yaml"), "in base64")
    me.apply(HTTPS)
    me.ready("pod/site")
    mount = me("exec", "site", "-c", "server", "--", "mount")
    check(re.search(r" on /etc/nginx/certs type \S+ \(ro", mount), f"the Secret is mounted:\n{mount}")
    port = free_port()
    forward = me.start("port-forward", "site", f"{port}:443")
    try:
        me.until("the page", lambda: curl("-k", f"https://localhost:{port}")[0] == "tide tables\n")
        check_equal(curl("--cacert", os.path.join(me.dir, "https.cert"), "--resolve",
                         f"harbour.example.org:{port}:127.0.0.1", f"https://harbour.example.org:{port}/"),
                    ("tide tables\n", 0), "with the certificate of the Secret")
    finally:
        stop(forward)


if __name__ == "__main__":
    course([config_maps, secrets, missing_then_there, https_server], nodes=1)
