#!/usr/bin/env python3
"""Membership and recovery as people do it: grow 1 to 3 to 5, replace a member that lost its disk, a
rolling restart, each under a load whose history is checked; a lost cluster from a snapshot."""
import os
import shutil
import signal
import subprocess

from cluster import STORECTL, Cluster, check, check_equal, main, running, wait_for
from load import loaded
from membership_test import add, grow, hashes, ids, new_member, refused, wait_noticed


def same_everywhere(c):
    wait_for("equal hashes", lambda: len(hashes(c)) == 1)


def test_grow_under_load():
    with running(1) as c:
        with loaded(c) as load:
            for size in (2, 3, 4, 5):
                load.wait_writes(30)
                grow(c, f"m{size}", on=c.members[size // 2 - 1])
            load.wait_writes(30)
        same_everywhere(c)
        check_equal(c.out("member", "list").count("started"), 5, "member list")
        # Two may go now.
        for m in c.members[:2]:
            m.kill()
        c.members = c.members[2:]
        wait_for("a leader", c.leader)
        c.ctl("put", "a", "1")


def test_replace_a_lost_disk():
    with running(3) as c:
        with loaded(c) as load:
            load.wait_writes(50)
            lost = c.members[1]
            known, was_leading = ids(c), c.leader() is lost
            lost.kill()
            shutil.rmtree(lost.data_dir)
            living = [m for m in c.members if m is not lost]
            wait_for("a leader", lambda: c.leader() in living)
            back = subprocess.run(lost.args(), capture_output=True, text=True, timeout=40)
            check(back.returncode == 2 and "has already been bootstrapped" in back.stderr,
                  "it came back as itself: " + back.stderr)
            # By hand as in docs/store/recovery.md: remove, add, start.
            if was_leading:
                wait_for("the new leader to hear the others", lambda: c.ctl(
                    "endpoint", "health", on=living[0], check=False).returncode == 0)
            c.ctl("member", "remove", known[lost.name], on=living[0])
            c.members = living
            new_id = add(c, lost, on=living[0])
            check(new_id != known[lost.name], "the id came back")
            lost.start()
            c.members = [living[0], lost, living[1]]
            c.wait_ready([lost])
            load.wait_writes(30)
        same_everywhere(c)


def test_rolling_restart():
    with running(3) as c:
        with loaded(c) as load:
            for m in c.members:
                load.wait_writes(30)
                check_equal(m.kill(signal.SIGTERM), 0, "exit code")
                m.start()
                c.wait_ready([m])
                wait_for("health", lambda m=m: c.ctl("endpoint", "health", on=m,
                                                      check=False).returncode == 0)
            load.wait_writes(30)
        same_everywhere(c)


def test_lost_cluster():
    """Two of three are gone for good: a new cluster from what the third has."""
    with running(3) as c:
        for i in range(30):
            c.ctl("put", f"k{i}", str(i))
        c.ctl("put", "k0", "again")
        lease = c.out("lease", "grant", "3600").split()[1]
        c.ctl("put", "leased", "1", "--lease=" + lease)
        same_everywhere(c)
        before = {s["HashKV"]["hash"] for s in c.json("endpoint", "hashkv")}
        left = c.members[2]
        for m in c.members[:2]:
            m.kill()
        refused(c, "put", "x", "1", text="", on=left)
        check_equal(c.out("get", "k0", "--consistency=s", on=left), "k0\nagain\n", "what is left")
        snapshot = os.path.join(c.dir, "backup.db")
        c.ctl("snapshot", "save", snapshot, on=left)
        left.kill()
        new = Cluster(3, token="after the loss")
        try:
            for m in new.members:
                done = subprocess.run(
                    [STORECTL, "snapshot", "restore", snapshot, "--name", m.name, "--data-dir",
                     m.data_dir, "--initial-cluster", new.initial, "--initial-cluster-token",
                     new.token, "--initial-advertise-peer-urls", f"http://127.0.0.1:{m.peer}"],
                    capture_output=True, text=True, timeout=60)
                check_equal(done.returncode, 0, "restore: " + done.stderr)
            new.start()
            check_equal(hashes(new), before, "HashKV")
            for m in new.members:
                check_equal(new.out("get", "k0", on=m), "k0\nagain\n", "get at " + m.name)
                check("leased" in new.out("lease", "timetolive", lease, "--keys", on=m), "the lease")
            new.ctl("put", "x", "1")
            new.members[0].kill()
            wait_for("a leader", new.leader)
            new.ctl("put", "y", "1", on=new.members[1])
            # And it grows like any other.
            new.members = new.members[1:]
            wait_noticed(new, new.members[0])
            new.ctl("member", "remove", ids(new)["m1"])
            extra = new_member(new, "m4")
            add(new, extra)
            extra.start()
            new.members.append(extra)
            new.wait_ready([extra])
            check_equal(new.out("get", "k29", on=extra), "k29\n29\n", "at the new member")
        finally:
            new.close()


if __name__ == "__main__":
    main([test_grow_under_load, test_replace_a_lost_disk, test_rolling_restart, test_lost_cluster])
