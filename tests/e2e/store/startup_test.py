#!/usr/bin/env python3
"""Wrong flags, ports, folders and disks: each is named, and nothing is harmed."""
import os
import resource
import shutil
import socket
import subprocess

from cluster import KVSTORE, STORECTL, Cluster, check, check_equal, main, running, wait_for


def refused(args, *texts, code=2):
    done = subprocess.run([KVSTORE, *args], capture_output=True, text=True, timeout=20)
    check_equal(done.returncode, code, f"exit code of {args}: {done.stderr}")
    for text in texts:
        check(text in done.stderr, f"{args}: {text!r} is not in {done.stderr!r}")


def test_flags():
    refused(["--nonsense"], "--nonsense")
    refused(["--listen-client-urls", "127.0.0.1:1"], "--listen-client-urls", "http://")
    refused(["--heartbeat-interval", "0"], "--heartbeat-interval")
    refused(["--election-timeout", "200"], "--election-timeout")
    refused(["--initial-cluster", "a"], "--initial-cluster", "NAME=URL")
    refused(["--initial-cluster", "b=http://h:1"], "--initial-cluster", "--name")
    refused(["--log-level", "loud"], "--log-level")
    refused(["--initial-cluster-state", "old"], "--initial-cluster-state")
    done = subprocess.run([KVSTORE, "--help"], capture_output=True, text=True, timeout=20)
    check(done.returncode == 0 and "--data-dir" in done.stdout, "--help")


def test_port_in_use():
    c = Cluster(1)
    try:
        with socket.socket() as s:
            s.bind(("127.0.0.1", c.members[0].client))
            s.listen()
            refused(c.members[0].args()[1:], "--listen-client-urls", str(c.members[0].client),
                    "address already in use")
    finally:
        c.close()


def test_folders():
    with running(1) as c:
        m = c.members[0]
        c.ctl("put", "a", "1")
        refused(m.args()[1:], "--data-dir", "locked by another process")
        m.kill()
        other = Cluster(1, token="another")
        try:
            shutil.copytree(m.data_dir, other.members[0].data_dir)
            refused(other.members[0].args()[1:], "--data-dir", "belongs to cluster")
        finally:
            other.close()
        if os.geteuid() != 0:
            os.chmod(m.data_dir + "/log", 0)
            refused(m.args()[1:], "--data-dir", "Permission denied")
            os.chmod(m.data_dir + "/log", 0o700)
        flip(m.data_dir + "/log/0000000000000001.log", 200)
        refused(m.args()[1:], "0000000000000001.log", "damaged at offset")
        flip(m.data_dir + "/log/0000000000000001.log", 200)
        c.start()
        check_equal(c.out("get", "a"), "a\n1\n", "after the repair")


def flip(path, offset):
    with open(path, "r+b") as f:
        f.seek(offset)
        byte = f.read(1)
        f.seek(offset)
        f.write(bytes([byte[0] ^ 1]))


def test_full_disk():
    """A file size limit fails writes as a full disk does: no acknowledgement, a clear end."""
    with running(1) as c:
        m = c.members[0]
        c.ctl("put", "before", "1")
        limit = 3 << 20
        resource.prlimit(m.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        acked = []
        for i in range(40):
            if c.ctl("--command-timeout=2s", "put", f"k{i}", on=m, check=False,
                     stdin="x" * (100 << 10)).returncode != 0:
                break
            acked.append(i)
        wait_for("the end of the process", lambda: not m.alive())
        check_equal(m.process.returncode, 1, "exit code")
        check("the disk failed" in m.log() and ".log: write: File too large" in m.log(), m.log())
        check(0 < len(acked) < 40, f"{len(acked)} writes fitted")
        c.start()
        for i in acked:
            check(c.out("get", f"k{i}", "--keys-only").strip() == f"k{i}", f"k{i} is gone")
        check_equal(c.out("get", "before"), "before\n1\n", "the first write")
        print(f"   {len(acked)} acknowledged writes survived the full disk")


def test_storectl():
    with running(1) as c:
        m = c.members[0]
        c.ctl("put", "some-key", "1")
        c.ctl("del", "some-key")
        m.kill(15)

        def storectl(*args):
            return subprocess.run([STORECTL, *args], capture_output=True, text=True, timeout=20)
        log = storectl("log", m.data_dir)
        check('put "some-key"' in log.stdout and 'delete "some-key"' in log.stdout, log.stdout)
        keys = storectl("keys", m.data_dir)
        check('"some-key" version=1' in keys.stdout and "deleted" in keys.stdout, keys.stdout)
        check("applied index=" in storectl("meta", m.data_dir).stdout, "meta")
        check("storectl log DIR" in storectl("--help").stdout, "--help")
        check_equal(storectl("nonsense").returncode, 2, "unknown command")
        missing = storectl("log", m.data_dir + "/nowhere")
        check(missing.returncode == 1 and "nowhere" in missing.stderr, missing.stderr)


if __name__ == "__main__":
    main([test_flags, test_port_in_use, test_folders, test_full_disk, test_storectl])
