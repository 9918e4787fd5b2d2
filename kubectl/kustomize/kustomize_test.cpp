#include "kustomize/kustomize.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

namespace coracle::kustomize {
namespace {

using Tree = std::map<std::string, std::string>;

Result<std::vector<json::value>> built(const Tree& tree, const std::string& directory) {
  return build(directory, {[&](const std::string& path) -> Result<std::string> {
                             const auto file = tree.find(path);
                             if (file == tree.end())
                               return not_found("open " + path + ": no such file");
                             return file->second;
                           },
                           [&](const std::string& path) {
                             const auto below = tree.lower_bound(path + "/");
                             return below != tree.end() && below->first.starts_with(path + "/");
                           }});
}

std::string text_of(const Tree& tree, const std::string& directory) {
  const auto objects = built(tree, directory);
  REQUIRE(objects.status().message() == "");
  std::string text;
  for (const json::value& object : *objects) text += "---\n" + to_yaml(sorted_keys(object));
  return text;
}

std::string failure(const std::string& kustomization) {
  const Tree tree{{"d/kustomization.yaml", kustomization},
                  {"d/pod.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: p}}"}};
  return built(tree, "d").status().message();
}

constexpr const char* kWeb = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: runner
      containers:
      - name: c
        image: nginx
        envFrom: [{configMapRef: {name: conf}}]
        env: [{name: PW, valueFrom: {secretKeyRef: {name: sec, key: pw}}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: bind}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {kind: ServiceAccount, name: runner, namespace: default}
- {kind: ServiceAccount, name: runner, namespace: x}
)";

constexpr const char* kBase = R"(resources: [web.yaml]
configMapGenerator:
- name: conf
  literals: [A=1, 'B="a <b>"']
secretGenerator:
- name: sec
  literals: [pw=s3cret]
)";

constexpr const char* kOver = R"(resources: [../base]
namePrefix: prod-
namespace: shop
commonLabels: {env: prod}
commonAnnotations: {by: me}
configMapGenerator:
- name: conf
  behavior: merge
  literals: [A=2, C=3]
replicas: [{name: web, count: 4}]
images: [{name: nginx, newName: reg:5000/nginx, newTag: "1.27"}]
patches:
- target: {kind: Deployment, name: w.*}
  patch: |-
    - {op: add, path: /spec/minReadySeconds, value: 3}
- path: args.yaml
)";

// As kubectl 1.33 prints it.
constexpr const char* kProduction = R"(---
apiVersion: v1
kind: ServiceAccount
metadata:
  annotations:
    by: me
  labels:
    env: prod
  name: prod-runner
  namespace: shop
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  annotations:
    by: me
  labels:
    env: prod
  name: prod-bind
  namespace: shop
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: view
subjects:
- kind: ServiceAccount
  name: prod-runner
  namespace: shop
- kind: ServiceAccount
  name: runner
  namespace: x
---
apiVersion: v1
data:
  A: "2"
  B: a <b>
  C: "3"
kind: ConfigMap
metadata:
  annotations:
    by: me
  labels:
    env: prod
  name: prod-conf-m58k9kctkf
  namespace: shop
---
apiVersion: v1
data:
  pw: czNjcmV0
kind: Secret
metadata:
  annotations:
    by: me
  labels:
    env: prod
  name: prod-sec-c6mc6k7dmf
  namespace: shop
type: Opaque
---
apiVersion: apps/v1
kind: Deployment
metadata:
  annotations:
    by: me
  labels:
    env: prod
  name: prod-web
  namespace: shop
spec:
  minReadySeconds: 3
  replicas: 4
  selector:
    matchLabels:
      app: web
      env: prod
  template:
    metadata:
      annotations:
        by: me
      labels:
        app: web
        env: prod
    spec:
      containers:
      - args:
        - x
        env:
        - name: PW
          valueFrom:
            secretKeyRef:
              key: pw
              name: prod-sec-c6mc6k7dmf
        envFrom:
        - configMapRef:
            name: prod-conf-m58k9kctkf
        image: reg:5000/nginx:1.27
        name: c
      serviceAccountName: prod-runner
)";

