#!/usr/bin/env python3
"""storectl log, keys, history and meta, of members that run and of members that do not."""
import json
import os
import signal

from world import check, check_equal, main, running, storectl


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def write(cluster):
    cluster.out("put", "a", "1")
    cluster.out("put", "b", "x" * 300)
    cluster.out("put", "a", "2")
    cluster.out("del", "a")
    cluster.out("put", "a", "3")


HISTORY = [(2, False, "1"), (4, False, "2"), (5, True, None), (6, False, "3")]


def told(done):
    return [(r["revision"], r["deleted"], r.get("value")) for r in rows(done)]


def test_running():
    with running(3) as c:
        write(c)
        m = c.members[1]
        url = "http://" + m.endpoint
        c.out("get", "a", on=m)
        keys = rows(storectl("keys", "--endpoints", url, "-w", "json"))
        check_equal([(r["key"], r["revision"], r["version"]) for r in keys],
                    [("a", 6, 1), ("b", 3, 1)], "keys")
        text = storectl("keys", "--endpoints", url, "--prefix", "b").stdout
        check_equal(text, '3.0 "b" version=1 create=3 lease=0 bytes=300\n', "keys --prefix")
        check_equal(told(storectl("history", "a", "--endpoints", url, "-w", "json")), HISTORY,
                    "history")
        check_equal(storectl("history", "nobody", "--endpoints", url).stdout, "", "no such key")
        c.out("compaction", "5")
        check_equal(told(storectl("history", "a", "--endpoints", url, "-w", "json")), HISTORY[-1:],
                    "history after a compaction")
        b = storectl("history", "b", "--endpoints", url).stdout
        check(b.startswith("3.0 ") and b.endswith('x"...\n'), b)
        log = rows(storectl("log", m.data_dir, "-w", "json"))
        check("cluster" in log[0], log[0])
        puts = [r["what"] for r in log if r.get("kind") == "entry" and "put" in r["what"]]
        check_equal(puts, ['put "a"', 'put "b"', 'put "a"', 'put "a"'], "the log while it runs")
        check(c.members[1].alive(), "it did not notice")


def test_stopped():
    with running(1) as c:
        write(c)
        m = c.members[0]
        m.kill()  # nothing was flushed: the state is old, the log has it all
        note = storectl("keys", m.data_dir)
        check("the log goes on" in note.stderr, note.stderr)
        m.start()
        c.wait_ready()
        m.kill(signal.SIGTERM)
        check_equal(told(storectl("history", "a", m.data_dir, "-w", "json")), HISTORY, "history")
        check_equal(storectl("history", "a", m.data_dir).stdout.splitlines()[2], '5.0 "a" deleted',
                    "a deletion")
        done = storectl("keys", m.data_dir, "--prefix", "b")
        check_equal((done.stdout, done.stderr),
                    ('3.0 "b" version=1 create=3 lease=0 bytes=300\n', ""), "keys")
        check("entry  index=" in storectl("log", m.data_dir).stdout, "log")
        check("applied index=" in storectl("meta", m.data_dir).stdout, "meta")


def test_refusals():
    with running(1) as c:
        for words, text in [(["log"], "data folder"), (["keys"], "--endpoints"),
                            (["history", "a"], "KEY"), (["keys", "x", "--nonsense"], "--nonsense"),
                            (["keys", "x", "-w", "yaml"], "-w is one of text, json"),
                            (["keys", "--endpoints"], "--endpoints needs a value"),
                            (["keys", "--endpoints", "a,b"], "one member"),
                            (["status", "--endpoints", "a", "--cacert", "/nowhere"], "--cacert"),
                            (["dance"], "dance")]:
            done = storectl(*words, code=2)
            check(text in done.stderr, f"{words}: {done.stderr}")
        nowhere = os.path.join(c.dir, "nowhere")
        for words in (["log", nowhere], ["keys", nowhere], ["history", "a", nowhere],
                      ["meta", nowhere], ["keys", "--endpoints", "127.0.0.1:1"]):
            check("storectl:" in storectl(*words, code=1).stderr, str(words))
        for words in (["--help"], ["snapshot", "--help"]):
            check("Examples:" in storectl(*words).stdout, "examples in --help")
        check(not os.path.exists(nowhere), "nothing is made")


if __name__ == "__main__":
    main([test_running, test_stopped, test_refusals])
