#!/usr/bin/env python3
"""A member's HTTP port: version, health, checks, metrics, and looking into its Raft."""
import http.client
import json
import time

from world import check, check_equal, main, running, wait_for, with_http


def call(member, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", member.http, timeout=20)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def metrics(member):
    status, text = call(member, "/metrics")
    check_equal(status, 200, "/metrics")
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if line and not line.startswith("#")}


def raft(member):
    status, text = call(member, "/debug/raft")
    check_equal(status, 200, "/debug/raft")
    return json.loads(text)


def test_pages():
    with with_http(1) as c:
        m = c.members[0]
        check_equal(call(m, "/version"),
                    (200, '{"etcdserver":"3.6.14","etcdcluster":"3.6.0"}'), "/version")
        healthy = (200, '{"health":"true","reason":""}')
        check_equal(call(m, "/health"), healthy, "/health")
        check_equal(call(m, "/health?serializable=true"), healthy, "/health, serializable")
        for path in ("/livez", "/readyz", "/readyz/non_learner", "/livez/serializable_read"):
            check_equal(call(m, path), (200, "ok\n"), path)
        check_equal(call(m, "/readyz?verbose&exclude=non_learner"),
                    (200, "[+]data_corruption ok\n[+]serializable_read ok\n"
                          "[+]linearizable_read ok\nok\n"), "verbose")
        check_equal(call(m, "/health", "POST")[0], 405, "GET only")
        check_equal(call(m, "/nonsense")[0], 404, "no such page")
        check_equal(call(m, "/readyz/nonsense")[0], 404, "no such check")


def test_alarm_and_no_leader():
    with with_http(3, ["--quota-backend-bytes", "1000000"]) as c:
        m = c.members[0]
        wait_for("a full store", lambda: "space exceeded" in c.ctl(
            "put", "a", "x" * 90000, on=m, check=False).stderr)
        wait_for("the alarm", lambda: call(m, "/health") ==
                 (503, '{"health":"false","reason":"ALARM NOSPACE"}'))
        check_equal(call(m, "/health?exclude=NOSPACE")[0], 200, "exclude")
        check_equal(call(m, "/readyz")[0], 200, "a full store is ready for reads")
        for other in c.members[1:]:
            other.kill()
        wait_for("the loss of the leader",
                 lambda: call(m, "/health?exclude=NOSPACE") ==
                 (503, '{"health":"false","reason":"RAFT NO LEADER"}'))
        status, text = call(m, "/readyz")
        check_equal(status, 503, "/readyz without a leader")
        check("[-]linearizable_read failed: etcdserver: no leader" in text, text)
        check_equal(call(m, "/livez"), (200, "ok\n"), "/livez without a leader")
        check_equal(call(m, "/health?serializable=true&exclude=NOSPACE")[0], 200, "serializable")


def test_metrics():
    with with_http(3) as c:
        leader = c.wait_leader()
        before = metrics(leader)
        for i in range(20):
            c.out("put", f"k{i}", "v")
        after = metrics(leader)
        grown = lambda name: after[name] - before[name]
        check_equal(after["etcd_server_is_leader"], 1, "is_leader")
        check_equal(after["etcd_server_has_leader"], 1, "has_leader")
        check(grown("etcd_server_proposals_committed_total") >= 20, "committed")
        check(grown("etcd_server_proposals_applied_total") >= 20, "applied")
        check_equal(grown("etcd_debugging_mvcc_keys_total"), 20, "keys")
        syncs = "etcd_disk_wal_fsync_duration_seconds"
        check(grown(syncs + "_count") >= 20, "syncs")
        check_equal(after[syncs + '_bucket{le="+Inf"}'], after[syncs + "_count"], "histogram")
        check(after[syncs + '_bucket{le="8.192"}'] <= after[syncs + "_count"], "histogram")
        check(after["process_resident_memory_bytes"] > 1e6, "memory")
        check(after["etcd_mvcc_db_total_size_in_bytes"] > 0, "size")
        peers = [v for k, v in after.items() if k.startswith("etcd_network_active_peers")]
        check_equal(peers, [1, 1], "peers")
        follower = next(m for m in c.members if m is not leader)
        check_equal(metrics(follower)["etcd_server_is_leader"], 0, "a follower")


def test_looking_inside():
    with with_http(3) as c:
        leader = c.wait_leader()
        c.out("put", "a", "b")
        page = raft(leader)
        check_equal((page["role"], page["leader"], page["name"]),
                    ("leader", leader.name, leader.name), "the leader's page")
        check_equal(len(page["members"]), 3, "members")
        wait_for("peers that have all", lambda: all(
            p["state"] == "replicate" and p["match"] == raft(leader)["log"]["last"]
            for p in raft(leader)["peers"]))
        check(any(e["outcome"] == "won" and not e["pre"] for e in page["elections"]),
              page["elections"])
        check(page["syncs"]["count"] > 0, "syncs")
        for locked in ("pause", "resume", "campaign", "step?what=tick", "cut?peer=m1", "heal",
                       "timing?heartbeat=1s"):
            status, text = call(leader, "/debug/raft/" + locked, "POST")
            check_equal(status, 403, locked)
            check("--teaching" in text, text)
        check_equal(call(leader, "/debug/raft/pause")[0], 405, "knobs are POST")


if __name__ == "__main__":
    main([test_pages, test_alarm_and_no_leader, test_metrics, test_looking_inside])
