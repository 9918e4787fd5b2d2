#include "loadbalancer/loadbalancer.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <set>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr char kFinalizer[] = "service.kubernetes.io/load-balancer-cleanup";
constexpr Duration kNoneFree = std::chrono::seconds(30);

bool wants(const json::value& service) {
  return get_string(service, "spec.type") == "LoadBalancer" && !is_deleting(service) &&
         find(service, "spec.loadBalancerClass") == nullptr;
}

std::optional<std::uint32_t> address_of(const json::value& service) {
  const json::array& ingress = get_array(service, "status.loadBalancer.ingress");
  return ingress.empty() ? std::nullopt : parse_ipv4(get_string(ingress.front(), "ip"));
}

void set_address(const json::value& service, const std::string& address, Plan* plan) {
  json::value changed = service;
  if (address.empty()) {
    make_object(changed, "status")["loadBalancer"] = json::object();
  } else {
    make_object(changed, "status.loadBalancer")["ingress"].emplace_array().push_back(
        json::object{{"ip", address}, {"ipMode", "VIP"}});
  }
  plan->update_status(gvr::kServices, std::move(changed));
}

}  // namespace

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::string ipv4_text(std::uint32_t a) {
  return fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

Result<AddressPool> AddressPool::parse(const std::string& cidr) {
  const size_t slash = cidr.find('/');
  const auto address = parse_ipv4(cidr.substr(0, slash));
  long long bits = -1;
  if (slash == std::string::npos || !address || !parse_int(cidr.substr(slash + 1), &bits) ||
      bits < 1 || bits > 30) {
    return invalid_argument(quoted(cidr) + " is no IPv4 range of at least four addresses");
  }
  const std::uint32_t hosts = (1u << (32 - bits)) - 1;
  const std::uint32_t base = *address & ~hosts;
  return AddressPool{base + 1, base + hosts - 1};
}

void LoadBalancerController::touched(const World& world, const client::Gvr&,
                                     const json::value* before, const json::value* after,
                                     const Enqueue& enqueue) const {
  if (after != nullptr) enqueue(client::object_key(*after));
  // An address that is free again may be what others wait for.
  if (before == nullptr || !address_of(*before) || (after != nullptr && address_of(*after))) return;
  for (const auto& [key, service] : world.of(gvr::kServices).objects()) {
    if (wants(*service) && !address_of(*service)) enqueue(key);
  }
}

std::optional<std::uint32_t> LoadBalancerController::choose(const World& world,
                                                            const json::value& service) const {
  std::set<std::uint32_t> taken;
  for (const auto& [key, other] : world.of(gvr::kServices).objects()) {
    const auto address = address_of(*other);
    if (address && api::uid_of(*other) != api::uid_of(service)) taken.insert(*address);
  }
  if (const auto asked = get_string(service, "spec.loadBalancerIP"); !asked.empty()) {
    const auto address = parse_ipv4(asked);
    if (!address || !pool_.holds(*address) || taken.contains(*address)) return std::nullopt;
    return address;
  }
  for (std::uint32_t address = pool_.first; address <= pool_.last; ++address) {
    if (!taken.contains(address)) return address;
  }
  return std::nullopt;
}

Plan LoadBalancerController::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr service = world.get(gvr::kServices, ns, name);
  if (service == nullptr) return plan;
  plan.about = service;
  const auto had = address_of(*service);
  if (!wants(*service)) {
    if (!api::has_finalizer(*service, kFinalizer)) return plan;
    if (had && pool_.holds(*had) && !is_deleting(*service)) {
      plan.note("DeletingLoadBalancer", "Deleting load balancer");
      set_address(*service, "", &plan);
      return plan;
    }
    json::value changed = *service;
    api::remove_finalizer(changed, kFinalizer);
    plan.update(gvr::kServices, std::move(changed));
    plan.note("DeletedLoadBalancer", "Deleted load balancer");
    return plan;
  }
  if (!api::has_finalizer(*service, kFinalizer)) {
    json::value changed = *service;
    api::add_finalizer(changed, kFinalizer);
    plan.update(gvr::kServices, std::move(changed));
    return plan;
  }
  if (had) {
    for (const auto& [other_key, other] : world.of(gvr::kServices).objects()) {
      if (other_key >= key) break;
      if (address_of(*other) == had) {  // taken twice: the first by name keeps it
        set_address(*service, "", &plan);
        break;
      }
    }
    return plan;
  }
  const auto address = choose(world, *service);
  plan.note("EnsuringLoadBalancer", "Ensuring load balancer");
  if (!address) {
    plan.warn("SyncLoadBalancerFailed",
              "Error syncing load balancer: failed to ensure load balancer: no address is free");
    plan.look_again(kNoneFree);
    return plan;
  }
  set_address(*service, ipv4_text(*address), &plan);
  Write& write = plan.writes.back();
  write.done_reason = "EnsuredLoadBalancer";
  write.done_message = "Ensured load balancer";
  return plan;
}

}  // namespace coracle::controllers
