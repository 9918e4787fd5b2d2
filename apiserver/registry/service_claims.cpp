#include "apiserver/registry/service_claims.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

const std::string kIpRecords = "/registry/ranges/serviceips/";
const std::string kPortRecords = "/registry/ranges/servicenodeports/";

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  const std::vector<std::string> parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::uint32_t out = 0;
  for (const std::string& part : parts) {
    long long value = 0;
    if (part.size() > 3 || !parse_int(part, &value) || value < 0 || value > 255) {
      return std::nullopt;
    }
    out = out << 8 | static_cast<std::uint32_t>(value);
  }
  return out;
}

std::string format_ipv4(std::uint32_t ip) {
  return std::to_string(ip >> 24) + "." + std::to_string(ip >> 16 & 255) + "." +
         std::to_string(ip >> 8 & 255) + "." + std::to_string(ip & 255);
}

bool has_address(const json::value& service) {
  const std::string_view type = get_string(service, "spec.type");
  return type == "ClusterIP" || type == "NodePort" || type == "LoadBalancer" || type.empty();
}

bool has_node_ports(const json::value& service) {
  const std::string_view type = get_string(service, "spec.type");
  return type == "NodePort" ||
         (type == "LoadBalancer" && get_bool(service, "spec.allocateLoadBalancerNodePorts", true));
}

// Every record the service stands for.
std::set<std::string> records_of(const json::value& service) {
  std::set<std::string> out;
  const std::string ip(get_string(service, "spec.clusterIP"));
  if (!ip.empty() && ip != "None") out.insert(kIpRecords + ip);
  for (const json::value& port : get_array(service, "spec.ports")) {
    const std::int64_t number = get_int(port, "nodePort");
    if (number != 0) out.insert(kPortRecords + std::to_string(number));
  }
  const std::int64_t health = get_int(service, "spec.healthCheckNodePort");
  if (health != 0) out.insert(kPortRecords + std::to_string(health));
  return out;
}

api::ApiError invalid(const json::value& service, const api::FieldErrors& errors) {
  return api::invalid_error({"", "Service"}, api::name_of(service), errors);
}

}  // namespace

Result<ServiceRanges> ServiceRanges::parse(std::string_view cidr, std::string_view ports) {
  ServiceRanges out;
  const size_t slash = cidr.find('/');
  long long prefix = 0;
  const auto base = parse_ipv4(cidr.substr(0, slash));
  if (!base || slash == std::string_view::npos || !parse_int(cidr.substr(slash + 1), &prefix) ||
      prefix < 8 || prefix > 30) {
    return invalid_argument(quoted(cidr) + " is not an IPv4 range a.b.c.d/8 to /30");
  }
  out.prefix = static_cast<int>(prefix);
  out.base = *base & ~(out.size() - 1);
  out.cidr = format_ipv4(out.base) + "/" + std::to_string(prefix);
  const size_t dash = ports.find('-');
  long long low = 0, high = 0;
  if (dash == std::string_view::npos || !parse_int(ports.substr(0, dash), &low) ||
      !parse_int(ports.substr(dash + 1), &high) || low < 1 || high > 65535 || low > high) {
    return invalid_argument(quoted(ports) + " is not a port range low-high");
  }
  out.port_low = static_cast<int>(low);
  out.port_high = static_cast<int>(high);
  return out;
}

std::string ServiceRanges::address(std::uint32_t offset) const {
  return format_ipv4(base + offset);
}

bool ServiceRanges::contains(std::string_view address) const {
  const auto ip = parse_ipv4(address);
  return ip && (*ip & ~(size() - 1)) == base && *ip != base && *ip != base + size() - 1;
}

void ServiceClaims::fill(json::value& service) const {
  json::object& spec = make_object(service, "spec");
  if (has_address(service)) {
    if (!cluster_ip.empty()) spec["clusterIP"] = cluster_ip;
    const std::string ip(get_string(service, "spec.clusterIP"));
    if (!ip.empty()) {
      if (get_array(service, "spec.clusterIPs").empty()) {
        spec["clusterIPs"].emplace_array().emplace_back(ip);
      }
      if (get_array(service, "spec.ipFamilies").empty()) {
        spec["ipFamilies"].emplace_array().emplace_back("IPv4");
      }
      if (get_string(service, "spec.ipFamilyPolicy").empty()) {
        spec["ipFamilyPolicy"] = "SingleStack";
      }
    }
  }
  json::value* ports = find_member(spec, "ports");
  for (size_t i = 0; ports && ports->is_array() && i < ports->get_array().size(); ++i) {
    json::value& port = ports->get_array()[i];
    if (i < node_ports.size() && node_ports[i] != 0 && port.is_object()) {
      port.get_object()["nodePort"] = node_ports[i];
    }
  }
  if (health_port != 0) spec["healthCheckNodePort"] = health_port;
}

