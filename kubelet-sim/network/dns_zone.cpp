#include "network/dns_zone.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::network {
namespace {

constexpr std::string_view kVersion = "1.1.0";  // of the specification

std::string absolute(std::string_view name) {
  std::string text = to_lower(name);
  if (text.empty() || text.back() != '.') text += '.';
  return text;
}

// "web.default.svc." -> "svc.default.web.": names below one another are neighbours in a map.
std::string from_top(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    const size_t dot = name.rfind('.', name.size() - 2);
    const size_t start = name.size() < 2 || dot == name.npos ? 0 : dot + 1;
    text += name.substr(start);
    name = name.substr(0, start);
  }
  return text;
}

std::string dashed(std::string address) {
  std::replace(address.begin(), address.end(), '.', '-');
  return address;
}

std::string reverse_name(std::string_view address) {
  const auto parts = split(address, '.');
  if (parts.size() != 4) return {};
  return fmt::format("{}.{}.{}.{}.in-addr.arpa.", parts[3], parts[2], parts[1], parts[0]);
}

std::string host_of(const SliceEndpoint& e) {
  return e.hostname.empty() ? dashed(e.endpoint.address) : e.hostname;
}

std::string protocol_label(const json::value& port) {
  return "_" + to_lower(get_string(port, "protocol", "TCP"));
}

}  // namespace

DnsZone::DnsZone(std::string zone) : zone_(absolute(zone)) {}

void DnsZone::update(const Objects& services, const Objects& slices) {
  names_.clear();
  unnamed_.clear();
  add("dns-version." + zone_, RecordType::kTxt, fmt::format("\"{}\"", kVersion));
  add(zone_, RecordType::kNs, "ns.dns." + zone_);
  const auto by_service = slices_by_service(slices);
  for (const client::ObjectPtr& service : services) {
    const auto found = by_service.find(client::object_key(*service));
    add_service(*service, found == by_service.end() ? nullptr : &found->second);
  }
  for (const auto& [name, host] : unnamed_) {
    if (!names_.contains(from_top(name))) add(name, RecordType::kPtr, host);
  }
  for (auto& [name, records] : names_) {
    std::sort(records.begin(), records.end());
    records.erase(std::unique(records.begin(), records.end()), records.end());
  }
}

void DnsZone::add(std::string name, RecordType type, std::string data) {
  names_[from_top(name)].push_back({std::move(name), type, std::move(data)});
}

void DnsZone::add_service(const json::value& service, const Objects* slices) {
  const std::string ns(api::namespace_of(service));
  const std::string base =
      fmt::format("{}.{}.svc.{}", to_lower(api::name_of(service)), to_lower(ns), zone_);
  if (get_string(service, "spec.type") == "ExternalName") {
    return add(base, RecordType::kCname, absolute(get_string(service, "spec.externalName")));
  }
  const std::string address(get_string(service, "spec.clusterIP"));
  if (address == "None") {
    if (slices != nullptr) add_headless(base, service, *slices);
    return;
  }
  if (!api::is_ipv4(address)) return;
  add(base, RecordType::kA, address);
  add(reverse_name(address), RecordType::kPtr, base);
  for (const json::value& port : get_array(service, "spec.ports")) {
    const std::string_view name = get_string(port, "name");
    if (name.empty()) continue;
    add(fmt::format("_{}.{}.{}", to_lower(name), protocol_label(port), base), RecordType::kSrv,
        fmt::format("0 100 {} {}", get_int(port, "port"), base));
  }
}

