#!/usr/bin/env python3
"""TLS and mutual TLS on the client and the peer ports: who is let in, who is not, renewal, flags."""
import os
import shutil
import socket
import ssl
import subprocess
import tempfile

from cluster import (KVSTORE, Cluster, Member, check, check_equal, free_ports, main, running,
                     wait_for)


class Pki:
    """CAs and certificates for 127.0.0.1 in a folder, made by openssl."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="coracle-pki-")

    def close(self):
        shutil.rmtree(self.dir)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def path(self, name):
        return os.path.join(self.dir, name)

    def openssl(self, *args):
        done = subprocess.run(["openssl", *args], capture_output=True, text=True, cwd=self.dir,
                              stdin=subprocess.DEVNULL)
        check_equal(done.returncode, 0, f"openssl {args}: {done.stderr}")

    def ca(self, name):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-keyout", name + ".key", "-out", name + ".crt",
                     "-subj", f"/CN={name}", "-days", "2")

    def issue(self, ca, name, days=1):
        """NAME.crt and NAME.key, each put in place whole; negative days: expired."""
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", name + ".key.new", "-out", name + ".csr", "-subj", f"/CN={name}")
        with open(self.path("ext"), "w") as f:
            f.write("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
        self.openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".crt", "-CAkey",
                     ca + ".key", "-CAcreateserial", "-days", str(days), "-extfile", "ext",
                     "-out", name + ".crt.new")
        for end in (".key", ".crt"):
            os.replace(self.path(name + end + ".new"), self.path(name + end))

    def flags(self, prefix, name, ca=None):
        flags = [f"--{prefix}cert-file", self.path(name + ".crt"),
                 f"--{prefix}key-file", self.path(name + ".key")]
        if ca:
            flags += [f"--{prefix}trusted-ca-file", self.path(ca + ".crt"),
                      f"--{prefix}client-cert-auth"]
        return flags

    def client(self, ca, name=None):
        """What etcdctl is told."""
        flags = ["--cacert", self.path(ca + ".crt")]
        if name:
            flags += ["--cert", self.path(name + ".crt"), "--key", self.path(name + ".key")]
        return flags


class TlsMember(Member):
    @property
    def endpoint(self):
        return "https://" + super().endpoint

    def args(self):
        secure = super().args()
        return [a.replace("http://", "https://") for a in secure]


class TlsCluster(Cluster):
    """https:// everywhere; etcdctl is given `client` unless a call says otherwise."""

    def __init__(self, size, client, **kw):
        super().__init__(size, **kw)
        self.members = [TlsMember(self, m.name, m.client, m.peer) for m in self.members]
        self.client = client

    def ctl(self, *args, client=None, **kw):
        return super().ctl(*(self.client if client is None else client), *args, **kw)


def start(cluster):
    """As running() does, for a cluster made elsewhere."""
    try:
        cluster.start()
    except BaseException:
        for member in cluster.members:
            print(member.log()[-3000:])
        cluster.close()
        raise
    return cluster


def make_pki(pki):
    for ca in ("ca", "other-ca"):
        pki.ca(ca)
    for name in ("member", "client"):
        pki.issue("ca", name)
    pki.issue("other-ca", "stranger")
    pki.issue("ca", "expired", days=-1)


def handshake(port, pki, name=None, ca="ca"):
    """The server's certificate, or the error that ends the connection."""
    context = ssl.create_default_context(cafile=pki.path(ca + ".crt"))
    context.set_alpn_protocols(["h2"])
    if name:
        context.load_cert_chain(pki.path(name + ".crt"), pki.path(name + ".key"))
    with socket.create_connection(("127.0.0.1", port), 5) as raw:
        try:
            with context.wrap_socket(raw, server_hostname="127.0.0.1") as secure:
                check_equal(secure.selected_alpn_protocol(), "h2", "ALPN")
                # HTTP/2's preface; TLS 1.3 refuses a client only when it first reads.
                secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
                check(secure.recv(9), "the server closed")
                return secure.getpeercert(binary_form=True)
        except (ssl.SSLError, ConnectionError, AssertionError) as error:
            return str(error)


