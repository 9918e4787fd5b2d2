#include "kubelet/pod_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "base/strings.hpp"

namespace coracle::kubelet {
namespace {

constexpr size_t kNameServersMax = 3, kSearchesMax = 32, kHostNameMax = 63, kKernelNameMax = 64;

struct Resolver {
  std::vector<std::string> servers, searches, options;
};

void add_once(std::vector<std::string>* list, const std::string& word) {
  if (std::find(list->begin(), list->end(), word) == list->end()) list->push_back(word);
}

Resolver parse(const std::string& text) {
  Resolver r;
  for (const std::string& line : split(text, '\n')) {
    std::istringstream words(line);
    std::string key, word;
    words >> key;
    while (words >> word) {
      if (key == "nameserver") r.servers.push_back(word);
      if (key == "search") r.searches.push_back(word);
      if (key == "options") r.options.push_back(word);
    }
  }
  return r;
}

Resolver by_policy(const json::value& pod, const ClusterDns& dns) {
  std::string_view policy = get_string(pod, "spec.dnsPolicy", "ClusterFirst");
  if (policy == "ClusterFirst" && get_bool(pod, "spec.hostNetwork")) policy = "Default";
  if (policy == "None") return {};
  Resolver host = parse(dns.host_resolv_conf);
  if (policy == "Default") return host;
  const std::string_view ns = get_string(pod, "metadata.namespace");
  Resolver r;
  r.servers = {dns.address};
  r.searches = {fmt::format("{}.svc.{}", ns, dns.domain), "svc." + dns.domain, dns.domain};
  for (const std::string& search : host.searches) add_once(&r.searches, search);
  r.options = {"ndots:5"};
  return r;
}

// What follows the host name in the pod's full name; empty: it has none.
std::string host_domain(const json::value& pod, const ClusterDns& dns) {
  const std::string_view subdomain = get_string(pod, "spec.subdomain");
  if (subdomain.empty() || find(pod, "spec.hostnameOverride") != nullptr) return {};
  return fmt::format("{}.{}.svc.{}", subdomain, get_string(pod, "metadata.namespace"), dns.domain);
}

}  // namespace

std::string pod_host_name(const json::value& pod, const std::string& node) {
  if (get_bool(pod, "spec.hostNetwork")) return node;
  if (find(pod, "spec.hostnameOverride") != nullptr) {
    return std::string(get_string(pod, "spec.hostnameOverride"));
  }
  std::string name(get_string(pod, "spec.hostname"));
  if (name.empty()) name = get_string(pod, "metadata.name");
  if (name.size() > kHostNameMax) name.resize(kHostNameMax);
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name;
}

Result<std::string> pod_kernel_name(const json::value& pod, const std::string& node,
                                    const ClusterDns& dns) {
  const std::string name = pod_host_name(pod, node), domain = host_domain(pod, dns);
  const bool full = get_bool(pod, "spec.setHostnameAsFQDN") && !get_bool(pod, "spec.hostNetwork");
  if (!full || domain.empty()) return name;
  std::string long_name = name + "." + domain;
  if (long_name.size() > kKernelNameMax) {
    return failed_precondition(fmt::format(
        "failed to construct FQDN from pod hostname and cluster domain, FQDN {} is too long ({} "
        "characters is the max, {} characters requested)",
        long_name, kKernelNameMax, long_name.size()));
  }
  return long_name;
}

std::string pod_hosts_file(const json::value& pod, const PodPlace& place, const std::string& node,
                           const ClusterDns& dns) {
  const bool of_node = get_bool(pod, "spec.hostNetwork");
  std::string text =
      std::string("# Kubernetes-managed hosts file") + (of_node ? " (host network).\n" : ".\n") +
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost "
      "ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\n"
      "fe00::2\tip6-allrouters\n";
  const std::string name = pod_host_name(pod, node), domain = host_domain(pod, dns);
  if (domain.empty()) {
    text += fmt::format("{}\t{}\n", place.pod_ip, name);
  } else {
    text += fmt::format("{}\t{}.{}\t{}\n", place.pod_ip, name, domain, name);
  }
  const json::array& aliases = get_array(pod, "spec.hostAliases");
  if (!aliases.empty()) text += "\n# Entries added by HostAliases.\n";
  for (const json::value& alias : aliases) {
    std::string names;
    for (const json::value& n : get_array(alias, "hostnames")) {
      if (n.is_string()) names += "\t" + std::string(n.get_string());
    }
    text += fmt::format("{}{}\n", get_string(alias, "ip"), names);
  }
  return text;
}

std::string pod_resolv_conf(const json::value& pod, const ClusterDns& dns) {
  Resolver r = by_policy(pod, dns);
  for (const json::value& v : get_array(pod, "spec.dnsConfig.nameservers")) {
    if (v.is_string()) add_once(&r.servers, std::string(v.get_string()));
  }
  for (const json::value& v : get_array(pod, "spec.dnsConfig.searches")) {
    if (v.is_string()) add_once(&r.searches, std::string(v.get_string()));
  }
  for (const json::value& option : get_array(pod, "spec.dnsConfig.options")) {
    const std::string name(get_string(option, "name"));
    const std::string_view value = get_string(option, "value");
    std::erase_if(r.options,
                  [&](const std::string& o) { return o == name || o.starts_with(name + ":"); });
    r.options.push_back(value.empty() ? name : fmt::format("{}:{}", name, value));
  }
  if (r.servers.size() > kNameServersMax) r.servers.resize(kNameServersMax);
  if (r.searches.size() > kSearchesMax) r.searches.resize(kSearchesMax);
  std::string text;
  if (!r.searches.empty()) text += "search " + join(r.searches, " ") + "\n";
  for (const std::string& server : r.servers) text += "nameserver " + server + "\n";
  if (!r.options.empty()) text += "options " + join(r.options, " ") + "\n";
  return text;
}

}  // namespace coracle::kubelet
