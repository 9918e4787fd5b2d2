#include "lab/addons.hpp"

#include <fmt/format.h>

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

}  // namespace

Status install_addons(Cluster& cluster, const ClusterShape& shape) {
  struct Addon {
    std::string collection, name, body;
  };
  for (const Addon& addon :
       {Addon{"/api/v1/namespaces/kube-system/services", "kube-dns", dns_service(shape)}}) {
    ASSIGN_OR_RETURN(const auto found, cluster.call("GET", addon.collection + "/" + addon.name));
    if (found.status == 200) continue;
    ASSIGN_OR_RETURN(const json::value body, parse_json(addon.body));
    RETURN_IF_ERROR(cluster.send("POST", addon.collection, body).status());
  }
  return {};
}

}  // namespace coracle::lab
