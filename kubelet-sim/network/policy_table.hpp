// PolicyTable: what NetworkPolicies say of a connection. Pure: policies, namespaces and pods in;
// for two addresses, a port and a transport a decision with its reason out. The rules are
// upstream's: a pod that no policy selects for a direction takes (makes) every connection; one that
// is selected only those that a rule of one of them allows; both ends must agree. Answers belong to
// their connection. A pod reaches itself; pods in the host's network are the machine, which no
// policy selects.
//
// An address that is no pod's (a client on the machine, an Ingress, the internet) is matched by
// ipBlock and by rules without peers. Named ports are those of the pod that is called. The
// cluster's DNS is no pod here: its address counts as one in kube-system with the label
// k8s-app=kube-dns.
//
// decide: O(policies of the two namespaces). Immutable once made.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/selectors.hpp"
#include "network/service_table.hpp"

namespace coracle::network {

struct Flow {
  std::string from, to;  // addresses
  std::uint16_t port = 0;
  Transport transport = Transport::kTcp;
};

struct Verdict {
  bool allowed = true;
  // "no policy selects ...", "NetworkPolicy shop/db allows it", "egress from pod shop/web: ..."
  std::string reason;
  // Whom an event about a refusal belongs to: "namespace/name" of the pod that is isolated.
  std::string pod;
};

class PolicyTable {
 public:
  PolicyTable() = default;
  static PolicyTable make(const Objects& policies, const Objects& namespaces, const Objects& pods,
                          const std::string& dns_address);

  bool empty() const { return policies_.empty(); }
  Verdict decide(const Flow& flow) const;
  // The address of "namespace/name"; empty if there is no such pod.
  std::string address_of(std::string_view pod) const;

 private:
  struct Pod {
    std::string key, ns;
    json::object labels;
    std::map<std::pair<std::string, std::string>, std::int64_t> ports;  // (name, protocol)
  };
  struct Peer {
    bool is_block = false;
    std::string cidr;
    std::vector<std::string> except;
    std::optional<api::LabelSelector> namespaces, pods;
  };
  struct Port {
    std::string protocol, name;
    std::int64_t first = 0, last = 0;  // 0, 0: all, or by name
  };
  struct Rule {
    std::vector<Peer> peers;
    std::vector<Port> ports;
  };
  struct Policy {
    std::string key;
    api::LabelSelector selector;
    bool ingress = false, egress = false;
    std::vector<Rule> in, out;
  };
  // One end of a flow: a pod, or only an address.
  struct End {
    const Pod* pod = nullptr;
    std::string address;
    std::string text() const;
  };
  static std::optional<Policy> read(const json::value& policy);
  static std::vector<Rule> read_rules(const json::value& policy, const char* rules,
                                      const char* peers);
  static Peer read_peer(const json::value& peer);
  void add_pod(const json::value& pod);
  End end_of(const std::string& address) const;
  // Nothing: no policy selects the pod for this direction.
  std::optional<Verdict> decide_at(const End& mine, const End& other, bool ingress,
                                   const Flow& flow) const;
  bool allows(const Policy& policy, const Rule& rule, const End& other, const Pod* called,
              const Flow& flow) const;
  bool matches(const Policy& policy, const Peer& peer, const End& other) const;

  std::map<std::string, Pod> pods_;  // by address
  std::map<std::string, json::object> namespaces_;
  std::map<std::string, std::vector<Policy>> policies_;  // by namespace
};

std::string_view name_of(Transport transport);  // "TCP", "UDP"

}  // namespace coracle::network
