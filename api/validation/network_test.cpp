#include "api/defaults/defaults.hpp"
#include "api/validation/testing.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

TEST_CASE("service: addresses") {
  run(
      {
          {"not an address, not a family",
           R"({"spec":{"clusterIP":"x","clusterIPs":["x"],"ipFamilies":["IPv5","IPv5"],
               "ipFamilyPolicy":"Any","ports":[{"port":80}]}})",
           {R"(spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6")",
            R"(spec.ipFamilies[1]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6")",
            R"(spec.ipFamilies[1]: Duplicate value: "IPv5")",
            R"(spec.ipFamilyPolicy: Unsupported value: "Any": supported values: )"
            R"("PreferDualStack", "RequireDualStack", "SingleStack")",
            R"(spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. )"
            "10.9.8.7 or 2001:db8::ffff)"}},
          {"two of a kind and of another family",
           R"({"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1","10.0.0.2"],
               "ipFamilies":["IPv6"],"ports":[{"port":80}]}})",
           {R"(spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than )"
            "one IP for each IP family",
            R"(spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as )"
            "indicated by `ipFamilies[0]`"}},
          {"pair",
           R"({"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.2"],"ports":[{"port":80}]}})",
           {R"(spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`)"}},
          {"None and more",
           R"({"spec":{"clusterIP":"None","clusterIPs":["None","10.0.0.2"],
               "ports":[{"port":80}]}})",
           {R"(spec.clusterIPs: Invalid value: ["None","10.0.0.2"]: 'None' must be the first and )"
            "only value"}},
          {"external ones",
           R"({"spec":{"externalIPs":["127.0.0.1","no"],"ports":[{"port":80}]}})",
           {R"(spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range )"
            "(127.0.0.0/8, ::1/128)",
            R"(spec.externalIPs[1]: Invalid value: "no": must be a valid IP address, (e.g. )"
            "10.9.8.7 or 2001:db8::ffff)"}},
          {"given up",
           R"({"spec":{"clusterIPs":[],"ipFamilies":["IPv6"],"ports":[{"port":80}]}})",
           {"spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset",
            R"(spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set)"},
           R"({"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"ipFamilies":["IPv4"],
               "ports":[{"port":80}]}})"},
          {"headless with ports for outside",
           R"({"spec":{"type":"NodePort","clusterIP":"None","clusterIPs":["None"],
               "ports":[{"port":80}]}})",
           {R"(spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort )"
            "services"}},
      },
      service, defaults::set_service);
}

TEST_CASE("service: traffic") {
  run(
      {
          {"not for this type",
           R"({"spec":{"externalTrafficPolicy":"Local","healthCheckNodePort":30000,
               "loadBalancerClass":"a.io/b","allocateLoadBalancerNodePorts":true,
               "loadBalancerSourceRanges":["10.0.0.0/8"],"trafficDistribution":"Near",
               "ports":[{"port":80}]}})",
           {"spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is "
            "'LoadBalancer'",
            "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is "
            "'LoadBalancer'",
            "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
            R"(spec.externalTrafficPolicy: Invalid value: "Local": may only be set for )"
            "externally-accessible services",
            "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is "
            "'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
            R"(spec.trafficDistribution: Unsupported value: "Near": supported values: )"
            R"("PreferClose", "PreferSameZone", "PreferSameNode")"}},
          {"balancer",
           R"({"spec":{"type":"LoadBalancer","loadBalancerSourceRanges":["10.0.0.0"],
               "loadBalancerClass":"a b","externalTrafficPolicy":"Away","ports":[{"port":80}]}})",
           {R"(spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.0": must be a valid CIDR )"
            "value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
            R"(spec.loadBalancerClass: Invalid value: "a b": name part must consist of )"
            "alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
            "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            R"(spec.externalTrafficPolicy: Unsupported value: "Away": supported values: )"
            R"("Cluster", "Local")"}},
          {"affinity",
           R"({"spec":{"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{
               "timeoutSeconds":90000}},"ports":[{"port":80}]}})",
           {"spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be "
            "greater than 0 and less than 86400"}},
          {"the same ports twice",
           R"({"spec":{"type":"NodePort","ports":[{"name":"a","port":80,"nodePort":30000},
               {"name":"a","port":80,"nodePort":30000}]}})",
           {R"(spec.ports[1].name: Duplicate value: "a")",
            "spec.ports[1].nodePort: Duplicate value: 30000",
            R"(spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,)"
            R"("Port":80,"TargetPort":0,"NodePort":0})"}},
          {"ports that are none",
           R"({"spec":{"ports":[{"port":0,"protocol":"HTTP","targetPort":"web_port"}]}})",
           {"spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            R"(spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", )"
            R"("TCP", "UDP")",
            R"(spec.ports[0].targetPort: Invalid value: "web_port": must contain only )"
            "alpha-numeric characters (a-z, 0-9), and hyphens (-)"}},
      },
      service, defaults::set_service);
}