void DnsZone::add_headless(const std::string& base, const json::value& service,
                           const Objects& slices) {
  const auto add_endpoint = [&](const SliceEndpoint& e) {
    const std::string host = fmt::format("{}.{}", to_lower(host_of(e)), base);
    add(base, RecordType::kA, e.endpoint.address);
    add(host, RecordType::kA, e.endpoint.address);
    const std::string reverse = reverse_name(e.endpoint.address);
    if (e.hostname.empty()) {
      unnamed_.try_emplace(reverse, host);
    } else {
      add(reverse, RecordType::kPtr, host);
    }
    return host;
  };
  for (const client::ObjectPtr& slice : slices) {
    for (const json::value& port : get_array(*slice, "ports")) {
      const std::string_view name = get_string(port, "name");
      auto endpoints = endpoints_of({slice}, name, get_string(port, "protocol", "TCP"));
      std::erase_if(endpoints, [](const SliceEndpoint& e) { return !e.ready; });
      for (const SliceEndpoint& e : endpoints) {
        const std::string host = add_endpoint(e);
        if (name.empty()) continue;
        add(fmt::format("_{}.{}.{}", to_lower(name), protocol_label(port), base), RecordType::kSrv,
            fmt::format("0 100 {} {}", e.endpoint.port, host));
      }
    }
    // A headless Service may have no ports: its endpoints have names all the same.
    if (!get_array(*slice, "ports").empty()) continue;
    for (const json::value& e : get_array(*slice, "endpoints")) {
      if (!get_bool(e, "conditions.ready", true)) continue;
      for (const json::value& address : get_array(e, "addresses")) {
        if (!address.is_string()) continue;
        SliceEndpoint endpoint;
        endpoint.endpoint.address = address.get_string();
        endpoint.hostname = get_string(e, "hostname");
        add_endpoint(endpoint);
      }
    }
  }
}

bool DnsZone::has_names_below(const std::string& name) const {
  const std::string prefix = from_top(name);
  const auto next = names_.upper_bound(prefix);
  return next != names_.end() && next->first.starts_with(prefix);
}

// 1-2-3-4.NS.pod.ZONE: `labels` are those before the zone.
DnsAnswer DnsZone::pod_name(const std::vector<std::string>& labels, const std::string& name,
                            RecordType type) const {
  DnsAnswer answer{.code = DnsAnswer::Code::kNoSuchName, .authority = true};
  if (labels.size() == 1) answer.code = DnsAnswer::Code::kOk;  // "pod" itself
  if (labels.size() == 2) answer.code = DnsAnswer::Code::kOk;  // a namespace in it
  if (labels.size() != 3) return answer;
  std::string address = labels[0];
  std::replace(address.begin(), address.end(), '-', '.');
  if (!api::is_ipv4(address)) return answer;
  answer.code = DnsAnswer::Code::kOk;
  if (type != RecordType::kA) return answer;
  answer.authority = false;
  answer.answers.push_back({name, RecordType::kA, address});
  return answer;
}

DnsAnswer DnsZone::ask(std::string_view asked, RecordType type) const {
  std::string name = absolute(asked);
  DnsAnswer answer;
  const bool inside = name == zone_ || name.ends_with("." + zone_);
  // A CNAME may lead to another one; a circle ends after a few.
  for (int hop = 0; hop < 8; ++hop) {
    const auto found = names_.find(from_top(name));
    if (found == names_.end()) break;
    bool followed = false, any = false;
    for (const Record& record : found->second) {
      if (record.type == type) answer.answers.push_back(record), any = true;
      if (record.type == RecordType::kCname && type != RecordType::kCname) {
        answer.answers.push_back(record);
        name = record.data;
        followed = true;
      }
    }
    if (followed) continue;
    answer.authority = !any && answer.answers.empty();
    return answer;
  }
  if (!answer.answers.empty()) return answer;  // a CNAME that leads outside
  if (!inside) {
    answer.code = DnsAnswer::Code::kNotOurs;
    return answer;
  }
  std::string_view head = std::string_view(name).substr(0, name.size() - zone_.size());
  if (head.ends_with('.')) head.remove_suffix(1);
  const std::vector<std::string> labels = split(head, '.');
  if (!labels.empty() && labels.back() == "pod") return pod_name(labels, name, type);
  answer.authority = true;
  const bool exists = labels.empty() || has_names_below(name);
  answer.code = exists ? DnsAnswer::Code::kOk : DnsAnswer::Code::kNoSuchName;
  return answer;
}

Record DnsZone::soa() const {
  return {zone_, RecordType::kSoa,
          fmt::format("ns.dns.{0} hostmaster.{0} 1 7200 1800 86400 5", zone_)};
}

}  // namespace coracle::network
