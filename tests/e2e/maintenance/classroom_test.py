#!/usr/bin/env python3
"""The knobs of --teaching: an election one message at a time, a cut, slow time, and the events."""
import http.client
import json
import threading
import time

from http_test import call, raft
from world import check, check_equal, main, wait_for, with_http


def turn(member, knob, code=200):
    status, text = call(member, "/debug/raft/" + knob, "POST")
    check_equal(status, code, f"{knob}: {text}")
    return json.loads(text) if status == 200 else text


class Events(threading.Thread):
    """What a member's event stream says, as (event, data)."""

    def __init__(self, member):
        super().__init__(daemon=True)
        self.seen, self.member = [], member
        self.connection = http.client.HTTPConnection("127.0.0.1", member.http, timeout=30)
        self.connection.request("GET", "/debug/raft/events")
        self.answer = self.connection.getresponse()
        check_equal(self.answer.getheader("Content-Type"), "text/event-stream", "content type")
        self.start()

    def run(self):
        kind = None
        try:
            for line in self.answer:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: "):
                    self.seen.append((kind, json.loads(line[6:])))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass

    def texts(self, kind):
        return [data["text"] for k, data in self.seen if k == kind]


def test_an_election_step_by_step():
    with with_http(3, ["--teaching"]) as c:
        leader = c.wait_leader()
        stands, votes = (m for m in c.members if m is not leader)
        events = Events(stands)
        for member in (stands, votes):
            turn(member, "pause")
        leader.kill()
        old = raft(stands)["term"]
        turn(stands, "campaign")
        page = turn(stands, "step?what=tick")
        check_equal(page["role"], "pre-candidate", "it asks first")
        # The voter still thinks of the old leader until its own time has run.
        for _ in range(12):
            turn(votes, "step?what=tick")

        def pass_messages():
            """To and fro by hand, and only one's time goes on, until it leads."""
            for member in (votes, stands):
                while call(member, "/debug/raft/step?what=message", "POST")[0] == 200:
                    pass
            if raft(stands)["role"] == "leader":
                return True
            turn(stands, "step?what=tick")
            return False

        wait_for("a leader", pass_messages, 30)
        page = raft(stands)
        check_equal((page["role"], page["term"] > old), ("leader", True), page)
        last = page["elections"][-1]
        check_equal((last["outcome"], last["votes"]),
                    ("won", {stands.name: "granted", votes.name: "granted"}), "the votes")
        check("no message waits" in turn(stands, "step?what=message", 404), "an empty queue")
        for member in (stands, votes):
            turn(member, "resume")
        c.ctl("put", "after", "class", on=stands)
        wait_for("the events", lambda: any("leader in term" in t for t in events.texts("role")))
        check(any("stands for the pre-vote" in t for t in events.texts("election")), events.seen)
        check("paused" in events.texts("classroom"), "knobs are events")
        check(any(kind == "state" and data["role"] == "leader" for kind, data in events.seen),
              "states")


def test_a_cut():
    with with_http(3, ["--teaching"]) as c:
        leader = c.wait_leader()
        for other in c.members:
            if other is not leader:
                turn(leader, f"cut?peer={other.name}")
        check_equal(len(raft(leader)["teaching"]["cutFrom"]), 2, "cut from both")
        others = [m for m in c.members if m is not leader]
        wait_for("another leader",
                 lambda: any(raft(m)["role"] == "leader" for m in others))
        wait_for("the old leader to give up", lambda: raft(leader)["role"] != "leader")
        c.out("put", "a", "from the majority", on=others[0])
        check_equal(c.ctl("get", "a", "--command-timeout=1s", on=leader, check=False).returncode,
                    1, "no linearizable read on the minority")
        check_equal(c.out("get", "a", "--consistency=s", on=leader), "", "it has not heard of it")
        turn(leader, "heal")
        wait_for("the news", lambda: c.out("get", "a", "--print-value-only", "--consistency=s",
                                           on=leader).strip() == "from the majority")
        turn(leader, "cut?peer=nobody", 404)
        turn(leader, f"cut?peer={leader.name}", 404)
        turn(leader, "cut", 400)


def test_slow_time():
    with with_http(3, ["--teaching"]) as c:
        leader = c.wait_leader()
        for member in c.members:
            page = turn(member, "timing?heartbeat=500ms&election=4s")
            check_equal(page["timing"], {"heartbeat_ms": 500, "election_ms": 4000}, "timing")
        term = raft(leader)["term"]
        time.sleep(1)
        check_equal(raft(leader)["term"], term, "slower is as stable")
        began = time.monotonic()
        leader.kill()
        others = [m for m in c.members if m is not leader]
        wait_for("another leader", lambda: any(raft(m)["role"] == "leader" for m in others), 20)
        check(time.monotonic() - began > 1.5, "the election took its slow time")
        for wrong in ("timing", "timing?heartbeat=x", "timing?heartbeat=0s",
                      "timing?heartbeat=2s&election=1s", "timing?election=1h"):
            turn(others[0], wrong, 400)
        turn(others[0], "step?what=tick", 400)
        turn(others[0], "pause")
        turn(others[0], "step?what=dance", 400)


def test_a_paused_member_catches_up():
    with with_http(3, ["--teaching"]) as c:
        leader = c.wait_leader()
        sleeper = next(m for m in c.members if m is not leader)
        turn(sleeper, "pause")
        for i in range(50):
            c.out("put", f"k{i}", "v", on=leader)
        page = raft(sleeper)
        check(page["teaching"]["waiting"] > 0, "messages wait")
        check(page["log"]["applied"] < raft(leader)["log"]["applied"], "nothing is applied")
        turn(sleeper, "resume")
        wait_for("it to catch up", lambda: raft(sleeper)["log"]["applied"] ==
                 raft(leader)["log"]["applied"])
        check_equal(len(c.json("get", "k", "--prefix", "--consistency=s", on=sleeper)["kvs"]), 50,
                    "keys")


def test_a_snapshot_is_seen():
    with with_http(3, ["--teaching", "--snapshot-count", "5"]) as c:
        leader = c.wait_leader()
        behind = next(m for m in c.members if m is not leader)
        turn(leader, f"cut?peer={behind.name}")
        turn(behind, "timing?election=1m")  # it shall not stand for election meanwhile
        for i in range(40):
            c.out("put", f"k{i}", "v", on=leader)
        turn(leader, "heal")
        told = lambda m, words: any(words in s["text"] for s in raft(m)["snapshots"])
        wait_for("the installation", lambda: told(behind, "installs the state as of entry"))
        wait_for("the leader's side", lambda: told(leader, "the state was sent"))
        check(told(leader, "sends the state as of entry"), raft(leader)["snapshots"])
        check_equal([s["peer"] for s in raft(leader)["snapshots"]],
                    [behind.name] * len(raft(leader)["snapshots"]), "to whom")
        wait_for("an end of sending", lambda: raft(leader)["sending"] == [])
        check_equal(len(c.json("get", "k", "--prefix", "--consistency=s", on=behind)["kvs"]), 40,
                    "keys")


if __name__ == "__main__":
    main([test_a_snapshot_is_seen, test_an_election_step_by_step, test_a_cut, test_slow_time,
          test_a_paused_member_catches_up])
