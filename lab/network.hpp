// Which loopback addresses a cluster takes, so that several labs run side by side on one machine.
// Slot 0 has the addresses of the documents; the next lab takes slot 1, and so on.
//
//   slot  services (DNS at .10)  pods from         Ingresses   load balancers
//   0     127.96.0.0/12          127.128.0.0       127.64.0.1  127.64.128.0/17
//   K     127.(96+K).0.0/16      127.(128+8K).0.0  127.64.K.1  127.(64+K).128.0/17
//
// A slot is claimed by an abstract socket named after it, which lives as long as the lab's
// kubelet-sim: the kernel lets go of it, however that ends. Node addresses are shared: kubelets
// have ports of their own.
#pragma once

#include <string>

#include "base/status.hpp"

namespace coracle::lab {

inline constexpr int kNetworkSlots = 16;

struct NetworkRanges {
  std::string services;       // CIDR
  std::string first_service;  // of the Service default/kubernetes
  std::string dns;
  std::string pods;  // the address before the first pod's
  std::string ingress;
  std::string load_balancers;  // CIDR
};
NetworkRanges network_ranges(int slot);

class NetworkClaim {
 public:
  // The first free slot; Unavailable when all are taken.
  static Result<NetworkClaim> first_free();
  // Of this slot; fd() is -1 when somebody has it already (or this lab's own kubelet-sim).
  static NetworkClaim of(int slot);

  NetworkClaim(NetworkClaim&& other) noexcept;
  NetworkClaim& operator=(NetworkClaim&& other) noexcept;
  ~NetworkClaim();
  int slot() const { return slot_; }
  int fd() const { return fd_; }  // closed on exec

 private:
  NetworkClaim(int slot, int fd) : slot_(slot), fd_(fd) {}
  int slot_ = 0, fd_ = -1;
};

}  // namespace coracle::lab
