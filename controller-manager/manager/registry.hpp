// The table of all controllers. To add one: its folder, and a line here.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time_zone.hpp"
#include "certificates/certificates.hpp"
#include "controllers/controller.hpp"
#include "loadbalancer/loadbalancer.hpp"
#include "podautoscaler/metrics.hpp"
#include "podgc/podgc.hpp"
#include "tokens/bootstrap_tokens.hpp"
#include "tokens/service_account_tokens.hpp"

namespace coracle::controllers {

struct ControllerOptions {
  std::string root_ca_pem;  // published to every namespace
  Duration node_monitor_grace = std::chrono::seconds(40);
  // So many pods that have ended stay; 0 or less: all do.
  std::int64_t terminated_pods_max = PodGcController::kEndedMax;
  WallTime started;  // of this process
  CertificateTools certificates;
  std::optional<AddressPool> load_balancers;  // none: Services of that type wait
  TokenSigner sign_token;
  KeyedHash keyed_hash;
  std::set<std::string> volume_provisioners;   // the drivers whose volumes are simulated
  const MetricsSource* pod_metrics = nullptr;  // must be there, and outlive the controllers
  TimeZones time_zones;                        // that CronJobs may name
};

std::vector<std::unique_ptr<Controller>> make_controllers(const ControllerOptions& options);

}  // namespace coracle::controllers
