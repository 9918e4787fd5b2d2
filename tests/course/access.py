#!/usr/bin/env python3
"""Course: who may do what. Accounts of services and of people, roles, certificates, kubeconfigs,
private registries and what a container may."""
import json
import os
import subprocess

from student import ROOT, check, check_equal, check_in, course, curl, free_port, stop


def service_accounts(me):
    check_in("default", me("get", "serviceaccounts"), "there is one from the start")
    me("create", "serviceaccount", "builder")
    check_in("builder", me("get", "sa"), "short")
    check_in("kind: ServiceAccount", me("get", "serviceaccounts", "builder", "-o", "yaml"), "YAML")
    me.apply("""
apiVersion: v1
kind: Pod
metadata: {name: works}
spec:
  serviceAccountName: builder
  containers: [{name: c, image: "busybox:1.28.4", command: [sleep, "3600"]}]
""")
    me.ready("pod/works")
    check_equal(me.field(".spec.serviceAccountName", "pod", "works"), "builder", "the pod's")
    token = me("exec", "works", "--", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token")
    server = json.loads(me("config", "view", "--raw", "-o", "json"))["clusters"][0]["cluster"]["server"]
    theirs = {"KUBECONFIG": os.path.join(me.dir, "builder.config")}
    me("config", "set-cluster", "lab", f"--server={server}", f"--certificate-authority={me.lab.dir}/pki/ca.crt", env=theirs)
    me("config", "set-credentials", "builder", f"--token={token}", env=theirs)
    me("config", "set-context", "lab", "--cluster=lab", "--user=builder", env=theirs)
    me("config", "use-context", "lab", env=theirs)
    who = json.loads(me("auth", "whoami", "-o", "json", env=theirs))
    check_equal(who["status"]["userInfo"]["username"], f"system:serviceaccount:{me.ns}:builder", "who it is")
    # Secrets with tokens are made by asking for one, no longer by themselves.
    me.apply("""
apiVersion: v1
kind: Secret
metadata: {name: builder-token, annotations: {kubernetes.io/service-account.name: builder}}
type: kubernetes.io/service-account-token
""")
    me.until("a token", lambda: "token:" in me("describe", "secret", "builder-token"))
    me("create", "token", "builder")
    me.fails("run", "nobody", "--image=nginx", "--overrides",
             '{"spec":{"serviceAccountName":"nobody"}}', says='serviceaccount "nobody" not found')


def roles(me):
    """A role says what, a binding says who; through kubectl proxy and from a pod."""
    web = f"web-{me.tag}"
    me("create", "ns", web)
    me.apply(f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{namespace: {web}, name: service-reader}}
rules: [{{apiGroups: [""], verbs: [get, list], resources: [services]}}]
""")
    me("create", "rolebinding", "test", "--role=service-reader", f"--serviceaccount={web}:default", "-n", web)
    account = f"system:serviceaccount:{web}:default"
    check_equal(me("auth", "can-i", "list", "services", "-n", web, "--as", account).strip(), "yes", "may")
    check_equal(me.run("auth", "can-i", "delete", "services", "-n", web, "--as", account).stdout.strip(), "no", "may not")
    check_equal(me.run("auth", "can-i", "list", "services", "-n", me.ns, "--as", account).stdout.strip(), "no", "elsewhere")
    check_equal(me("auth", "can-i", "create", "deployments", "--namespace", web).strip(), "yes", "the administrator")
    port = free_port()
    proxy = me.start("proxy", f"--port={port}")
    try:
        me.until("the proxy", lambda: json.loads(curl(
            f"localhost:{port}/api/v1/namespaces/{web}/services")[0] or "{}").get("kind") == "ServiceList")
    finally:
        stop(proxy)
    me("create", "clusterrole", f"pv-reader-{me.tag}", "--verb=get,list", "--resource=persistentvolumes")
    me("create", "clusterrolebinding", f"pv-test-{me.tag}", f"--clusterrole=pv-reader-{me.tag}",
       f"--serviceaccount={web}:default")
    me.until("the account", lambda: me.run("get", "sa", "default", "-n", web).returncode == 0)
    me.apply(f"""
apiVersion: v1
kind: Pod
metadata: {{name: curlpod, namespace: {web}}}
spec:
  containers:
  - {{name: main, image: tutum/curl, command: [sleep, "9999999"]}}
  - {{name: proxy, image: container-images/kubectl-proxy}}
""")
    me.ready("pod/curlpod", "-n", web)

    def inside(path):
        return json.loads(me("exec", "-i", "curlpod", "-c", "main", "-n", web, "--", "curl", "-s",
                             f"localhost:8001{path}"))
    check_equal(me.until("an answer", lambda: inside("/api/v1/persistentvolumes"))["kind"], "PersistentVolumeList",
                "what the ClusterRole allows")
    check_equal(inside(f"/api/v1/namespaces/{web}/services")["kind"], "ServiceList", "what the Role allows")
    refused = inside("/api/v1/nodes")
    check_equal((refused["code"], account in refused["message"]), (403, True), "what nobody allowed")
    me("delete", "clusterrolebinding", f"pv-test-{me.tag}")
    me("delete", "clusterrole", f"pv-reader-{me.tag}")
    me("delete", "namespace", web, "--wait=false")


CSR = """
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: %(name)s}
spec:
  signerName: %(signer)s
  request: %(request)s
  usages: [%(usages)s]
