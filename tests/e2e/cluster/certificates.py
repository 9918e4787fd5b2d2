#!/usr/bin/env python3
"""From a key to a login, with stock kubectl and openssl: a certificate signing request is approved,
signed and used; what is denied, unfit or forged gets no certificate.
"""
import base64
import datetime
import os
import subprocess

from lab import Lab, check, check_equal, check_in, main, need, wait_for

REQUEST = """
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: %(name)s}
spec:
  request: %(request)s
  signerName: %(signer)s
  usages: [%(usages)s]
  %(more)s
"""
CLIENT = "kubernetes.io/kube-apiserver-client"


def openssl(*args, stdin=None):
    done = subprocess.run(["openssl", *args], input=stdin, capture_output=True, check=False)
    check_equal(done.returncode, 0, f"openssl {args}: {done.stderr}")
    return done.stdout


def key_and_request(lab, user, groups=()):
    key, csr = (os.path.join(lab.root, user + end) for end in (".key", ".csr"))
    openssl("genrsa", "-out", key, "2048")
    openssl("req", "-new", "-key", key, "-out", csr,
            "-subj", f"/CN={user}" + "".join(f"/O={g}" for g in groups))
    with open(csr, "rb") as f:
        return key, f.read()


def ask(lab, name, pem, signer=CLIENT, usages="client auth", more=""):
    lab.kubectl("apply", "-f", "-", stdin=REQUEST % dict(
        name=name, request=base64.b64encode(pem).decode(), signer=signer, usages=usages, more=more))


def condition(lab, name):
    return lab.out("get", "csr", name, "--no-headers").split()[-1]


def login(lab):
    key, pem = key_and_request(lab, "kit", ["dev"])
    ask(lab, "kit", pem, more="expirationSeconds: 3600")
    row = lab.out("get", "csr", "kit", "--no-headers").split()
    check_equal(row[2:], [CLIENT, "admin", "60m", "Pending"], "get csr")
    done = lab.kubectl("certificate", "approve", "kit")
    check_in("certificatesigningrequest.certificates.k8s.io/kit approved", done.stdout, "approve")
    wait_for("the certificate", lambda: condition(lab, "kit") == "Approved,Issued")
    text = lab.out("get", "csr", "kit", "-o", "jsonpath={.status.certificate}")
    cert = os.path.join(lab.root, "kit.crt")
    with open(cert, "wb") as f:
        f.write(base64.b64decode(text))
    shown = openssl("x509", "-in", cert, "-noout", "-subject", "-ext", "extendedKeyUsage").decode()
    check_in("CN = kit", shown, "subject")
    check_in("TLS Web Client Authentication", shown, "usage")
    ends = openssl("x509", "-in", cert, "-noout", "-enddate").decode().strip().split("=")[1]
    left = (datetime.datetime.strptime(ends, "%b %d %H:%M:%S %Y GMT")
            - datetime.datetime.utcnow()).total_seconds()
    check(3000 < left <= 3600, f"it lives for {left} s")

    # The course's steps: a user, a context, and what the user may.
    lab.kubectl("config", "set-credentials", "kit", "--client-certificate", cert,
                "--client-key", key, "--embed-certs=true")
    lab.kubectl("config", "set-context", "kit", "--cluster=coracle", "--user=kit")
    who = lab.out("--context=kit", "auth", "whoami")
    check_in("[dev system:authenticated]", who, "groups of the certificate")
    lab.refused("--context=kit", "get", "pods", text='User "kit" cannot list resource "pods"')
    lab.kubectl("create", "rolebinding", "dev", "--clusterrole=view", "--group=dev")
    lab.kubectl("--context=kit", "get", "pods")