Task<Outcome<bool>> ServiceAllocator::take(std::string record, std::string owner,
                                           ServiceClaims& claims) {
  if (claims.dry_run) {
    client::RangeRequest look;
    look.key = std::move(record);
    look.count_only = true;
    const auto there = co_await m_.store.range(std::move(look));
    if (!there.ok()) co_return store_error(there.status(), true);
    co_return there->count == 0;
  }
  client::GuardedWrite write;
  write.key = record;
  write.value = owner;
  auto result = co_await m_.store.write(std::move(write));
  if (!result.ok()) co_return store_error(result.status(), false);
  bool got = result->succeeded;
  if (!got && !result->current.empty()) {
    CO_TRY_OUTCOME(got, co_await take_over(record, std::move(result->current[0]), owner));
  }
  if (got) claims.taken.push_back(std::move(record));
  co_return got;
}

Task<Outcome<bool>> ServiceAllocator::take_over(std::string record, client::KeyValue there,
                                                std::string owner) {
  const auto tree = parse_json(there.value);
  if (!tree.ok()) co_return false;
  const auto since = parse_time(get_string(*tree, "time"));
  if (!since.ok() || m_.executor.wall_now() - *since < kOrphanAge) co_return false;
  const Status fresh = co_await m_.feed.read_barrier();
  if (!fresh.ok()) co_return store_error(fresh, false);
  const ResourceCache* services = m_.feed.cache("services/specs");
  const std::string key =
      std::string(get_string(*tree, "namespace")) + "/" + std::string(get_string(*tree, "name"));
  const ObjectPtr holder = services == nullptr ? nullptr : services->find(key);
  if (holder) {
    const auto service = parse_json("{" + *holder->tail());
    if (service.ok() && records_of(*service).contains(record)) co_return false;
  }
  client::GuardedWrite write;
  write.key = std::move(record);
  write.value = std::move(owner);
  write.expected_mod_revision = there.mod_revision;
  const auto result = co_await m_.store.write(std::move(write));
  if (!result.ok()) co_return store_error(result.status(), false);
  co_return result->succeeded;
}

std::set<std::string> ServiceAllocator::in_use() const {
  std::set<std::string> out;
  const ResourceCache* services = m_.feed.cache("services/specs");
  if (services == nullptr) return out;
  services->scan("", "", [&](const ObjectPtr& object) {
    const auto tree = parse_json("{" + *object->tail());
    if (tree.ok()) out.merge(records_of(*tree));
    return true;
  });
  return out;
}

Task<Outcome<Done>> ServiceAllocator::claim_address(const json::value& service, std::string owner,
                                                    ServiceClaims& claims) {
  const std::string wanted(get_string(service, "spec.clusterIP"));
  const api::FieldPath path = api::FieldPath("spec").child("clusterIPs").index(0);
  api::FieldErrors errors;
  if (!wanted.empty()) {
    if (!ranges_.contains(wanted)) {
      errors.invalid(path, json::value(wanted),
                     "failed to allocate IP " + wanted + ": the provided IP (" + wanted +
                         ") is not in the valid range. The range of valid IPs is " + ranges_.cidr);
      co_return invalid(service, errors);
    }
    CO_TRY_OUTCOME(const bool got, co_await take(kIpRecords + wanted, owner, claims));
    if (!got) {
      errors.invalid(path, json::value(wanted),
                     "failed to allocate IP " + wanted + ": provided IP is already allocated");
      co_return invalid(service, errors);
    }
    co_return Done{};
  }
  // The lowest addresses are left to those who ask for one by name, as upstream does.
  const std::uint32_t size = ranges_.size();
  const std::uint32_t low = size <= 32 ? 2 : std::min<std::uint32_t>(256, std::max(16U, size / 16));
  const std::uint32_t span = size - 1 > low ? size - 1 - low : 1;
  const std::set<std::string> used = in_use();
  for (int i = 0; i < kProbesMax; ++i) {
    const std::string ip = ranges_.address(low + static_cast<std::uint32_t>(m_.rng.below(span)));
    if (used.contains(kIpRecords + ip)) continue;
    CO_TRY_OUTCOME(const bool got, co_await take(kIpRecords + ip, owner, claims));
    if (!got) continue;
    claims.cluster_ip = ip;
    co_return Done{};
  }
  co_return api::internal_api_error("failed to allocate a serviceIP: range is full");
}