def test_mutual_tls():
    with Pki() as pki:
        make_pki(pki)
        extra = pki.flags("", "member", "ca") + pki.flags("peer-", "member", "ca")
        c = start(TlsCluster(3, pki.client("ca", "client"), extra=extra))
        try:
            leader = c.wait_leader()
            for m in c.members:
                c.ctl("put", "from-" + m.name, "1", on=m)
            check_equal(c.out("get", "--prefix", "from-", "--keys-only").split(),
                        ["from-m1", "from-m2", "from-m3"], "the writes")
            check_equal(c.out("member", "list").count("https://127.0.0.1"), 6, "member list")
            m = c.members[0]
            plain = ["--endpoints", f"http://127.0.0.1:{m.client}"]
            refused = {
                "no client certificate": pki.client("ca"),
                "a client certificate of another CA": pki.client("ca", "stranger"),
                "an expired client certificate": pki.client("ca", "expired"),
                "a server that the client does not trust": pki.client("other-ca", "client"),
                "plain text": plain,
            }
            for what, client in refused.items():
                done = c.ctl("put", "x", "1", "--command-timeout=1s", "--dial-timeout=1s",
                             client=client, on=None if client is plain else m, check=False)
                check(done.returncode != 0, what + " was let in")
            check_equal(c.out("get", "x"), "", "the writes that were refused")
            for port in (m.client, m.peer):
                for name in (None, "stranger", "expired"):
                    got = handshake(port, pki, name)
                    check(isinstance(got, str), f"{name} was let in at port {port}")
                check(isinstance(handshake(port, pki, "client"), bytes), "a good client")
            check("certificate" in m.log(), "the refusals are in the log: " + m.log())
            leader.kill()
            c.wait_leader()
            c.ctl("put", "after", "1", timeout=30)
            leader.start()
            c.wait_ready([leader])
            check_equal(c.out("get", "after", on=leader), "after\n1\n", "the one that came back")
        finally:
            c.close()


def test_members_of_another_ca():
    """Two good members are a majority; the third shows a certificate of another CA."""
    with Pki() as pki:
        make_pki(pki)
        good = pki.flags("", "member", "ca") + pki.flags("peer-", "member", "ca")
        bad = pki.flags("", "member", "ca") + pki.flags("peer-", "stranger", "other-ca")
        c = TlsCluster(3, pki.client("ca", "client"), extra=good)
        try:
            for m in c.members[:2]:
                m.start()
            c.wait_ready(c.members[:2])
            c.extra, stranger = bad, c.members[2]
            stranger.start()
            wait_for("its complaint", lambda: "certificate verify failed" in stranger.log())
            got = c.ctl("get", "x", "--command-timeout=1s", on=stranger, check=False)
            check(got.returncode != 0, "the stranger serves linearizable reads")
            c.ctl("put", "x", "1", on=c.members[0])
        finally:
            c.close()


def test_server_certificate_only():
    """Without a CA file clients are not asked for a certificate."""
    with Pki() as pki:
        make_pki(pki)
        extra = pki.flags("", "member") + pki.flags("peer-", "member")
        c = start(TlsCluster(1, pki.client("ca"), extra=extra))
        try:
            c.ctl("put", "a", "1")
            done = c.ctl("get", "a", "--command-timeout=1s", "--dial-timeout=1s",
                         client=pki.client("other-ca"), check=False)
            check(done.returncode != 0, "a server of an unknown CA was trusted")
        finally:
            c.close()


def test_join():
    """A new member asks its cluster over TLS who it is."""
    with Pki() as pki:
        make_pki(pki)
        extra = pki.flags("", "member", "ca") + pki.flags("peer-", "member", "ca")
        c = start(TlsCluster(1, pki.client("ca", "client"), extra=extra))
        try:
            c.ctl("put", "a", "1")
            m2 = TlsMember(c, "m2", *free_ports(2))
            url = f"https://127.0.0.1:{m2.peer}"
            c.ctl("member", "add", "m2", "--peer-urls=" + url)
            m2.joins = f"{c.initial},m2={url}"
            c.extra = pki.flags("", "member", "ca") + pki.flags("peer-", "stranger", "other-ca")
            done = subprocess.run(m2.args(), capture_output=True, text=True, timeout=60)
            check(done.returncode == 2 and "cannot fetch cluster info" in done.stderr, done.stderr)
            c.extra = extra
            m2.start()
            c.members.append(m2)
            c.wait_ready([m2])
            check_equal(c.out("get", "a", on=m2), "a\n1\n", "get at the new member")
        finally:
            c.close()


