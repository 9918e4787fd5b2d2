#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "kubelet/pod_environment.hpp"
#include "kubelet/pod_files.hpp"
#include "kubelet/pod_volumes.hpp"
#include "kubelet/pull_secrets.hpp"

using namespace coracle;
using namespace coracle::kubelet;

namespace {

const PodPlace kPlace{"127.32.0.1", "127.128.0.9"};
const NodeResources kNode{"4", "8Gi", "100Gi"};

json::value yaml(const std::string& text) { return *parse_yaml_one(text); }

json::value pod(const std::string& spec = "{}") {
  json::value p = yaml(
      "metadata: {name: p, namespace: ns, uid: u1, labels: {app: web, tier: x}, annotations: {a: "
      "'1'}}");
  p.get_object()["spec"] = yaml(spec);
  return p;
}

Sources sources() {
  Sources s;
  s.config_maps["cfg"] = yaml("{data: {color: blue, size: big}}");
  s.config_maps["none"] = nullptr;
  s.secrets["pw"] = yaml("{data: {user: me}}");
  s.services.push_back(yaml(
      "{metadata: {name: my-db, namespace: ns}, spec: {clusterIP: 127.96.0.7, ports: [{name: sql, "
      "port: 3306, protocol: TCP}]}}"));
  s.services.push_back(
      yaml("{metadata: {name: headless, namespace: ns}, spec: {clusterIP: None, ports: [{port: "
           "1}]}}"));
  s.services.push_back(yaml(
      "{metadata: {name: kubernetes, namespace: default}, spec: {clusterIP: 127.96.0.1, ports: "
      "[{name: https, port: 443}]}}"));
  return s;
}

std::string value(const Environment& environment, std::string_view name) {
  for (const auto& [key, text] : environment) {
    if (key == name) return text;
  }
  return "(none)";
}

}  // namespace

