#!/usr/bin/env python3
"""The official Python client (Debian's python3-kubernetes) at work: pods; patches, a watch over a
compaction, custom resources."""
import threading
import time

from compaction import forget_the_past
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


def patches_and_errors(api):
    """What kind of patch it sends: a dict is a strategic merge, a list a JSON patch."""
    api.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="py")))
    api.create_namespaced_config_map("py", config_map("a", {"k": "1", "l": "1"}))
    got = api.patch_namespaced_config_map("a", "py", {"data": {"l": None}})
    check_equal(got.data, {"k": "1"}, "a dict")
    got = api.patch_namespaced_config_map(
        "a", "py", [{"op": "replace", "path": "/data/k", "value": "2"}])
    check_equal(got.data, {"k": "2"}, "a list")


def config_map(name, data):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"app": "py"}),
                              data=data)


def over_a_compaction(lab, api):
    """List, watch, and again from the last version seen; 410 means: list anew."""
    known, gone, stop = {}, [], threading.Event()

    def follow():
        version = None
        while not stop.is_set():
            try:
                if version is None:
                    listed = api.list_namespaced_config_map("py", label_selector="app=py")
                    known.clear()
                    known.update({m.metadata.name: m.data for m in listed.items})
                    version = listed.metadata.resource_version
                for event in watch.Watch().stream(
                        api.list_namespaced_config_map, "py", label_selector="app=py",
                        resource_version=version, timeout_seconds=2):
                    thing = event["object"]
                    version = thing.metadata.resource_version
                    if event["type"] == "DELETED":
                        known.pop(thing.metadata.name, None)
                    else:
                        known[thing.metadata.name] = thing.data
            except ApiException as error:
                if error.status == 410:
                    gone.append(version)
                    version = None
                time.sleep(0.1)
            except Exception:  # the server is away: urllib3 has many words for it
                time.sleep(0.1)
    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    wait_for("the first list", lambda: known == {"a": {"k": "2"}})
    forget_the_past(lab)
    api.create_namespaced_config_map("py", config_map("b", {"k": "1"}))
    api.delete_namespaced_config_map("a", "py")
    wait_for("what happened since", lambda: known == {"b": {"k": "1"}}, 60)
    api.patch_namespaced_config_map("b", "py", {"data": {"k": "3"}})
    wait_for("an event behind the compaction", lambda: known == {"b": {"k": "3"}}, 60)
    check(gone, "its version was never too old")
    stop.set()
    follower.join(20)


def custom_resources():
    group, plural = "py.example.com", "widgets"
    at = (group, "v1", "py", plural)
    client.ApiextensionsV1Api().create_custom_resource_definition({
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Namespaced",
                 "names": {"plural": plural, "kind": "Widget"},
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
                     "openAPIV3Schema": {"type": "object", "properties": {"spec": {
                         "type": "object", "properties": {
                             "size": {"type": "integer", "maximum": 9}}}}}}}]}})
    custom = client.CustomObjectsApi()

    def served():
        return failure(custom.list_namespaced_custom_object, *at) is None
    wait_for("the new kind", served)

    def widget(size):
        return {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"},
                "spec": {"size": size}}
    check_equal(failure(custom.create_namespaced_custom_object, *at, widget(10))[0], 422, "too big")
    custom.create_namespaced_custom_object(*at, widget(3))
    got = custom.patch_namespaced_custom_object(*at, "w", {"spec": {"size": 4}})
    check_equal(got["spec"], {"size": 4}, "patched")
    check_equal([w["spec"]["size"] for w in custom.list_namespaced_custom_object(*at)["items"]], [4],
                "listed")
    custom.delete_namespaced_custom_object(*at, "w")
    check_equal(failure(custom.get_namespaced_custom_object, *at, "w")[0], 404, "gone")


def more():
    with Lab(replicas=1, nodes=1) as lab:
        config.load_kube_config(lab.env["KUBECONFIG"])
        api = client.CoreV1Api()
        patches_and_errors(api)
        over_a_compaction(lab, api)
        custom_resources()


if __name__ == "__main__":
    main([pods, more], limit=170)