"""


def request(me, name, subject):
    subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
                    "-keyout", f"{name}.key", "-out", f"{name}.csr"], check=True, capture_output=True, cwd=me.dir)
    return me.sh(f"cat {name}.csr | base64 | tr -d '\\n'")


def certificates(me):
    """From a request to a certificate to a login."""
    name = f"kit-{me.tag}"
    me.create(CSR % {"name": name, "signer": "kubernetes.io/kube-apiserver-client", "usages": "client auth",
                     "request": request(me, name, f"/O=sailors/CN={name}")})
    check_in("Pending", me("get", "csr", name), "it waits for somebody")
    check_in(f"Common Name:    {name}", me("describe", "csr", name), "describe")
    me("certificate", "approve", name)
    me.until("signed", lambda: "Approved,Issued" in me("get", "csr", name))
    me.sh(f"kubectl get csr {name} -o jsonpath='{{.status.certificate}}' | base64 --decode > {name}.crt")
    server = json.loads(me("config", "view", "--raw", "-o", "json"))["clusters"][0]["cluster"]["server"]
    ca = os.path.join(me.lab.dir, "pki/ca.crt")
    # A kubeconfig for somebody elsewhere.
    mine = {"KUBECONFIG": os.path.join(me.dir, "kit.config")}
    me("config", "set-cluster", "lab", f"--server={server}", f"--certificate-authority={ca}", "--embed-certs=true", env=mine)
    me("config", "set-credentials", name, f"--client-certificate={name}.crt", f"--client-key={name}.key", env=mine)
    me("config", "set-context", "lab", "--cluster=lab", f"--user={name}", f"--namespace={me.ns}", env=mine)
    me("config", "use-context", "lab", env=mine)
    me.fails("get", "pods", env=mine, says=f'User "{name}" cannot list resource "pods"')
    me("create", "role", "looker", "--verb=get,list,watch", "--resource=pods")
    me("create", "rolebinding", "sailors", "--role=looker", "--group=sailors")
    me("get", "pods", env=mine)
    me.fails("get", "nodes", env=mine, says="forbidden")
    # One for a server that nobody approves.
    other = f"pod-csr-{me.tag}"
    me.create(CSR % {"name": other, "signer": "example.com/lab", "usages": "digital signature, server auth",
                     "request": request(me, other, "/CN=my-pod.pod.cluster.local")})
    me("certificate", "deny", other)
    check_in("Denied", me("get", "csr", other), "denied")
    me("delete", "csr", name, other)


def strangers(me):
    """Passwords are no longer taken; who is nobody is system:anonymous, and may what is bound to that."""
    server = json.loads(me("config", "view", "--raw", "-o", "json"))["clusters"][0]["cluster"]["server"]
    nobody = {"KUBECONFIG": os.path.join(me.dir, "nobody.config")}
    me("config", "set-cluster", "kubernetes", f"--server={server}",
       f"--certificate-authority={me.lab.dir}/pki/ca.crt", env=nobody)
    me("config", "set-credentials", "pogo", "--username=pogo", "--password=password", env=nobody)
    me("config", "set-context", "kubernetes", "--cluster=kubernetes", "--user=pogo", "--namespace=default", env=nobody)
    me("config", "use-context", "kubernetes", env=nobody)
    check_equal(me("config", "current-context", env=nobody).strip(), "kubernetes", "the context")
    me.fails("get", "nodes", env=nobody, says='User "system:anonymous" cannot')
    me("create", "clusterrolebinding", f"anonymous-{me.tag}", "--clusterrole=view", "--user=system:anonymous")
    answer, code = curl("-k", f"{server}/api/v1/namespaces/{me.ns}/pods")
    check_equal(json.loads(answer)["kind"], "PodList", "anonymous may look now")
    me("delete", "clusterrolebinding", f"anonymous-{me.tag}")


def private_registry(me):
    """An image that only its owners may pull."""
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  containers:
  - {name: web, image: registry.example.com/private/web, command: [sh, -c, "echo Hello && sleep 3600"], imagePullPolicy: Always}
"""
    me.apply(pod % "stranger")
    me.until("the refusal", lambda: "pull access denied" in me("describe", "pod", "stranger"))
    me("create", "secret", "docker-registry", "reg", "--docker-server=https://registry.example.com",
       "--docker-username=student", "--docker-password=coracle", "--docker-email=student@example.com")
    check_in("kubernetes.io/dockerconfigjson", me("get", "secret", "reg"), "its type")
    me("patch", "sa", "default", "-p", '{"imagePullSecrets": [{"name": "reg"}]}')
    check_in("name: reg", me("get", "sa", "default", "-o", "yaml"), "the account has it")
    me.apply(pod % "friend")
    me.ready("pod/friend")
    check_equal(me.field(".spec.imagePullSecrets[0].name", "pod", "friend"), "reg", "from the account")
    check_equal(me("logs", "friend"), "Hello\n", "it runs")


