#!/usr/bin/env python3
"""Debian's etcdctl against one and three members: every command through every member."""
import subprocess
import time

from cluster import check, check_equal, main, running, wait_for


def exercise(c, m, tag):
    """The key commands through one member; keys begin with `tag`."""
    a, b = tag + "/a", tag + "/b"
    first = c.json("put", a, "1", on=m)["header"]["revision"]
    c.ctl("put", a, "2", on=m)
    c.ctl("put", b, "3", on=m)
    check_equal(c.out("get", a, on=m), f"{a}\n2\n", "get")
    check_equal(c.out("get", a, f"--rev={first}", on=m), f"{a}\n1\n", "get at a revision")
    check_equal(c.out("get", "--prefix", tag, "--keys-only", on=m).split(), [a, b], "get --prefix")
    check_equal(c.out("get", "--prefix", tag, "--order=DESCEND", "--limit=1", on=m), f"{b}\n3\n",
                "get descending")
    check_equal(c.out("put", a, "4", "--prev-kv", on=m), f"OK\n{a}\n2\n", "put --prev-kv")
    txn = f'value("{a}") = "4"\n\nput {b} 5\nget {a}\n\nget {b}\n\n'
    check_equal(c.out("txn", on=m, stdin=txn).split(), ["SUCCESS", "OK", a, "4"], "txn, then")
    check_equal(c.out("txn", on=m, stdin=txn.replace('"4"', '"9"')).split(), ["FAILURE", b, "5"],
                "txn, else")
    watch = subprocess.Popen(["etcdctl", "--endpoints=" + m.endpoint, "watch", a, f"--rev={first}"],
                             stdout=subprocess.PIPE, text=True, env={"ETCDCTL_API": "3",
                                                                     "PATH": "/usr/bin:/bin"})
    got = [watch.stdout.readline().strip() for _ in range(9)]
    watch.terminate()
    watch.wait()
    check_equal(got, ["PUT", a, "1", "PUT", a, "2", "PUT", a, "4"], "watch from an old revision")
    check_equal(c.out("del", tag, "--prefix", on=m), "2\n", "del --prefix")
    check_equal(c.out("get", "--prefix", tag, on=m), "", "get after del")
    return first


def leases(c, m, tag):
    key = tag + "/leased"
    lease = c.out("lease", "grant", "2", on=m).split()[1]
    c.ctl("put", key, "x", "--lease=" + lease, on=m)
    check("attached keys([%s])" % key in c.out("lease", "timetolive", lease, "--keys", on=m),
          "timetolive shows the key")
    check(lease in c.out("lease", "list", on=m), "lease list")
    check("keepalived with TTL(2)" in c.out("lease", "keep-alive", "--once", lease, on=m),
          "keep-alive")
    began = time.monotonic()
    wait_for("the lease to expire", lambda: c.out("get", key, on=m) == "")
    check(time.monotonic() - began > 1.0, "the lease died early")
    check("already expired" in c.out("lease", "timetolive", lease, on=m), "timetolive of the dead")
    second = c.out("lease", "grant", "60", on=m).split()[1]
    c.ctl("put", key, "y", "--lease=" + second, on=m)
    c.ctl("lease", "revoke", second, on=m)
    check_equal(c.out("get", key, on=m), "", "get after revoke")
    failed = c.ctl("put", key, "z", "--lease=" + second, on=m, check=False)
    check("requested lease not found" in failed.stderr, failed.stderr)


def errors(c, m, first):
    c.ctl("compaction", str(first + 1), on=m)
    for args, text in (
            (("get", "x", f"--rev={first}"), "required revision has been compacted"),
            (("get", "x", "--rev=1000000"), "required revision is a future revision"),
            (("compaction", str(first)), "required revision has been compacted"),
            (("put", "x", "--ignore-value"), "key not found"),
            (("put", "x"), "request is too large"),
            (("auth", "enable"), "root user does not exist")):
        failed = c.ctl(*args, on=m, check=False, stdin="v" * (1600 << 10))
        check(failed.returncode != 0 and text in failed.stderr, f"{args}: {failed.stderr}")


def cluster_commands(c):
    size = len(c.members)
    check_equal(c.out("member", "list").count("started"), size, "member list")
    table = c.out("endpoint", "status", "-w", "table")
    check_equal([table.count("true"), table.count("3.6.14")], [1, size], "status: " + table)
    health = c.ctl("endpoint", "health")
    check_equal((health.stdout + health.stderr).count("is healthy"), size, "endpoint health")
    check_equal(c.out("alarm", "list"), "", "alarm list")

    def hashes():
        return {s["HashKV"]["hash"] for s in c.json("endpoint", "hashkv")}
    wait_for("equal hashes", lambda: len(hashes()) == 1)
    locked = c.out("lock", "a-lock", "echo", "inside")
    check("inside" in locked, locked)
    elect = subprocess.Popen(["etcdctl", "--endpoints=" + c.endpoints, "elect", "e", "me"],
                             stdout=subprocess.PIPE, text=True,
                             env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"})
    check(elect.stdout.readline().startswith("e/"), "elect")
    check_equal(elect.stdout.readline(), "me\n", "elect")
    elect.terminate()
    elect.wait()
    c.ctl("defrag", on=c.members[0])


def test_one_member():
    with running(1) as c:
        m = c.members[0]
        first = exercise(c, m, "one")
        leases(c, m, "one")
        cluster_commands(c)
        errors(c, m, first)


def test_three_members():
    with running(3) as c:
        leader = c.wait_leader()
        for m in c.members:
            exercise(c, m, m.name)
            leases(c, m, m.name)
        cluster_commands(c)
        follower = next(m for m in c.members if m is not leader)
        target = c.status(follower)["header"]["member_id"]
        c.ctl("move-leader", f"{target:x}")
        wait_for("the new leader", lambda: c.leader() is follower)
        refused = c.ctl("move-leader", f"{target:x}", on=leader, check=False)
        check(refused.returncode != 0, "move-leader at a follower")


if __name__ == "__main__":
    main([test_one_member, test_three_members])
