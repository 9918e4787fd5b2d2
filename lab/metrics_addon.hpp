// What a cluster with a metrics server holds, in upstream's names: the roles, the Service in front
// of the lab's daemon, and the APIService that registers metrics.k8s.io. Pure.
#pragma once

#include <string>
#include <vector>

#include "lab/join_objects.hpp"

namespace coracle::lab {

inline constexpr char kMetricsUser[] = "system:metrics-server";
// The names its certificate is for: those by which the apiserver calls it.
std::vector<std::string> metrics_server_names();
// `port`: of the daemon on 127.0.0.1; `ca_pem`: who signed its certificate.
std::vector<NamedObject> metrics_objects(int port, const std::string& ca_pem);

}  // namespace coracle::lab