TEST_CASE("the environment comes from everything a pod can name") {
  const json::value p = pod("{serviceAccountName: sa, nodeName: n1}");
  const json::value c = yaml(R"(
name: c
resources: {limits: {cpu: 250m}, requests: {memory: 64Mi}}
envFrom:
- {prefix: P_, configMapRef: {name: cfg}}
- {secretRef: {name: gone, optional: true}}
env:
- {name: A, value: one}
- {name: B, value: '$(A)-$(P_color)-$(NOPE)-$$(A)-$(MY_DB_SERVICE_HOST)'}
- {name: C, valueFrom: {configMapKeyRef: {name: cfg, key: size}}}
- {name: D, valueFrom: {secretKeyRef: {name: pw, key: user}}}
- {name: E, valueFrom: {configMapKeyRef: {name: none, key: x, optional: true}}}
- {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
- {name: L, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
- {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
- {name: MILLI, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
- {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Gi}}}
- {name: REQ, valueFrom: {resourceFieldRef: {resource: requests.memory, divisor: 1Mi}}}
)");
  const auto made = container_environment({p, c, kPlace, kNode, sources()});
  REQUIRE(made.ok());
  CHECK(value(*made, "P_color") == "blue");
  CHECK(value(*made, "B") == "one-blue-$(NOPE)-$(A)-127.96.0.7");
  CHECK(value(*made, "C") == "big");
  CHECK(value(*made, "D") == "me");
  CHECK(value(*made, "E") == "(none)");
  CHECK(value(*made, "IP") == "127.128.0.9");
  CHECK(value(*made, "L") == "web");
  CHECK(value(*made, "CPU") == "1");
  CHECK(value(*made, "MILLI") == "250");
  CHECK(value(*made, "MEM") == "8");
  CHECK(value(*made, "REQ") == "64");
  CHECK(value(*made, "MY_DB_SERVICE_PORT_SQL") == "3306");
  CHECK(value(*made, "MY_DB_PORT_3306_TCP_ADDR") == "127.96.0.7");
  CHECK(value(*made, "KUBERNETES_SERVICE_HOST") == "127.96.0.1");
  CHECK(value(*made, "HEADLESS_SERVICE_HOST") == "(none)");
}

TEST_CASE("service links can be turned off, but for the API's own") {
  const json::value p = pod("{enableServiceLinks: false}"), c = yaml("{name: c}");
  const auto made = container_environment({p, c, kPlace, kNode, sources()});
  CHECK(value(*made, "MY_DB_SERVICE_HOST") == "(none)");
  CHECK(value(*made, "KUBERNETES_PORT") == "tcp://127.96.0.1:443");
}

TEST_CASE("what is missing is told in upstream's words") {
  struct Case {
    const char* container;
    const char* message;
  };
  auto c = GENERATE(values<Case>({
      {"{env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: k}}}]}",
       "configmap \"none\" not found"},
      {"{env: [{name: A, valueFrom: {secretKeyRef: {name: gone, key: k}}}]}",
       "secret \"gone\" not found"},
      {"{env: [{name: A, valueFrom: {configMapKeyRef: {name: cfg, key: k}}}]}",
       "couldn't find key k in ConfigMap ns/cfg"},
      {"{env: [{name: A, valueFrom: {secretKeyRef: {name: pw, key: k}}}]}",
       "couldn't find key k in Secret ns/pw"},
      {"{envFrom: [{configMapRef: {name: none}}]}", "configmap \"none\" not found"},
  }));
  CAPTURE(c.container);
  const json::value p = pod(), container = yaml(c.container);
  CHECK(container_environment({p, container, kPlace, kNode, sources()}).status().message() ==
        c.message);
  CHECK_FALSE(environment_sources(container).empty());
}

TEST_CASE("command and args over the image's") {
  ImageBehaviour image;
  image.entrypoint = {"/entry"};
  image.cmd = {"default"};
  const Environment e{{"X", "1"}};
  using Words = std::vector<std::string>;
  CHECK(container_command(yaml("{}"), image, e) == Words{"/entry", "default"});
  CHECK(container_command(yaml("{args: [a]}"), image, e) == Words{"/entry", "a"});
  CHECK(container_command(yaml("{command: [c]}"), image, e) == Words{"c"});
  CHECK(container_command(yaml("{command: [c], args: ['$(X)']}"), image, e) == Words{"c", "1"});
}

TEST_CASE("volumes of files") {
  const json::value p = pod();
  const auto content = [&](const std::string& volume) {
    return volume_content({p, yaml(volume), kPlace, kNode, sources()});
  };
  using Files = std::vector<VolumeFile>;
  CHECK(content("{configMap: {name: cfg}}")->files ==
        Files{{"color", "blue", 0644}, {"size", "big", 0644}});
  CHECK(content("{configMap: {name: cfg, defaultMode: 256, items: [{key: size, path: a/b, mode: "
                "384}]}}")
            ->files == Files{{"a/b", "big", 0600}});
  CHECK(content("{secret: {secretName: pw, defaultMode: 256}}")->files ==
        Files{{"user", "me", 0400}});
  CHECK(content("{downwardAPI: {items: [{path: l, fieldRef: {fieldPath: metadata.labels}}]}}")
            ->files == Files{{"l", "app=\"web\"\ntier=\"x\"", 0644}});
  const auto projected = content(
      "{projected: {sources: [{serviceAccountToken: {path: token, expirationSeconds: 600}}, "
      "{configMap: {name: cfg, items: [{key: color, path: c}]}}]}}");
  CHECK(projected->files == Files{{"c", "blue", 0644}});
  REQUIRE(projected->tokens.size() == 1);
  CHECK(projected->tokens[0].expiration_seconds == 600);
  CHECK(content("{configMap: {name: none}}").status().message() == "configmap \"none\" not found");
  CHECK(content("{configMap: {name: none, optional: true}}")->files.empty());
  CHECK(content("{secret: {secretName: gone}}").status().message() == "secret \"gone\" not found");
  CHECK(content("{configMap: {name: cfg, items: [{key: k, path: k}]}}").status().message() ==
        "references non-existent config key: k");
}

TEST_CASE("hosts, host name and resolver") {
  ClusterDns dns;
  dns.host_resolv_conf = "search corp.example\nnameserver 9.9.9.9\noptions timeout:1\n";
  const json::value plain = pod();
  CHECK(pod_resolv_conf(plain, dns) ==
        "search ns.svc.cluster.local svc.cluster.local cluster.local corp.example\nnameserver "
        "127.96.0.10\noptions ndots:5\n");
  CHECK(pod_resolv_conf(pod("{dnsPolicy: Default}"), dns) ==
        "search corp.example\nnameserver 9.9.9.9\noptions timeout:1\n");
  CHECK(
      pod_resolv_conf(pod("{dnsPolicy: None, dnsConfig: {nameservers: [8.8.8.8], searches: [a.b], "
                          "options: [{name: ndots, value: '2'}, {name: edns0}]}}"),
                      dns) == "search a.b\nnameserver 8.8.8.8\noptions ndots:2 edns0\n");
  CHECK(pod_host_name(plain, "n1") == "p");
  CHECK(pod_host_name(pod("{hostname: h}"), "n1") == "h");
  CHECK(pod_host_name(pod("{hostNetwork: true}"), "n1") == "n1");
  CHECK(pod_host_name(pod("{hostnameOverride: a.b.example}"), "n1") == "a.b.example");
  const std::string hosts = pod_hosts_file(
      pod("{hostname: h, subdomain: s, hostAliases: [{ip: 1.2.3.4, hostnames: [x, 'y']}]}"), kPlace,
      "n1", dns);
  CHECK(hosts.find("127.128.0.9\th.s.ns.svc.cluster.local\th\n") != std::string::npos);
  CHECK(hosts.find("1.2.3.4\tx\ty\n") != std::string::npos);
  CHECK(hosts.starts_with("# Kubernetes-managed hosts file.\n"));
  CHECK(pod_hosts_file(pod("{hostNetwork: true}"), kPlace, "n1", dns)
            .starts_with("# Kubernetes-managed hosts file (host network).\n"));
}

TEST_CASE("the name of a pod's machine is its full name where the pod asks for that") {
  const auto name = [](const std::string& spec) {
    return pod_kernel_name(pod(spec), "n1", ClusterDns());
  };
  CHECK(*name("{hostname: h, subdomain: s}") == "h");
  CHECK(*name("{setHostnameAsFQDN: true, hostname: h, subdomain: s}") ==
        "h.s.ns.svc.cluster.local");
  CHECK(*name("{setHostnameAsFQDN: true}") == "p");  // without a subdomain there is none
  CHECK(*name("{setHostnameAsFQDN: true, hostNetwork: true, subdomain: s}") == "n1");
  // Together with ".s.ns.svc.cluster.local", which has 23 characters: 64, and one more.
  CHECK(name("{setHostnameAsFQDN: true, subdomain: s, hostname: " + std::string(41, 'a') + "}")
            ->size() == 64);
  CHECK(name("{setHostnameAsFQDN: true, subdomain: s, hostname: " + std::string(42, 'a') + "}")
            .status()
            .message() ==
        "failed to construct FQDN from pod hostname and cluster domain, FQDN " +
            std::string(42, 'a') +
            ".s.ns.svc.cluster.local is too long (64 characters is the max, 65 characters "
            "requested)");
}

TEST_CASE("pull secrets open a private registry") {
  const ImageCatalog images = ImageCatalog::builtin();
  const std::string image = "registry.example.com/private/web:v1";
  const auto with = [&](const std::string& config) {
    Sources s;
    s.secrets["reg"] = json::object{{"data", json::object{{".dockerconfigjson", config}}}};
    return may_pull(image, images.find(image), s);
  };
  CHECK(with(R"({"auths":{"registry.example.com":{"username":"student","password":"coracle"}}})")
            .ok());
  CHECK(with(R"({"auths":{"https://registry.example.com/v2/":{"auth":"c3R1ZGVudDpjb3JhY2xl"}}})")
            .ok());
  CHECK_FALSE(with(R"({"auths":{"other.example":{"auth":"c3R1ZGVudDpjb3JhY2xl"}}})").ok());
  CHECK_FALSE(with("not json").ok());
  const Status none = may_pull(image, images.find(image), {});
  CHECK(none.message().find("pull access denied") != std::string::npos);
  CHECK(may_pull("nginx", images.find("nginx"), {}).ok());
  CHECK(registry_of("localhost:5000/a") == "localhost:5000");
  CHECK(registry_of("a/b") == "docker.io");
}
