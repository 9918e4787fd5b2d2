#include "lab/addons.hpp"

#include <fmt/format.h>

#include <vector>

#include "lab/metrics_addon.hpp"
#include "lab/network.hpp"

namespace coracle::lab {
namespace {

// The name under which clients and `kubectl cluster-info` know the cluster's DNS, which kubelet-sim
// answers.
std::string dns_service(const ClusterShape& shape) {
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"Service","metadata":{{"name":"kube-dns",
        "namespace":"kube-system","labels":{{"k8s-app":"kube-dns",
        "kubernetes.io/cluster-service":"true","kubernetes.io/name":"CoreDNS"}}}},
        "spec":{{"clusterIP":"{}","ports":[
        {{"name":"dns","port":53,"protocol":"UDP","targetPort":53}},
        {{"name":"dns-tcp","port":53,"protocol":"TCP","targetPort":53}}]}}}})",
      network_ranges(shape.network_slot).dns);
}

struct Addon {
  std::string collection, name, body;
};

// The schedulers' decisions as an aggregated API: a Service without selector that leads to their
// secure ports. Their certificates are of their own making, so nobody vouches for them; all of it
// stays on this machine.
std::vector<Addon> decision_addons(const ClusterShape& shape) {
  const std::string name = "scheduling-decisions";
  std::vector<Addon> addons{
      {"/api/v1/namespaces/kube-system/services", name,
       fmt::format(R"({{"apiVersion":"v1","kind":"Service","metadata":{{"name":"{}",
         "namespace":"kube-system"}},"spec":{{"ports":[{{"port":443}}]}}}})",
                   name)},
      {"/apis/apiregistration.k8s.io/v1/apiservices", "v1alpha1.lab.coracle.dev",
       fmt::format(R"({{"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService",
         "metadata":{{"name":"v1alpha1.lab.coracle.dev"}},"spec":{{"group":"lab.coracle.dev",
         "version":"v1alpha1","groupPriorityMinimum":100,"versionPriority":10,
         "insecureSkipTLSVerify":true,"service":{{"name":"{}","namespace":"kube-system"}}}}}})",
                   name)}};
  for (size_t i = 0; i < shape.scheduler_ports.size(); ++i) {
    const std::string slice = fmt::format("{}-{}", name, i + 1);
    addons.push_back({"/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices", slice,
                      fmt::format(R"({{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice",
           "metadata":{{"name":"{}","namespace":"kube-system",
           "labels":{{"kubernetes.io/service-name":"{}"}}}},"addressType":"IPv4",
           "ports":[{{"name":"","port":{}}}],"endpoints":[{{"addresses":["127.0.0.1"]}}]}})",
                                  slice, name, shape.scheduler_ports[i])});
  }
  return addons;
}

}  // namespace

Status install_addons(Cluster& cluster, const ClusterShape& shape, bool decisions) {
  std::vector<Addon> texts{
      {"/api/v1/namespaces/kube-system/services", "kube-dns", dns_service(shape)}};
  if (decisions) {
    for (Addon& addon : decision_addons(shape)) texts.push_back(std::move(addon));
  }
  std::vector<NamedObject> addons;
  for (const Addon& addon : texts) {
    ASSIGN_OR_RETURN(json::value body, parse_json(addon.body));
    addons.push_back({addon.collection, std::move(body)});
  }
  if (shape.metrics_server_port != 0) {
    ASSIGN_OR_RETURN(const std::string ca, read_file(cluster.layout().pki("ca.crt")));
    for (NamedObject& object : metrics_objects(shape.metrics_server_port, ca)) {
      addons.push_back(std::move(object));
    }
  }
  for (const NamedObject& addon : addons) {
    const std::string name(get_string(addon.body, "metadata.name"));
    ASSIGN_OR_RETURN(const auto found, cluster.call("GET", addon.collection + "/" + name));
    if (found.status == 200) continue;
    RETURN_IF_ERROR(cluster.send("POST", addon.collection, addon.body).status());
  }
  return {};
}

}  // namespace coracle::lab
