#!/usr/bin/env python3
"""The official Python client (Debian's python3-kubernetes) at work: pods."""
import threading

from lab import Lab, check, check_equal, main, skip, wait_for

try:
    from kubernetes import client, config, watch
    from kubernetes.client.rest import ApiException
except ImportError:
    skip("there is no python3-kubernetes")


def pod(name):
    return client.V1Pod(
        metadata=client.V1ObjectMeta(name=name, labels={"app": "py"}),
        spec=client.V1PodSpec(termination_grace_period_seconds=1, containers=[
            client.V1Container(name="c", image="nginx:1.26")]))


def failure(call, *args):
    try:
        call(*args)
    except ApiException as error:
        return error.status, error.reason
    return None


def pods():
    with Lab(replicas=1, nodes=2) as lab:
        config.load_kube_config(lab.env["KUBECONFIG"])
        api = client.CoreV1Api()
        check_equal(sorted(n.metadata.name for n in api.list_node().items), ["node-1", "node-2"],
                    "nodes")
        wait_for("the default ServiceAccount", lambda: [
            s for s in api.list_namespaced_service_account("default").items
            if s.metadata.name == "default"])
        listed = api.list_namespaced_pod("default")
        check_equal(listed.items, [], "pods at first")

        seen, stream = [], watch.Watch()

        def follow():
            for event in stream.stream(api.list_namespaced_pod, "default", label_selector="app=py",
                                       resource_version=listed.metadata.resource_version,
                                       timeout_seconds=60):
                thing = event["object"]
                seen.append((event["type"], thing.metadata.name, thing.status.phase))
                if event["type"] == "DELETED" and thing.metadata.name == "b":
                    stream.stop()
        follower = threading.Thread(target=follow, daemon=True)
        follower.start()

        for name in ("a", "b"):
            made = api.create_namespaced_pod("default", pod(name))
            check_equal((made.metadata.name, made.status.phase), (name, "Pending"), "created")
        check_equal(failure(api.create_namespaced_pod, "default", pod("a")), (409, "Conflict"),
                    "created twice")
        wait_for("both to run", lambda: [
            p.status.phase for p in api.list_namespaced_pod("default").items] == ["Running"] * 2)
        one = api.read_namespaced_pod("a", "default")
        check(one.spec.node_name in ("node-1", "node-2") and one.status.pod_ip, "where it runs")
        check_equal(one.status.container_statuses[0].ready, True, "ready")
        changed = api.patch_namespaced_pod("a", "default", {"metadata": {"labels": {"x": "y"}}})
        check_equal(changed.metadata.labels, {"app": "py", "x": "y"}, "patched labels")
        check_equal([p.metadata.name for p in api.list_namespaced_pod(
            "default", label_selector="x=y").items], ["a"], "by label")
        check(api.read_namespaced_pod_log("a", "default"), "log")

        api.delete_namespaced_pod("a", "default")
        api.delete_namespaced_pod("b", "default")
        wait_for("both to go", lambda: not api.list_namespaced_pod("default").items)
        check_equal(failure(api.read_namespaced_pod, "a", "default"), (404, "Not Found"), "gone")
        follower.join(20)
        check(not follower.is_alive(), f"the watch did not end; seen: {seen}")
        for name in ("a", "b"):
            mine = [(kind, phase) for kind, who, phase in seen if who == name]
            check_equal(mine[0], ("ADDED", "Pending"), "first event")
            check(("MODIFIED", "Running") in mine, f"events: {mine}")
            check_equal(mine[-1][0], "DELETED", "last event")


if __name__ == "__main__":
    main([pods], limit=110)
