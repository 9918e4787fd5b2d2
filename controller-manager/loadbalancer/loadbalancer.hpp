// Load balancers without a cloud: Services of type LoadBalancer get an address of a pool, which the
// service proxy answers. Without a pool they wait, as they do in every cluster without a cloud.
// Pure (upstream: cloud-provider's service controller).
//
// An address belongs to one Service. Of two that took the same one at once the later (by name)
// gives it up: reconciling looks at all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.hpp"
#include "controllers/controller.hpp"

namespace coracle::controllers {

// The addresses of an IPv4 CIDR but its first and last.
struct AddressPool {
  std::uint32_t first = 0, last = 0;
  // InvalidArgument: not an IPv4 CIDR of at least four addresses.
  static Result<AddressPool> parse(const std::string& cidr);
  bool holds(std::uint32_t address) const { return first <= address && address <= last; }
};
std::optional<std::uint32_t> parse_ipv4(std::string_view text);
std::string ipv4_text(std::uint32_t address);

class LoadBalancerController final : public Controller {
 public:
  explicit LoadBalancerController(AddressPool pool) : pool_(pool) {}
  std::string_view name() const override { return "service-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kServices}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 private:
  std::optional<std::uint32_t> choose(const World& world, const json::value& service) const;

  const AddressPool pool_;
};

}  // namespace coracle::controllers
