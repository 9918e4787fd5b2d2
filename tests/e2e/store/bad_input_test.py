#!/usr/bin/env python3
"""Garbage on the ports, a stranger among the peers, a log of another time: refused, nothing harmed."""
import os
import random
import socket
import struct
import subprocess

from cluster import Cluster, check, check_equal, main, running, wait_for
from segment import crc32c, last_segment

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def garbage(rng):
    """Bytes that a port may be sent: noise, HTTP/1, TLS, and HTTP/2 that goes wrong somewhere."""
    noise = rng.randbytes(rng.randrange(1, 3000))
    settings = PREFACE + frame(4, 0, 0, b"")
    return rng.choice([
        noise, PREFACE + noise, settings + noise,
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /etcdserverpb.KV/Put HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n" + noise,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise,
        settings + frame(1, 4, 1, noise), settings + frame(0, 1, 1, noise),
        settings + frame(rng.randrange(12), rng.randrange(256), rng.randrange(9), noise),
        settings + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + noise,
        b"\n" * 100, b"\0" * 5000])


def send(address, data):
    with socket.create_connection(address, 5) as s:
        s.settimeout(0.05)
        try:
            s.sendall(data)
            s.recv(4096)
        except OSError:
            pass  # cut off, or no answer: either is fine


def hashes(c):
    return {s["HashKV"]["hash"] for s in c.json("endpoint", "hashkv")}


def test_garbage_on_the_ports():
    rng = random.Random(os.environ.get("SEED", "1"))
    with running(3) as c:
        c.ctl("put", "a", "1")
        leader, before = c.wait_leader(), None
        wait_for("equal hashes", lambda: len(hashes(c)) == 1)
        before = hashes(c)
        term = c.status(leader)["raftTerm"]
        for _ in range(100):
            m = rng.choice(c.members)
            send((m.host, rng.choice((m.client, m.peer))), garbage(rng))
        held = [socket.create_connection((m.host, port)) for m in c.members
                for port in (m.client, m.peer) for _ in range(30)]  # that say nothing at all
        check_equal(c.out("get", "a"), "a\n1\n", "service meanwhile")
        for s in held:
            s.close()
        check(all(m.alive() for m in c.members), "a member ended")
        check_equal((hashes(c), c.status(leader)["raftTerm"]), (before, term),
                    "hash and term after the garbage")
        check(all(m.rss_mb() < 200 for m in c.members), "memory after the garbage")


def test_peer_of_another_cluster():
    """It believes that the members are its own, and can neither make them vote nor follow."""
    with running(3) as c:
        c.ctl("put", "a", "1")
        leader = c.wait_leader()
        term = c.status(leader)["raftTerm"]
        other = Cluster(3, token="another")
        stranger = other.members[0]
        try:
            for theirs, ours in zip(other.members[1:], c.members[1:]):
                theirs.peer = ours.peer
            stranger.start()
            wait_for("the stranger to be refused",
                     lambda: stranger.log().count("refuses us: etcdserver: cluster ID mismatch") == 2)
            for n in range(20):
                c.ctl("put", f"k{n}", "x")
            check(all(m.alive() for m in c.members), "a member ended")
            check_equal(c.status(leader)["raftTerm"], term, "the term")
            check_equal(c.leader(), leader, "who leads")
            refused = other.ctl("--command-timeout=1s", "get", "a", on=stranger, check=False)
            check(refused.returncode != 0, "the stranger serves")
        finally:
            other.close()


def test_log_of_another_format():
    with running(1) as c:
        m = c.members[0]
        c.ctl("put", "a", "1")
        m.kill()
        path = last_segment(m.data_dir)
        with open(path, "r+b") as f:
            whole = f.read()
            header = whole[:8] + struct.pack("<I", 0) + whole[12:60]
            f.seek(0)
            f.write(header + struct.pack("<I", crc32c(header)))
        done = subprocess.run(m.args(), capture_output=True, text=True, timeout=20)
        check_equal(done.returncode, 2, "exit code")
        check("log format 0 is not one this program reads" in done.stderr, done.stderr)
        check(os.path.basename(path) in done.stderr, done.stderr)
        with open(path, "r+b") as f:
            f.write(whole[:64])
        c.start()
        check_equal(c.out("get", "a"), "a\n1\n", "after the repair")


def test_requests_that_make_no_sense():
    """What etcdctl does not check itself; each is refused with words and changes nothing."""
    with running(1) as c:
        revision = c.json("put", "a", "1")["header"]["revision"]
        for args, words in ((("get", "a", "--rev=-5"), None),
                            (("get", "z", "a"), None),
                            (("del", "z", "a"), None),
                            (("get", "a", "--rev=99"), "future revision"),
                            (("compaction", "-5"), None),
                            (("compaction", "99"), "future revision"),
                            (("lease", "grant", "--", "-1"), None),
                            (("lease", "revoke", "7fffffffffffffff"), "lease not found"),
                            (("put", "a", "2", "--lease=7fffffffffffffff"), "lease not found"),
                            (("put", "", "2"), "key is not provided"),
                            (("move-leader", "ffffffffffffffff"), "bad leader transferee")):
            done = c.ctl(*args, check=False)
            if words:
                check(done.returncode != 0 and words in done.stderr, f"{args}: {done.stderr}")
        check_equal(c.json("get", "a")["header"]["revision"], revision, "the revision")
        check_equal(c.out("get", "a"), "a\n1\n", "the value")


if __name__ == "__main__":
    main([test_garbage_on_the_ports, test_peer_of_another_cluster, test_log_of_another_format,
          test_requests_that_make_no_sense])
