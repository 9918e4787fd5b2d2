// Controller: the interface of a reconcile loop. A controller is a value without state: what it
// knows is the World; what it wants is the Plan. The runner calls reconcile() for a key only when
// every write of the key's last plan is visible in the World, so that it never acts on a stale view
// of its own doing (upstream: expectations).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "controllers/plan.hpp"
#include "controllers/world.hpp"

namespace coracle::controllers {

using Enqueue = std::function<void(const std::string& key)>;

class Controller {
 public:
  virtual ~Controller() = default;
  virtual std::string_view name() const = 0;
  virtual std::vector<client::Gvr> watched() const = 0;
  // Then objects of custom kinds are told of as well, as their definitions come and go.
  virtual bool follows_custom_kinds() const { return false; }
  // An object came (no before), changed or went (no after): which keys may need work?
  virtual void touched(const World& world, const client::Gvr& gvr, const json::value* before,
                       const json::value* after, const Enqueue& enqueue) const = 0;
  virtual Plan reconcile(const World& world, const std::string& key, Instant now) const = 0;
};

// The resources, spelled once.
namespace gvr {
inline const client::Gvr kPods{"", "v1", "pods", true};
inline const client::Gvr kNodes{"", "v1", "nodes", false};
inline const client::Gvr kServices{"", "v1", "services", true};
inline const client::Gvr kEndpoints{"", "v1", "endpoints", true};
inline const client::Gvr kEndpointSlices{"discovery.k8s.io", "v1", "endpointslices", true};
inline const client::Gvr kNamespaces{"", "v1", "namespaces", false};
inline const client::Gvr kConfigMaps{"", "v1", "configmaps", true};
inline const client::Gvr kServiceAccounts{"", "v1", "serviceaccounts", true};
inline const client::Gvr kLeases{"coordination.k8s.io", "v1", "leases", true};
inline const client::Gvr kReplicaSets{"apps", "v1", "replicasets", true};
inline const client::Gvr kDeployments{"apps", "v1", "deployments", true};
inline const client::Gvr kClusterRoles{"rbac.authorization.k8s.io", "v1", "clusterroles", false};
inline const client::Gvr kDaemonSets{"apps", "v1", "daemonsets", true};
inline const client::Gvr kStatefulSets{"apps", "v1", "statefulsets", true};
inline const client::Gvr kReplicationControllers{"", "v1", "replicationcontrollers", true};
inline const client::Gvr kControllerRevisions{"apps", "v1", "controllerrevisions", true};
inline const client::Gvr kJobs{"batch", "v1", "jobs", true};
inline const client::Gvr kCronJobs{"batch", "v1", "cronjobs", true};
inline const client::Gvr kAutoscalers{"autoscaling", "v2", "horizontalpodautoscalers", true};
inline const client::Gvr kPodDisruptionBudgets{"policy", "v1", "poddisruptionbudgets", true};
inline const client::Gvr kCustomResourceDefinitions{"apiextensions.k8s.io", "v1",
                                                    "customresourcedefinitions", false};
inline const client::Gvr kClaims{"", "v1", "persistentvolumeclaims", true};
inline const client::Gvr kVolumes{"", "v1", "persistentvolumes", false};
inline const client::Gvr kStorageClasses{"storage.k8s.io", "v1", "storageclasses", false};
inline const client::Gvr kSecrets{"", "v1", "secrets", true};
inline const client::Gvr kResourceQuotas{"", "v1", "resourcequotas", true};
inline const client::Gvr kCertificateSigningRequests{"certificates.k8s.io", "v1",
                                                     "certificatesigningrequests", false};
inline const client::Gvr kAdmissionPolicies{"admissionregistration.k8s.io", "v1",
                                            "validatingadmissionpolicies", false};
}  // namespace gvr

// Indexes every cache has beside the namespace: "owner" (uids of all owner references),
// "controller" (uid of the controlling one), "node" (spec.nodeName); of what is adopted "orphan",
// of who adopts "adopter" (adoption.hpp); of pods "ended" (pods.hpp).
inline constexpr const char* kOwnerIndex = "owner";
inline constexpr const char* kControllerIndex = "controller";
inline constexpr const char* kOrphanIndex = "orphan";
inline constexpr const char* kAdopterIndex = "adopter";
inline constexpr const char* kNodeIndex = "node";
inline constexpr const char* kEndedIndex = "ended";
void add_common_indexes(const client::Gvr& of,
                        const std::function<void(const std::string&, client::IndexFunction)>& add);

// "default/web" -> {"default", "web"}; "node-1" -> {"", "node-1"}.
std::pair<std::string, std::string> split_key(const std::string& key);

}  // namespace coracle::controllers