TEST_CASE("an overlay over a base, as kubectl prints it") {
  const Tree tree{{"t/base/kustomization.yaml", kBase},
                  {"t/base/web.yaml", kWeb},
                  {"t/over/kustomization.yaml", kOver},
                  {"t/over/args.yaml",
                   "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: "
                   "{template: {spec: {containers: [{name: c, args: [x]}]}}}}"}};
  CHECK(text_of(tree, "t/over") == kProduction);
}

TEST_CASE("generators") {
  const Tree tree{{"d/kustomization.yaml",
                   "generatorOptions: {labels: {g: h}}\n"
                   "configMapGenerator:\n"
                   "- {name: a, files: [one.txt, two=dir/bytes], envs: [vars.env], options: "
                   "{disableNameSuffixHash: true, immutable: true}}\n"},
                  {"d/one.txt", "text\n"},
                  {"d/dir/bytes", "\xff\x01"},
                  {"d/vars.env", "# no\n\nK=v=w\n"}};
  CHECK(text_of(tree, "d") ==
        "---\napiVersion: v1\nbinaryData:\n  two: /wE=\ndata:\n  K: v=w\n  one.txt: |\n    text\n"
        "immutable: true\nkind: ConfigMap\nmetadata:\n  labels:\n    g: h\n  name: a\n");
}

TEST_CASE("a patch may delete, and two bases may hold the same") {
  const Tree tree{
      {"t/base/kustomization.yaml", "resources: [pod.yaml]"},
      {"t/base/pod.yaml",
       "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: []}}\n---\n"
       "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"},
      {"t/a/kustomization.yaml", "{resources: [../base], namePrefix: a-}"},
      {"t/b/kustomization.yaml",
       "{resources: [../base], nameSuffix: -b, patches: [{patch: '{$patch: delete, apiVersion: v1, "
       "kind: ConfigMap, metadata: {name: c}}'}]}"},
      {"t/kustomization.yaml", "resources: [a, b]"}};
  const auto objects = built(tree, "t");
  REQUIRE(objects.ok());
  std::vector<std::string> names;
  for (const json::value& object : *objects) {
    names.emplace_back(get_string(object, "metadata.name"));
  }
  CHECK(names == std::vector<std::string>{"a-c", "a-p", "p-b"});
}

TEST_CASE("what is wrong is named") {
  CHECK(failure("helmCharts: []") == "d/kustomization.yaml: field \"helmCharts\" is not supported");
  CHECK(failure("resources: [none.yaml]") == "open d/none.yaml: no such file");
  CHECK(failure("resources: ['https://x/y']") ==
        "resources: https://x/y: remote resources are not supported");
  CHECK(failure("resources: [pod.yaml, ./pod.yaml]") ==
        "d/pod.yaml: may not add resource with an already registered id: Pod p");
  CHECK(failure("configMapGenerator: [{name: a, literals: [x]}]") ==
        "d/kustomization.yaml: ConfigMap generator a: literals: invalid literal source x, expected "
        "key=value");
  CHECK(failure("configMapGenerator: [{name: a, behavior: merge}]") ==
        "d/kustomization.yaml: ConfigMap generator a: id ConfigMap a does not exist; cannot merge "
        "or replace");
  CHECK(failure("patches: [{path: p, patch: q}]") ==
        "d/kustomization.yaml: patches: want either path or patch");
  CHECK(failure("patches: [{patch: '{kind: Pod, apiVersion: v1, metadata: {name: q}}'}]") ==
        "d/kustomization.yaml: patches: no resource matches strategic merge patch \"Pod q\"");
  CHECK(failure("replicas: [{name: x, count: 1}]") ==
        "d/kustomization.yaml: replicas: no Deployment, ReplicaSet, StatefulSet or "
        "ReplicationController is named x");
  CHECK(failure("resources: [../d]") == "d: directories name each other, or too many do");
  CHECK(built({}, "none").status().message() ==
        "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in "
        "directory 'none'");
}

}  // namespace
}  // namespace coracle::kustomize
