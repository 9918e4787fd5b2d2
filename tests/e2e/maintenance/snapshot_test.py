#!/usr/bin/env python3
"""Snapshots: saved by Debian's etcdctl and by storectl while the store is written to, looked at, and
restored as new clusters of one and of three members."""
import json
import os
import subprocess
import threading

from world import (Cluster, check, check_equal, main, running, running_cluster, storectl,
                   wait_for)


def fill(cluster, count=200):
    """Keys with several versions, deletions, a lease and a compaction."""
    lease = cluster.json("lease", "grant", "3600")["ID"]
    for i in range(count):
        cluster.out("put", f"k{i:04}", f"value {i}")
    for i in range(0, count, 10):
        cluster.out("put", f"k{i:04}", "again", f"--lease={lease:x}")
    cluster.out("del", "k0001")
    cluster.out("compaction", "20")
    return lease


def hashes(cluster, revision=0):
    rows = cluster.json("endpoint", "hashkv", "--rev", str(revision))
    return {(row["HashKV"]["hash"], row["HashKV"].get("compact_revision")) for row in rows}


def restored(path, size):
    """A cluster that is not started yet, its folders restored from `path`."""
    cluster = Cluster(size, token="restored")
    for member in cluster.members:
        storectl("snapshot", "restore", path, "--name", member.name, "--data-dir", member.data_dir,
                 "--initial-cluster", cluster.initial, "--initial-cluster-token", "restored",
                 "--initial-advertise-peer-urls", f"http://127.0.0.1:{member.peer}")
    return cluster


def test_save_status_restore():
    with running(3) as old:
        lease = fill(old, 60)
        by_etcdctl = os.path.join(old.dir, "etcdctl.db")
        by_storectl = os.path.join(old.dir, "storectl.db")
        first, last = old.members[0], old.members[2]
        for member in old.members:  # all have applied all
            old.out("get", "k0000", on=member)
        old.out("snapshot", "save", by_etcdctl, on=first)
        storectl("snapshot", "save", by_storectl, "--endpoints", "http://" + last.endpoint)
        check_equal(os.path.getsize(by_etcdctl) % 512, 32, "size of the file")
        check_equal(sorted(os.listdir(old.dir)).count("storectl.db.part"), 0, "leftovers")
        seen = [json.loads(storectl("snapshot", "status", f, "-w", "json").stdout)
                for f in (by_etcdctl, by_storectl)]
        check_equal(seen[0]["hash"], seen[1]["hash"], "hash of the same state on two members")
        revision = old.json("get", "k0000")["header"]["revision"]
        check_equal(seen[0]["revision"], revision, "revision")
        check_equal(seen[0]["totalSize"], os.path.getsize(by_etcdctl), "size")
        table = storectl("snapshot", "status", by_etcdctl).stdout
        check("|   HASH   | REVISION | TOTAL KEYS | TOTAL SIZE |" in table, table)
        want = hashes(old, revision)
        check_equal(len(want), 1, "members of the old cluster agree")
        for size, path in ((1, by_etcdctl), (3, by_storectl)):
            new = restored(path, size)
            try:
                new.start()
                check_equal(hashes(new, revision), want, f"HashKV of the {size} restored")
                old_keys, new_keys = (c.json("get", "", "--prefix")["kvs"] for c in (old, new))
                check_equal(new_keys, old_keys, "keys")
                check_equal(new.json("get", "k0000", "--rev=40")["header"]["revision"], revision,
                            "the past can be read, and the revision goes on")
                check_equal([l["id"] for l in new.json("lease", "list")["leases"]], [lease],
                            "leases")
                members = new.json("member", "list")["members"]
                check_equal(sorted(m["name"] for m in members), [m.name for m in new.members],
                            "members are the new ones")
                new.out("put", "k0000", "new life")
                got = new.json("get", "k0000")["kvs"][0]
                check_equal(got["mod_revision"], revision + 1, "revisions go on")
                check(new.json("get", "x")["header"]["cluster_id"] !=
                      old.json("get", "x")["header"]["cluster_id"], "a new cluster id")
            finally:
                new.close()