def refusals(lab):
    _, pem = key_and_request(lab, "root", ["system:masters"])
    whole = REQUEST % dict(name="root", request=base64.b64encode(pem).decode(), signer=CLIENT,
                           usages="client auth", more="")
    lab.refused("create", "-f", "-", stdin=whole, text='certificatesigningrequests.certificates'
                '.k8s.io "root" is forbidden: use of kubernetes.io/kube-apiserver-client signer '
                'with system:masters group is not allowed')
    _, pem = key_and_request(lab, "ann")
    ask(lab, "denied", pem)
    # To approve one needs more than to write the verdict: the signer must be one's own to approve.
    lab.kubectl("create", "clusterrole", "judge", "--verb=get,list,update",
                "--resource=certificatesigningrequests,certificatesigningrequests/approval")
    lab.kubectl("create", "clusterrolebinding", "judge", "--clusterrole=judge", "--user=ann")
    lab.refused("certificate", "approve", "denied", "--as=ann", text="user not permitted to approve"
                ' requests with signerName "kubernetes.io/kube-apiserver-client"')
    lab.kubectl("certificate", "deny", "denied")
    check_equal(condition(lab, "denied"), "Denied", "get csr")
    ask(lab, "unfit", pem, usages="server auth")
    lab.kubectl("certificate", "approve", "unfit")
    wait_for("it to fail", lambda: condition(lab, "unfit") == "Approved,Failed")
    failed = [c for c in lab.get("csr", "unfit")["status"]["conditions"] if c["type"] == "Failed"]
    check_equal((failed[0]["reason"], failed[0]["message"]),
                ("SignerValidationFailure", "invalid usage for client certificate: server auth"),
                "why it failed")
    ask(lab, "node", pem, signer="kubernetes.io/kube-apiserver-client-kubelet",
        usages="client auth, digital signature")
    lab.kubectl("certificate", "approve", "node")
    wait_for("it to fail", lambda: condition(lab, "node") == "Approved,Failed")
    ask(lab, "elsewhere", pem, signer="example.com/signer")
    lab.kubectl("certificate", "approve", "elsewhere")
    # A request that is not signed by its own key is no request.
    forged = bytearray(base64.b64decode(b"".join(pem.split(b"\n")[1:-2])))
    forged[-5] ^= 1
    text = base64.encodebytes(bytes(forged)).decode()
    whole = f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n"
    lab.refused("create", "-f", "-", text="spec.request: Invalid value", stdin=REQUEST % dict(
        name="forged", request=base64.b64encode(whole.encode()).decode(), signer=CLIENT,
        usages="client auth", more=""))
    check_equal(condition(lab, "elsewhere"), "Approved", "somebody else's signer")
    check_equal(condition(lab, "denied"), "Denied", "a denied one")


def self_approval(lab):
    """Who may create nodeclient requests is approved without a person."""
    _, pem = key_and_request(lab, "system:node:n9", ["system:nodes"])
    signer = "kubernetes.io/kube-apiserver-client-kubelet"
    lab.kubectl("create", "clusterrolebinding", "joiner", "--user=joiner",
                "--clusterrole=system:certificates.k8s.io:certificatesigningrequests:nodeclient")
    lab.kubectl("create", "clusterrolebinding", "joiner-asks", "--user=joiner",
                "--clusterrole=system:node-bootstrapper")
    lab.kubectl("create", "-f", "-", "--as=joiner", stdin=REQUEST % dict(
        name="n9", request=base64.b64encode(pem).decode(), signer=signer,
        usages="client auth, digital signature", more=""))
    wait_for("the certificate", lambda: condition(lab, "n9") == "Approved,Issued")
    message = lab.get("csr", "n9")["status"]["conditions"][0]["message"]
    check_equal(message, "Auto approving kubelet client certificate after SubjectAccessReview.",
                "the verdict")


ACCOUNT_SECRET = """
apiVersion: v1
kind: Secret
metadata:
  name: bot-token
  annotations: {kubernetes.io/service-account.name: bot}
type: kubernetes.io/service-account-token
"""


def kept_tokens(lab):
    """A Secret that names a ServiceAccount holds a token that works, as long as both are there."""
    lab.kubectl("create", "serviceaccount", "bot")
    lab.kubectl("apply", "-f", "-", stdin=ACCOUNT_SECRET)
    text = wait_for("the token", lambda: lab.get("secret", "bot-token").get("data", {}).get("token"))
    token = base64.b64decode(text).decode()
    lab.kubectl("config", "set-credentials", "bot", "--token", token)
    lab.kubectl("config", "set-context", "bot", "--cluster=coracle", "--user=bot")
    check_in("system:serviceaccount:default:bot", lab.out("--context=bot", "auth", "whoami"), "who")
    check_in("ca.crt", lab.out("describe", "secret", "bot-token"), "describe")
    lab.kubectl("delete", "serviceaccount", "bot")
    wait_for("the Secret to go", lambda: "bot-token" not in lab.names_of("secrets"), 60)
    lab.refused("--context=bot", "auth", "whoami", text="You must be logged in")


PARTS = (login, refusals, self_approval, kept_tokens)


def certificates():
    need("openssl")
    with Lab(replicas=1, nodes=1) as lab:
        for part in PARTS:
            part(lab)
            print(f"  {part.__name__}", flush=True)


if __name__ == "__main__":
    main([certificates], limit=150)
