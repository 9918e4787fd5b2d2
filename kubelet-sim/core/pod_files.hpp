// The files a kubelet gives every pod: /etc/hosts, /etc/hostname, /etc/resolv.conf. Pure (upstream:
// pkg/kubelet/kubelet_pods.go, network/dns/dns.go).
#pragma once

#include <string>

#include "kubelet/pod_environment.hpp"

namespace coracle::kubelet {

struct ClusterDns {
  std::string address = "127.96.0.10";
  std::string domain = "cluster.local";
  std::string host_resolv_conf;  // the machine's own, for dnsPolicy Default
};

std::string pod_host_name(const json::value& pod, const std::string& node);
// What its processes see as the name of their machine: the full one with setHostnameAsFQDN.
// FailedPrecondition: that is longer than a kernel's.
Result<std::string> pod_kernel_name(const json::value& pod, const std::string& node,
                                    const ClusterDns& dns);
std::string pod_hosts_file(const json::value& pod, const PodPlace& place, const std::string& node,
                           const ClusterDns& dns);
std::string pod_resolv_conf(const json::value& pod, const ClusterDns& dns);

}  // namespace coracle::kubelet