Task<Outcome<int>> ServiceAllocator::any_port(std::string owner, ServiceClaims& claims) {
  const std::set<std::string> used = in_use();
  const int count = ranges_.port_high - ranges_.port_low + 1;
  const int start = static_cast<int>(m_.rng.below(static_cast<std::uint64_t>(count)));
  int probes = 0;
  for (int i = 0; i < count && probes < kProbesMax; ++i) {
    const int port = ranges_.port_low + (start + i) % count;
    const std::string record = kPortRecords + std::to_string(port);
    if (used.contains(record)) continue;
    ++probes;
    CO_TRY_OUTCOME(const bool got, co_await take(record, owner, claims));
    if (!got) continue;
    co_return port;
  }
  co_return api::internal_api_error("failed to allocate a nodePort: range is full");
}

Task<Outcome<Done>> ServiceAllocator::claim_ports(const json::value& service,
                                                  const json::value& old, std::string owner,
                                                  ServiceClaims& claims) {
  const std::set<std::string> held = records_of(old);
  const json::array& ports = get_array(service, "spec.ports");
  claims.node_ports.assign(ports.size(), 0);
  // One number may serve one port of each protocol.
  std::map<std::int64_t, std::string> shared;
  for (size_t i = 0; i < ports.size(); ++i) {
    const std::int64_t number = get_int(ports[i], "nodePort");
    const std::string record = kPortRecords + std::to_string(number);
    if (number == 0) {
      if (has_node_ports(service)) {
        CO_TRY_OUTCOME(claims.node_ports[i], co_await any_port(owner, claims));
      }
      continue;
    }
    if (held.contains(record) || shared.contains(number)) continue;
    const api::FieldPath path = api::FieldPath("spec").child("ports").index(i).child("nodePort");
    api::FieldErrors errors;
    if (number < ranges_.port_low || number > ranges_.port_high) {
      errors.invalid(path, json::value(number),
                     "provided port is not in the valid range. The range of valid ports is " +
                         std::to_string(ranges_.port_low) + "-" +
                         std::to_string(ranges_.port_high));
      co_return invalid(service, errors);
    }
    CO_TRY_OUTCOME(const bool got, co_await take(record, owner, claims));
    if (!got) {
      errors.invalid(path, json::value(number), "provided port is already allocated");
      co_return invalid(service, errors);
    }
    shared[number] = record;
  }
  const bool health = get_string(service, "spec.type") == "LoadBalancer" &&
                      get_string(service, "spec.externalTrafficPolicy") == "Local" &&
                      get_int(service, "spec.healthCheckNodePort") == 0;
  if (health) {
    CO_TRY_OUTCOME(claims.health_port, co_await any_port(owner, claims));
  }
  co_return Done{};
}

Task<Outcome<ServiceClaims>> ServiceAllocator::claim(json::value service, json::value old,
                                                     bool dry_run) {
  json::object record;
  record["namespace"] = api::namespace_of(service);
  record["name"] = api::name_of(service);
  record["time"] = format_time(m_.executor.wall_now());
  const std::string owner = to_json(json::value(record));
  ServiceClaims claims;
  claims.dry_run = dry_run;
  const std::string ip(get_string(service, "spec.clusterIP"));
  const bool held = !ip.empty() && records_of(old).contains(kIpRecords + ip);
  Outcome<Done> done = Done{};
  if (has_address(service) && ip != "None" && !held) {
    done = co_await claim_address(service, owner, claims);
  }
  if (done.ok()) done = co_await claim_ports(service, old, owner, claims);
  if (!done.ok()) {
    co_await give_back(std::move(claims));
    co_return done.error();
  }
  co_return claims;
}

Task<bool> ServiceAllocator::drop(std::string record) {
  client::RangeRequest look;
  look.key = record;
  const auto there = co_await m_.store.range(std::move(look));
  if (!there.ok() || there->kvs.empty()) co_return false;
  client::GuardedWrite write;
  write.op = client::GuardedWrite::Op::kDelete;
  write.key = std::move(record);
  write.expected_mod_revision = there->kvs[0].mod_revision;
  const auto result = co_await m_.store.write(std::move(write));
  if (!result.ok()) log::warn("a service record stays behind: {}", result.status().to_string());
  co_return result.ok() && result->succeeded;
}

Task<bool> ServiceAllocator::give_back(ServiceClaims claims) {
  for (std::string& record : claims.taken) co_await drop(std::move(record));
  co_return true;
}

Task<bool> ServiceAllocator::release_unused(json::value before, json::value now) {
  const std::set<std::string> kept = records_of(now);
  for (const std::string& record : records_of(before)) {
    if (!kept.contains(record)) co_await drop(record);
  }
  co_return true;
}

}  // namespace coracle::apiserver