TEST_CASE("endpoints") {
  run(
      {
          {"nothing in it",
           R"({"subsets":[{"ports":[{"port":0,"protocol":"TCP","appProtocol":"a/b/c"}]}]})",
           {"subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
            "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            R"(subsets[0].ports[0].appProtocol: Invalid value: "a/b/c": a valid label key must )"
            "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
            "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS "
            "subdomain prefix and '/' (e.g. 'example.com/MyName')"}},
          {"addresses of no use",
           R"({"subsets":[{"addresses":[{"ip":"169.254.0.1"},{"ip":"0.0.0.0"}]}]})",
           {R"(subsets[0].addresses[0].ip: Invalid value: "169.254.0.1": may not be in the )"
            "link-local range (169.254.0.0/16, fe80::/10)",
            R"(subsets[0].addresses[1].ip: Invalid value: "0.0.0.0": may not be unspecified )"
            "(0.0.0.0)"}},
          {"as it was", R"({"subsets":[{}]})", {}, R"({"subsets":[{}]})"},
      },
      endpoints, defaults::set_endpoints);
}

TEST_CASE("ingress") {
  const std::string paths = "spec.rules[0].http.paths";
  run(
      {
          {"nothing",
           R"({"spec":{}})",
           {"spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"}},
          {"hosts",
           R"({"spec":{"rules":[{"host":"10.0.0.1"},{"host":"foo.*.bar"},{"host":"a_b"}]}})",
           {R"(spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP )"
            "address",
            R"(spec.rules[1].host: Invalid value: "foo.*.bar": a wildcard DNS-1123 subdomain must )"
            "start with '*.', followed by a valid DNS subdomain, which must consist of lower case "
            "alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. "
            "'*.example.com', regex used for validation is "
            "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            R"(spec.rules[2].host: Invalid value: "a_b": a lowercase RFC 1123 subdomain must )"
            "consist of lower case alphanumeric characters, '-' or '.', and must start and end "
            "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"}},
          {"paths",
           R"({"spec":{"rules":[{"http":{"paths":[{},{"pathType":"Glob","backend":{}},
               {"pathType":"Prefix","path":"a//b/..","backend":{"service":{"name":"s",
               "port":{"name":"a","number":1}}}},
               {"pathType":"ImplementationSpecific","backend":{"service":{}}}]}}]}})",
           {paths + "[0].pathType: Required value: pathType must be specified",
            paths + R"([1].pathType: Unsupported value: "Glob": supported values: "Exact", )"
                    R"("ImplementationSpecific", "Prefix")",
            paths + R"([1].backend: Invalid value: "": resource or service backend is required)",
            paths + R"([2].path: Invalid value: "a//b/..": must be an absolute path)",
            paths + R"([2].path: Invalid value: "a//b/..": must not contain '//')",
            paths + R"([2].path: Invalid value: "a//b/..": cannot end with '/..')",
            paths + R"([2].backend: Invalid value: "": cannot set both port name & port number)",
            paths + "[3].backend.service.name: Required value",
            paths + "[3].backend: Required value: port name or number is required"}},
          {"class twice",
           R"({"metadata":{"annotations":{"kubernetes.io/ingress.class":"a"}},
               "spec":{"ingressClassName":"b","rules":[{}]}})",
           {R"(annotations.kubernetes.io/ingress.class: Invalid value: "a": must match )"
            "`ingressClassName` when both are specified"}},
          {"tls",
           R"({"spec":{"rules":[{}],"tls":[{"hosts":["*.a.example","*"],"secretName":"A"}]}})",
           {R"(spec.tls[0].hosts[1]: Invalid value: "*": a wildcard DNS-1123 subdomain must )"
            "start with '*.', followed by a valid DNS subdomain, which must consist of lower case "
            "alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. "
            "'*.example.com', regex used for validation is "
            "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            R"(spec.tls[0].secretName: Invalid value: "A": a lowercase RFC 1123 subdomain must )"
            "consist of lower case alphanumeric characters, '-' or '.', and must start and end "
            "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"}},
      },
      ingress, nullptr);
}

TEST_CASE("network policy") {
  const std::string from = "spec.ingress[0].from", ports = "spec.egress[0].ports";
  run(
      {
          {"peers",
           R"({"spec":{"podSelector":{},"policyTypes":["Both"],"ingress":[{"from":[{},
               {"ipBlock":{"cidr":"10.0.0.0/8","except":["10.0.0.0/8","11.0.0.0/16"]},
                "podSelector":{}},{"ipBlock":{}},{"ipBlock":{"cidr":"10.0.0.0"}}]}]}})",
           {from + "[0]: Required value: must specify a peer",
            from + R"([1].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict )"
                   "subset of `cidr`",
            from + R"([1].ipBlock.except[1]: Invalid value: "11.0.0.0/16": must be a strict )"
                   "subset of `cidr`",
            from + "[1]: Forbidden: may not specify both ipBlock and another peer",
            from + "[2].ipBlock.cidr: Required value",
            from + R"([3].ipBlock.cidr: Invalid value: "10.0.0.0": must be a valid CIDR value, )"
                   "(e.g. 10.9.8.0/24 or 2001:db8::/64)",
            R"(spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", )"
            R"("Egress")"}},
          {"ports",
           R"({"spec":{"podSelector":{},"egress":[{"ports":[{"protocol":"HTTP"},
               {"port":80,"endPort":70},{"port":"web","endPort":90},{"endPort":90}]}]}})",
           {ports + R"([0].protocol: Unsupported value: "HTTP": supported values: "TCP", "UDP", )"
                    R"("SCTP")",
            ports + "[1].endPort: Invalid value: 70: must be greater than or equal to `port`",
            ports + "[2].endPort: Invalid value: 90: may not be specified when `port` is "
                    "non-numeric",
            ports + "[3].endPort: Invalid value: 90: may not be specified when `port` is not "
                    "specified"}},
      },
      network_policy, nullptr);
}

