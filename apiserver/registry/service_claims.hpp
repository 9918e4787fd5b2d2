// ServiceAllocator: cluster addresses and node ports of Services. Each one in use has a record of
// its own in the store, /registry/ranges/serviceips/IP or /registry/ranges/servicenodeports/PORT,
// made by a guarded write: no two apiservers can give the same one away.
//
// A record whose service is gone (its apiserver died between the two writes) is taken over once it
// is kOrphanAge old. Strand only. Bound: kProbesMax tries for a free one, then 500.
#pragma once

#include <set>

#include "apiserver/registry/context.hpp"

namespace coracle::apiserver {

struct ServiceRanges {
  std::uint32_t base = 0;  // first address, host order
  int prefix = 12;
  std::string cidr = "127.96.0.0/12";
  int port_low = 30000, port_high = 32767;

  // "127.96.0.0/12"; "30000-32767". InvalidArgument otherwise.
  static Result<ServiceRanges> parse(std::string_view cidr, std::string_view ports);
  std::uint32_t size() const { return 1U << (32 - prefix); }
  std::string address(std::uint32_t offset) const;
  bool contains(std::string_view address) const;
  std::string first_address() const { return address(1); }
};

// What a write of a service took, to be given back when the write fails.
struct ServiceClaims {
  std::vector<std::string> taken;  // record keys
  std::string cluster_ip;          // "" none allocated
  std::vector<int> node_ports;     // by index of spec.ports, 0: none allocated
  int health_port = 0;
  bool dry_run = false;
  // Puts what was allocated into the fields that are still empty.
  void fill(json::value& service) const;
};

class ServiceAllocator {
 public:
  static constexpr Duration kOrphanAge = std::chrono::minutes(1);
  static constexpr int kProbesMax = 200;

  ServiceAllocator(Machinery& machinery, ServiceRanges ranges) : m_(machinery), ranges_(ranges) {}

  const ServiceRanges& ranges() const { return ranges_; }
  // Takes what `service` asks for or lacks; 422 in upstream's words. `old`: null on create; what it
  // holds already is not taken again. A dry run finds out but writes no record.
  Task<Outcome<ServiceClaims>> claim(json::value service, json::value old, bool dry_run = false);
  // Frees what `before` had and `now` (null: deleted) has no more.
  Task<bool> release_unused(json::value before, json::value now);
  Task<bool> give_back(ServiceClaims claims);

 private:
  Task<Outcome<bool>> take(std::string record, std::string owner, ServiceClaims& claims);
  Task<Outcome<bool>> take_over(std::string record, client::KeyValue there, std::string owner);
  Task<Outcome<Done>> claim_address(const json::value& service, std::string owner,
                                    ServiceClaims& claims);
  Task<Outcome<Done>> claim_ports(const json::value& service, const json::value& old,
                                  std::string owner, ServiceClaims& claims);
  Task<Outcome<int>> any_port(std::string owner, ServiceClaims& claims);
  Task<bool> drop(std::string record);
  std::set<std::string> in_use() const;

  Machinery& m_;
  const ServiceRanges ranges_;
};

}  // namespace coracle::apiserver
