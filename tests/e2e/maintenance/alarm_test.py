#!/usr/bin/env python3
"""The space quota: the alarm it raises, what is refused and what is not, and the way back."""
import base64
import os

from world import check, check_equal, main, running, wait_for

QUOTA = 24 << 20


def status(cluster, member):
    return cluster.json("endpoint", "status", on=member)[0]["Status"]


def fill(cluster, on):
    """Overwrites few keys until the quota is reached: most of it is history."""
    for i in range(1000):
        value = base64.b64encode(os.urandom(75000)).decode()  # does not compress
        done = cluster.ctl("put", f"k{i % 5}", value, on=on, check=False)
        if done.returncode != 0:
            return done.stderr
    raise AssertionError("1000 puts of 100 kB went past a quota of 24 MiB")


def test_nospace():
    with running(3, extra=["--quota-backend-bytes", str(QUOTA)]) as c:
        leader = c.wait_leader()
        other = next(m for m in c.members if m is not leader)
        full = fill(c, other)
        check("etcdserver: mvcc: database space exceeded" in full, full)
        # By the time of the alarm it is no larger than what was under way then.
        check(status(c, other)["dbSize"] < QUOTA + (8 << 20), status(c, other))
        raised = c.out("alarm", "list").split("\n")
        check_equal([line.split()[1] for line in raised if line], ["alarm:NOSPACE"], raised)
        for member in c.members:
            refused = c.ctl("put", "small", "1", on=member, check=False).stderr
            check("database space exceeded" in refused, refused)
            grown = c.ctl("txn", on=member, check=False, stdin="\n\nput a 1\n\n\n\n").stderr
            check("database space exceeded" in grown, grown)
            granted = c.ctl("lease", "grant", "60", on=member, check=False).stderr
            check("database space exceeded" in granted, granted)
            check("alarm:NOSPACE " in status(c, member)["errors"][0], "Status.errors")
        check_equal(c.ctl("endpoint", "health", check=False).returncode, 0, "3.4 asks by a read")
        # Reading and making room work.
        check_equal(len(c.json("get", "", "--prefix", "--keys-only")["kvs"]), 5, "reads")
        check_equal(c.out("del", "k4").strip(), "1", "deletes")
        before = max(status(c, m)["dbSize"] for m in c.members)
        revision = c.json("get", "k0")["header"]["revision"]
        c.out("compaction", "--physical", str(revision))
        c.out("defrag")
        for member in c.members:
            wait_for(f"room on {member.name}",
                     lambda m=member: status(c, m)["dbSize"] < before / 4)
            check(status(c, member)["dbSizeInUse"] <= status(c, member)["dbSize"], "in use")
        check("alarm:NOSPACE" in c.out("alarm", "disarm"), "disarm says what it disarmed")
        check_equal(c.out("alarm", "list"), "", "no alarm")
        for member in c.members:
            c.out("put", "small", "1", on=member)
            check("errors" not in status(c, member), "Status.errors")


def test_alarm_survives_restart():
    with running(1, extra=["--quota-backend-bytes", str(QUOTA)]) as c:
        fill(c, c.members[0])
        c.members[0].kill()
        c.start()
        check("alarm:NOSPACE" in c.out("alarm", "list"), "the alarm is kept")
        check("space exceeded" in c.ctl("put", "a", "b", check=False).stderr, "and in force")


if __name__ == "__main__":
    main([test_nospace, test_alarm_survives_restart])