def test_restored_members_outlive_kills():
    with running(1) as old:
        fill(old, 20)
        path = os.path.join(old.dir, "s.db")
        old.out("snapshot", "save", path)
        with running_cluster(restored(path, 3)) as new:
            before = new.json("get", "", "--prefix")["kvs"]
            new.out("put", "after", "restore")
            for member in new.members:
                member.kill()
            new.start()
            check_equal(len(new.json("get", "", "--prefix")["kvs"]), len(before) + 1, "keys")
            # A member that joins gets the state, not only the log since the restore.
            lost = new.members[0]
            lost.kill()
            members = {m["name"]: m["ID"] for m in new.json("member", "list")["members"]}
            other = new.members[1]

            def removed():  # the leader may just have died: its answer says nothing then
                done = new.ctl("member", "remove", f"{members[lost.name]:x}", on=other, check=False)
                return done.returncode == 0 or "member not found" in done.stderr

            wait_for("the removal", removed)
            subprocess.run(["rm", "-rf", lost.data_dir], check=True)
            wait_for("the cluster to take a new member", lambda: new.ctl(
                "member", "add", lost.name, f"--peer-urls=http://127.0.0.1:{lost.peer}",
                on=other, check=False).returncode == 0)
            lost.joins = new.initial
            lost.start()
            new.wait_ready()
            rows = new.json("get", "", "--prefix", "--consistency=s", on=lost)["kvs"]
            check_equal(len(rows), len(before) + 1, "keys of the member that lost its folder")
            check_equal(len(hashes(new)), 1, "members agree")


def test_one_revision_under_load():
    """What is saved while writers run is one moment: counters that move together are equal."""
    with running(3) as c:
        stop = threading.Event()

        def write():
            number = 0
            while not stop.is_set():
                number += 1
                c.ctl("txn", stdin=f"\n\nput a {number}\nput b {number}\n\n\n", check=False)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            c.out("put", "large", "x" * 100000)
            for turn in range(5):
                path = os.path.join(c.dir, f"{turn}.db")
                c.out("snapshot", "save", path, on=c.members[turn % 3])
                new = restored(path, 1)
                try:
                    new.start()
                    a, b = (new.out("get", key, "--print-value-only") for key in "ab")
                    check_equal(a, b, "two keys of one transaction")
                finally:
                    new.close()
        finally:
            stop.set()
            writer.join()


def test_refusals():
    with running(1) as c:
        c.out("put", "a", "b")
        path = os.path.join(c.dir, "s.db")
        c.out("snapshot", "save", path)
        with open(path, "rb") as f:
            good = f.read()

        def damaged(name, data):
            bad = os.path.join(c.dir, name)
            with open(bad, "wb") as f:
                f.write(data)
            return bad

        folder = os.path.join(c.dir, "new")
        restore = lambda file, *more, code=1: storectl(
            "snapshot", "restore", file, "--data-dir", folder, *more, code=code).stderr
        flipped = damaged("flipped.db", good[:-1] + bytes([good[-1] ^ 1]))
        check("SHA-256" in restore(flipped), "a wrong digest")
        check("SHA-256" in restore(damaged("nosum.db", good[:-32])), "no digest")
        check("cut short" in restore(damaged("short.db", good[:400])), "half a file")
        check("damaged" in restore(damaged("bit.db", good[:90] + b"\xff" + good[91:]),
                                   "--skip-hash-check"), "a damaged block")
        check("not a snapshot" in restore(damaged("text.db", b"hello" * 200)), "another file")
        check("No such file" in restore(path + "x"), "no file")
        check_equal([n for n in os.listdir(c.dir) if n.startswith("new")], [], "nothing is left")
        restore(flipped, "--skip-hash-check", code=0)
        check("is not empty" in restore(path), "an existing folder")
        check("--initial-cluster" in restore(path, "--name", "other", code=2), "a stranger")
        check("--endpoints" in storectl("snapshot", "save", path, code=2).stderr, "no endpoint")
        gone = storectl("snapshot", "save", path + ".2", "--endpoints", "127.0.0.1:1", code=1)
        check("storectl:" in gone.stderr and not os.path.exists(path + ".2"), "nobody listens")


if __name__ == "__main__":
    main([test_save_status_restore, test_restored_members_outlive_kills,
          test_one_revision_under_load, test_refusals])