TEST_CASE("autoscaler") {
  const std::string metrics = "spec.metrics";
  run(
      {
          {"numbers and target",
           R"({"spec":{"minReplicas":0,"maxReplicas":0,"scaleTargetRef":{"kind":"a/b"}}})",
           {"spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
            "spec.maxReplicas: Invalid value: 0: must be greater than 0",
            R"(spec.scaleTargetRef.kind: Invalid value: "a/b": may not contain '/')",
            "spec.scaleTargetRef.name: Required value",
            "spec.metrics: Forbidden: must specify at least one Object or External metric to "
            "support scaling to zero replicas"}},
          {"metrics",
           R"({"spec":{"minReplicas":1,"maxReplicas":2,"scaleTargetRef":{"kind":"D","name":"d"},
               "metrics":[{"type":"Resource"},{"type":"Resource","resource":{"name":"cpu",
               "target":{"type":"Utilization","averageUtilization":0}}},
               {"type":"CPU","resource":{"name":"cpu","target":{"type":"Value","value":"0",
               "averageValue":"1","averageUtilization":1}}}]}})",
           {metrics + "[0].resource: Required value: must populate information for the given "
                      "metric source",
            metrics + "[1].resource.target.averageUtilization: Invalid value: 0: must be greater "
                      "than 0",
            metrics + R"([2].type: Unsupported value: "CPU": supported values: )"
                      R"("ContainerResource", "External", "Object", "Pods", "Resource")",
            metrics + R"([2].resource.target.value: Invalid value: "0": must be positive)",
            metrics + "[2].resource.target.averageValue: Forbidden: may not set both a target raw "
                      "value and a target utilization",
            metrics + R"([2].type: Unsupported value: "CPU": supported values: )"
                      R"("ContainerResource", "External", "Object", "Pods", "Resource")"}},
          {"behaviour",
           R"({"spec":{"minReplicas":1,"maxReplicas":2,"scaleTargetRef":{"kind":"D","name":"d"},
               "behavior":{"scaleUp":{"stabilizationWindowSeconds":3601,"selectPolicy":"Any"},
               "scaleDown":{"policies":[{"type":"All","value":0,"periodSeconds":1801}]}}}})",
           {"spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less "
            "than or equal to 3600",
            R"(spec.behavior.scaleUp.selectPolicy: Unsupported value: "Any": supported values: )"
            R"("Disabled", "Max", "Min")",
            "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy",
            R"(spec.behavior.scaleDown.policies[0].type: Unsupported value: "All": supported )"
            R"(values: "Percent", "Pods")",
            "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than "
            "zero",
            "spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less "
            "than or equal to 1800"}},
      },
      autoscaler, nullptr);
}

TEST_CASE("namespaces, events, cluster roles") {
  run({{"finalizers",
        R"({"spec":{"finalizers":["kubernetes","mine","a.io/b"]}})",
        {R"(spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor )"
         "is it fully qualified"}}},
      namespace_, nullptr);
  run(
      {
          {"elsewhere",
           R"({"metadata":{"namespace":"a"},"involvedObject":{"namespace":"b"}})",
           {R"(involvedObject.namespace: Invalid value: "b": does not match event.namespace)"}},
          {"new style in the old group",
           R"({"metadata":{"namespace":"a"},"involvedObject":{"namespace":"a"},"reason":"r",
               "eventTime":"2024-01-01T00:00:00.000000Z","reportingComponent":"c"})",
           {"reportingInstance: Required value", "action: Required value"}},
          {"new group",
           R"({"apiVersion":"events.k8s.io/v1","metadata":{"namespace":"default"},
               "series":{"count":1}})",
           {R"(series.count: Invalid value: "": should be at least 2)",
            "series.lastObservedTime: Required value", "eventTime: Required value",
            R"(type: Invalid value: "": has invalid value: )"}},
      },
      event, nullptr);
  run({{"aggregation",
        R"({"aggregationRule":{}})",
        {"aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector "
         "required if aggregationRule is non-nil"}}},
      cluster_role, nullptr);
}

}  // namespace
}  // namespace coracle::api::validation
