#include "api/defaults/defaults.hpp"
#include "api/validation/testing.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

TEST_CASE("service") {
  run(
      {
          {"good", R"({"spec":{"ports":[{"port":80}]}})", {}},
          {"headless without ports", R"({"spec":{"clusterIP":"None","clusterIPs":["None"]}})", {}},
          {"no ports", R"({"spec":{}})", {"spec.ports: Required value"}},
          {"two ports need names",
           R"({"spec":{"ports":[{"port":80},{"port":443}]}})",
           {"spec.ports[0].name: Required value", "spec.ports[1].name: Required value"}},
          {"external name missing",
           R"({"spec":{"type":"ExternalName"}})",
           {"spec.externalName: Required value"}},
          {"node port of a cluster service",
           R"({"spec":{"ports":[{"port":80,"nodePort":30080}]}})",
           {"spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"}},
          {"type",
           R"({"spec":{"type":"Magic","ports":[{"port":80}]}})",
           {R"(spec.type: Unsupported value: "Magic": supported values: "ClusterIP", )"
            R"("ExternalName", "LoadBalancer", "NodePort")"}},
          {"address changed",
           R"({"spec":{"clusterIP":"10.0.99.99","clusterIPs":["10.0.99.99"],"ports":[{"port":80}]}})",
           {R"(spec.clusterIPs[0]: Invalid value: ["10.0.99.99"]: may not change once set)"},
           R"({"spec":{"clusterIPs":["10.0.0.1"],"ports":[{"port":80}]}})"},
          {"balancer class changed",
           R"({"spec":{"type":"LoadBalancer","loadBalancerClass":"a.io/b","ports":[
               {"port":80}]}})",
           {R"(spec.loadBalancerClass: Invalid value: "a.io/b": may not change once set)"},
           R"({"spec":{"type":"LoadBalancer","ports":[{"port":80}]}})"},
          {"address dropped with the type",
           R"({"spec":{"type":"ExternalName","externalName":"a.example"}})",
           {},
           R"({"spec":{"clusterIPs":["10.0.0.1"],"ports":[{"port":80}]}})"},
      },
      service, defaults::set_service);
}

TEST_CASE("endpoint slice") {
  run(
      {
          {"loopback is fine",
           R"({"addressType":"IPv4","endpoints":[{"addresses":["127.0.0.1"]}],
               "ports":[{"port":80}]})",
           {}},
          {"type and address",
           R"({"addressType":"IPv4","endpoints":[{"addresses":["fd00::1"]},{}],"ports":[]})",
           {R"(endpoints[0].addresses[0]: Invalid value: "fd00::1": must be an IPv4 address)",
            "endpoints[1].addresses: Required value: must contain at least 1 address"}},
          {"type changed",
           R"({"addressType":"IPv6"})",
           {R"(addressType: Invalid value: "IPv6": field is immutable)"},
           R"({"addressType":"IPv4"})"},
      },
      endpoint_slice, defaults::set_endpoint_slice);
}

TEST_CASE("config map") {
  run(
      {
          {"good", R"({"data":{"a.b":"1"}})", {}},
          {"in both lists",
           R"({"data":{"a":"1"},"binaryData":{"a":"MQ=="}})",
           {R"(data[a]: Invalid value: "a": duplicate of key present in binaryData)"}},
          {"sealed",
           R"({"data":{"a":"2"},"immutable":true})",
           {"data: Forbidden: field is immutable when `immutable` is set"},
           R"({"data":{"a":"1"},"immutable":true})"},
          {"seal broken",
           R"({"data":{"a":"1"}})",
           {"immutable: Forbidden: field is immutable when `immutable` is set"},
           R"({"data":{"a":"1"},"immutable":true})"},
      },
      config_map, nullptr);
}

TEST_CASE("secret") {
  run(
      {
          {"tls without key",
           R"({"type":"kubernetes.io/tls","data":{"tls.crt":"MQ=="}})",
           {"data[tls.key]: Required value"}},
          {"type changed",
           R"({"type":"Opaque"})",
           {R"(type: Invalid value: "Opaque": field is immutable)"},
           R"({"type":"example.com/x"})"},
      },
      secret, defaults::set_secret);
}

TEST_CASE("persistent volume") {
  run(
      {
          {"good",
           R"({"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],
               "hostPath":{"path":"/d"}}})",
           {}},
          {"nothing",
           R"({"spec":{}})",
           {"spec.accessModes: Required value", "spec.capacity: Required value",
            R"(spec.capacity: Unsupported value: null: supported values: "storage")",
            "spec: Required value: must specify a volume type"}},
          {"two sources, none of the size",
           R"({"spec":{"capacity":{"storage":"0"},"accessModes":["ReadWriteOnce"],
               "hostPath":{"path":"/d"},"nfs":{"server":"a","path":"/d"}}})",
           {R"(spec.capacity[storage]: Invalid value: "0": must be greater than zero)",
            "spec.nfs: Forbidden: may not specify more than 1 volume type"}},
      },
      persistent_volume, defaults::set_persistent_volume);
}

TEST_CASE("limit range") {
  run(
      {
          {"upside down",
           R"({"spec":{"limits":[{"type":"Container","min":{"cpu":"2"},"max":{"cpu":"1"}}]}})",
           {R"(spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max )"
            "value 1",
            R"(spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater )"
            "than default request value 1",
            R"(spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than )"
            "default value 1"}},
      },
      limit_range, defaults::set_limit_range);
}

TEST_CASE("node taints") {
  run(
      {
          {"effect and repetition",
           R"({"spec":{"taints":[{"key":"a","effect":"NoSchedule"},
               {"key":"a","value":"b","effect":"NoSchedule"},{"key":"c","effect":"Maybe"}]}})",
           {R"(metadata.taints[1]: Duplicate value: {"Key":"a","Value":"b",)"
            R"("Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect )"
            "pair",
            R"(metadata.taints[2].effect: Unsupported value: "Maybe": supported values: "NoSchedule", )"
            R"("PreferNoSchedule", "NoExecute")"}},
      },
      node, nullptr);
}

TEST_CASE("priority class") {
  run(
      {
          {"known system class",
           R"({"metadata":{"name":"system-node-critical"},"value":2000001000})",
           {}},
          {"too important",
           R"({"metadata":{"name":"x"},"value":2000000000})",
           {"value: Forbidden: maximum allowed value of a user defined priority is 1000000000"}},
          {"changed",
           R"({"metadata":{"name":"x"},"value":2})",
           {"value: Forbidden: may not be changed in an update."},
           R"({"metadata":{"name":"x"},"value":1})"},
      },
      priority_class, defaults::set_priority_class);
}

}  // namespace
}  // namespace coracle::api::validation
