#!/usr/bin/env python3
"""`coracle up --store-tls`: the cluster works, and nobody reaches its store without the store's own
certificates, not even the administrator."""
import os
import subprocess

from basics import Space
from lab import Lab, check, check_equal, main, need


def store_tls():
    need("etcdctl")
    with Lab(replicas=3, nodes=2, store_tls=True) as lab:
        ns = Space(lab, "secret")
        ns.web(replicas=2)

        def pki(name):
            return os.path.join(lab.dir, "pki", name)

        def etcdctl(*args, ca=None, pair=None, endpoints=None):
            flags = ["--cacert", pki(ca)] if ca else []
            flags += ["--cert", pki(pair + ".crt"), "--key", pki(pair + ".key")] if pair else []
            return subprocess.run(
                ["etcdctl", "--endpoints", endpoints or ",".join(lab.store_endpoints), *flags,
                 "--command-timeout=2s", "--dial-timeout=1s", *args],
                capture_output=True, text=True, env=lab.env)
        check(all(e.startswith("https://") for e in lab.store_endpoints), "endpoints")
        key = "/registry/deployments/secret/web"
        found = etcdctl("get", key, "--keys-only", ca="store-ca.crt", pair="store-client")
        check_equal(found.stdout.strip(), key, "get with the store's certificate: " + found.stderr)
        listed = etcdctl("member", "list", ca="store-ca.crt", pair="store-client").stdout
        check_equal(listed.count("https://"), 6, "member list: " + listed)
        plain = ",".join(e.replace("https", "http") for e in lab.store_endpoints)
        for what, flags in {"the administrator": {"ca": "store-ca.crt", "pair": "admin"},
                            "no certificate": {"ca": "store-ca.crt"},
                            "plain text": {"endpoints": plain}}.items():
            refused = etcdctl("get", key, **flags)
            check(refused.returncode != 0 and key not in refused.stdout, what + " was let in")
        status = lab.coracle("status")
        check_equal((status.returncode, status.stdout.count("leader term")), (0, 1),
                    "coracle status: " + status.stdout + status.stderr)


if __name__ == "__main__":
    main([store_tls], limit=100)
