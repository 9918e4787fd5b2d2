// NodeAuthorizer: what a kubelet (user system:node:NAME in group system:nodes) may do: its own Node
// and Lease, its pods, and of Secrets, ConfigMaps, claims, volumes and accounts those its pods
// name. What the rules leave open, because only the object tells, is NodeRestriction's
// (node_restriction).
//
// Strand only; reads the watch caches, looking through the pods of one namespace where it must.
#pragma once

#include <optional>

#include "apiserver/cache/feed.hpp"
#include "apiserver/chain/user.hpp"

namespace coracle::apiserver::rbac {

// The node a user is; "" for a member of system:nodes that is none; nullopt for everybody else.
std::optional<std::string> node_identity(const UserInfo& user);

class NodeAuthorizer {
 public:
  explicit NodeAuthorizer(const StoreFeed& feed) : feed_(feed) {}

  // Not allowed means: nothing to say; roles may still give it.
  Decision decide(const UserInfo& user, const RequestInfo& request) const;

 private:
  Decision decide_related(const std::string& node, const RequestInfo& request) const;
  Decision decide_slice(const std::string& node, const RequestInfo& request) const;
  bool pod_on_node(const std::string& node, const RequestInfo& request) const;
  bool named_by_pod(const std::string& node, const RequestInfo& request) const;
  bool volume_of_pod(const std::string& node, const std::string& volume) const;
  bool attachment_of_node(const std::string& node, const std::string& name) const;

  const StoreFeed& feed_;
};

}  // namespace coracle::apiserver::rbac