def test_renewal():
    """New files are taken without a restart; broken ones leave the client port its old ones."""
    with Pki() as pki:
        make_pki(pki)
        extra = pki.flags("", "member", "ca") + pki.flags("peer-", "member", "ca")
        c = start(TlsCluster(1, pki.client("ca", "client"), extra=extra))
        try:
            m = c.members[0]
            before = handshake(m.client, pki, "client")
            pki.issue("ca", "member")
            for port in (m.client, m.peer):
                wait_for("the new certificate",
                         lambda p=port: handshake(p, pki, "client") not in (before, ""))
            renewed = handshake(m.client, pki, "client")
            check(isinstance(renewed, bytes), str(renewed))
            with open(pki.path("member.key"), "w") as f:
                f.write("nonsense")
            check_equal(handshake(m.client, pki, "client"), renewed, "beside a broken key")
            check("the old certificate stays in use: --key-file" in m.log(), m.log())
            pki.issue("ca", "member")
            mended = handshake(m.client, pki, "client")
            check(isinstance(mended, bytes) and mended != renewed, str(mended))
            c.ctl("put", "a", "1")
        finally:
            c.close()


def test_flags():
    with Pki() as pki:
        make_pki(pki)
        url = "https://127.0.0.1:1"
        member = pki.flags("", "member")

        def refused(args, *texts):
            done = subprocess.run([KVSTORE, "--data-dir", pki.path("data"), *args],
                                  capture_output=True, text=True, timeout=20)
            check_equal(done.returncode, 2, f"exit code of {args}: {done.stderr}")
            for text in texts:
                check(text in done.stderr, f"{args}: {text!r} is not in {done.stderr!r}")
        refused(["--listen-client-urls", url], "--cert-file: is needed", "--listen-client-urls")
        refused(["--listen-peer-urls", url], "--peer-cert-file: is needed", "--listen-peer-urls")
        refused(member[:2], "--key-file: is needed")
        refused(["--cert-file", pki.path("none.crt"), "--key-file", pki.path("member.key")],
                "--cert-file", "none.crt: No such file")
        refused(["--peer-cert-file", pki.path("member.crt"), "--peer-key-file",
                 pki.path("client.key")], "--peer-key-file", "does not belong")
        refused(member + ["--trusted-ca-file", pki.path("member.key")],
                "--trusted-ca-file", "no certificate")
        refused(member + ["--client-cert-auth"], "--trusted-ca-file: is needed")
        refused(member + ["--peer-client-cert-auth"], "--peer-trusted-ca-file: is needed")
        check(not os.path.exists(pki.path("data")), "a data folder was made")


def test_expired_server_certificate():
    """It starts, says so, and careful clients stay away."""
    with Pki() as pki:
        make_pki(pki)
        extra = pki.flags("", "expired") + pki.flags("peer-", "member")
        c = TlsCluster(1, pki.client("ca"), extra=extra)
        try:
            c.members[0].start()
            wait_for("the warning", lambda: "the certificate expired on" in c.members[0].log())
            done = c.ctl("get", "a", "--command-timeout=1s", "--dial-timeout=1s", check=False)
            check(done.returncode != 0, "an expired certificate was believed")
        finally:
            c.close()


def test_warnings():
    """Plain text where others reach it is allowed, as in etcd, and said."""
    with running(1) as c:
        check("may read and write" not in c.members[0].log(), "a warning on loopback")
    c = Cluster(1)
    try:
        m = c.members[0]
        m.args = lambda args=m.args: [a.replace(f"127.0.0.1:{m.client}", f"0.0.0.0:{m.client}")
                                      for a in args()]
        c.start()
        check(f"http://0.0.0.0:{m.client}: whoever reaches this address may read and write "
              in m.log(), m.log())
    finally:
        c.close()


if __name__ == "__main__":
    main([test_mutual_tls, test_members_of_another_ca, test_server_certificate_only, test_join,
          test_renewal,
          test_flags, test_expired_server_certificate, test_warnings])