CONTEXT = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s}
spec:
  containers:
  - name: main
    image: alpine
    command: [/bin/sleep, "999999"]
    securityContext: {%(context)s}
"""


def security_contexts(me):
    for name, context in [("defaults", ""), ("guest", "runAsUser: 405"), ("no-root", "runAsNonRoot: true"),
                          ("privileged", "privileged: true"), ("clock", "capabilities: {add: [SYS_TIME]}"),
                          ("no-chown", "capabilities: {drop: [CHOWN]}")]:
        me.apply(CONTEXT % {"name": name, "context": context})
    me.apply((CONTEXT % {"name": "read-only", "context": "readOnlyRootFilesystem: true"}).rstrip() + """
    volumeMounts: [{name: v, mountPath: /volume}]
  volumes: [{name: v, emptyDir: {}}]
""")
    me.ready("pod/defaults", "pod/guest", "pod/privileged", "pod/clock", "pod/no-chown", "pod/read-only")

    def run(pod, *words):
        done = me.run("exec", pod, "--", *words)
        return done.stdout + done.stderr, done.returncode
    check_in("uid=0(root) gid=0(root)", run("defaults", "id")[0], "root by default")
    check_in("uid=405(guest)", run("guest", "id")[0], "the user asked for")
    if ROOT:
        check_in("gid=100(users)", run("guest", "id")[0], "and its group")
    me.until("refused", lambda: me.reason("no-root") == "CreateContainerConfigError")
    check_in("container has runAsNonRoot and image will run as root", me("describe", "pod", "no-root"), "why")
    check_in("not permitted", run("defaults", "date", "-s", "12:00:00")[0], "the clock is not theirs")
    check_in("not permitted", run("clock", "date", "-s", "12:00:00")[0], "nor is the machine's in a lab")
    if ROOT:
        check_equal(run("defaults", "chown", "guest", "/tmp")[1], 0, "root may")
    # An ordinary user's containers have one user: there is nobody to give it to.
    refused = "Operation not permitted" if ROOT else "Invalid argument"
    check_in(refused, run("no-chown", "chown", "guest", "/tmp")[0], "without the capability")
    check_in("Read-only file system", run("read-only", "touch", "/new-file")[0], "the root is not writable")
    check_equal(run("read-only", "touch", "/volume/newfile")[1], 0, "a volume is")
    check_in("newfile", run("read-only", "ls", "-la", "/volume")[0], "there it is")
    check("null" in run("privileged", "ls", "/dev")[0], "devices")


def groups(me):
    """Users of each container, groups of the pod, and whose a file is."""
    me.apply("""
apiVersion: v1
kind: Pod
metadata: {name: group-context}
spec:
  securityContext: {fsGroup: 555, supplementalGroups: [666, 777]}
  containers:
  - {name: first, image: alpine, command: [/bin/sleep, "999999"], securityContext: {runAsUser: 1111}, volumeMounts: [{name: shared, mountPath: /volume}]}
  - {name: second, image: alpine, command: [/bin/sleep, "999999"], securityContext: {runAsUser: 2222}, volumeMounts: [{name: shared, mountPath: /volume}]}
  volumes: [{name: shared, emptyDir: {}}]
""")
    me.ready("pod/group-context")
    said = me("exec", "-i", "group-context", "-c", "first", "--", "sh",
              stdin="id\necho file > /volume/file; ls -ln /volume/file\necho file > /tmp/file; ls -ln /tmp/file\n").splitlines()
    check_in("uid=1111", said[0], "the user")
    if ROOT:  # an ordinary user's containers have one user and one group
        check_in("groups=555,666,777", said[0].replace("gid=0(root) groups=0(root),", "groups="), "the groups")
        check_equal(said[1].split()[2:4], ["1111", "555"], "in the volume")
        check_equal(said[2].split()[2:4], ["1111", "0"], "elsewhere")
        check_in("uid=2222", me("exec", "group-context", "-c", "second", "--", "id"), "the other")


if __name__ == "__main__":
    course([service_accounts, roles, certificates, strangers, private_registry, security_contexts, groups],
           nodes=1)
