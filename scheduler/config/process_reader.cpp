#include "config/process_reader.hpp"

#include <fmt/format.h>

namespace coracle::scheduler {
namespace {

using api::FieldErrors;
using api::FieldPath;

// As Go prints it: 15s, 1m30s.
std::string duration_text(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  return seconds < 60 ? fmt::format("{}s", seconds)
                      : fmt::format("{}m{}s", seconds / 60, seconds % 60);
}

void read_connection(const json::value* raw, FormErrors& form, FieldErrors& errors,
                     Config* config) {
  if (raw == nullptr) return;
  ObjectReader connection(*raw, "clientConnection", form);
  connection.read("kubeconfig", &config->kubeconfig);
  for (const char* name : {"acceptContentTypes", "contentType", "qps"}) connection.skip(name);
  std::int64_t burst = 0;
  connection.read("burst", &burst);
  if (burst < 0)
    errors.invalid(FieldPath("clientConnection").child("burst"), burst, "must be non-negative");
}

void check_election(const client::LeaderElectionOptions& election, const std::string& lock,
                    FieldErrors& errors) {
  const FieldPath path("leaderElection");
  const auto text = [](Duration d) { return duration_text(d); };
  const std::pair<const char*, Duration> times[] = {{"leaseDuration", election.lease_duration},
                                                    {"renewDeadline", election.renew_deadline},
                                                    {"retryPeriod", election.retry_period}};
  for (const auto& [name, time] : times) {
    if (time <= Duration(0))
      errors.invalid(path.child(name), text(time), "must be greater than zero");
  }
  if (election.lease_duration <= election.renew_deadline) {
    errors.invalid(path.child("leaseDuration"), text(election.renew_deadline),
                   "LeaseDuration must be greater than RenewDeadline");
  }
  if (election.renew_deadline <= election.retry_period) {
    errors.invalid(path.child("renewDeadline"), text(election.retry_period),
                   "RenewDeadline must be greater than RetryPeriod");
  }
  if (lock != "leases") {
    errors.invalid(path.child("resourceLock"), lock, "resourceLock value must be \"leases\"");
  }
}

void read_election(const json::value* raw, FormErrors& form, FieldErrors& errors, Config* config) {
  if (raw == nullptr) return;
  ObjectReader in(*raw, "leaderElection", form);
  client::LeaderElectionOptions& election = config->election;
  std::string lock;
  client::LeaderElectionOptions said;
  said.namespace_name.clear();
  said.lease_duration = said.renew_deadline = said.retry_period = Duration(0);
  in.read("leaderElect", &config->leader_elect);
  in.read("resourceLock", &lock);
  in.read("resourceName", &said.name);
  in.read("resourceNamespace", &said.namespace_name);
  in.read("leaseDuration", &said.lease_duration);
  in.read("renewDeadline", &said.renew_deadline);
  in.read("retryPeriod", &said.retry_period);
  // An empty text and no time at all are not said: the default stays.
  if (!said.name.empty()) election.name = said.name;
  if (!said.namespace_name.empty()) election.namespace_name = said.namespace_name;
  if (said.lease_duration != Duration(0)) election.lease_duration = said.lease_duration;
  if (said.renew_deadline != Duration(0)) election.renew_deadline = said.renew_deadline;
  if (said.retry_period != Duration(0)) election.retry_period = said.retry_period;
  if (config->leader_elect) check_election(election, lock.empty() ? "leases" : lock, errors);
}

}  // namespace

void read_process(ObjectReader& document, FormErrors& form, FieldErrors& errors, Config* config) {
  read_connection(document.find("clientConnection"), form, errors, config);
  read_election(document.find("leaderElection"), form, errors, config);
  std::int64_t parallelism = 16;
  document.read("parallelism", &parallelism);
  if (parallelism <= 0) {
    errors.invalid(FieldPath("parallelism"), parallelism,
                   "should be an integer value greater than zero");
  }
  for (const char* name :
       {"enableProfiling", "enableContentionProfiling", "delayCacheUntilActive"}) {
    bool unused = false;
    document.read(name, &unused);
  }
}

void read_backoff(ObjectReader& document, FieldErrors& errors, Config* config) {
  const FieldPath first("podInitialBackoffSeconds"), most("podMaxBackoffSeconds");
  document.read("podInitialBackoffSeconds", &config->backoff_first_seconds);
  document.read("podMaxBackoffSeconds", &config->backoff_max_seconds);
  if (config->backoff_first_seconds <= 0) {
    errors.invalid(first, config->backoff_first_seconds, "must be greater than 0");
  }
  if (config->backoff_max_seconds < config->backoff_first_seconds) {
    errors.invalid(most, config->backoff_max_seconds,
                   "must be greater than or equal to PodInitialBackoffSeconds");
  }
  if (config->backoff_max_seconds > kSecondsMax) {
    errors.invalid(most, config->backoff_max_seconds,
                   fmt::format("must not be greater than {}", kSecondsMax));
  }
}

}  // namespace coracle::scheduler
