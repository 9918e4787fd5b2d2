// describe: an object and what belongs to it, for people to read.
#pragma once

#include <string>
#include <vector>

#include "describe/writer.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {

// The object's text, with related objects and events asked of the server.
Result<std::string> describe_object(Session& session, const Target& target, bool show_events);

// What one kind needs from the server beside the object.
struct DescribeContext {
  Session& session;
  const Target& target;
  const json::value& object;
  WallTime now;
  // The items of a list; none when it fails (a description then just lacks them).
  std::vector<json::value> list(std::string_view resource, const std::string& ns,
                                client::QueryList query = {}) const;
};

using Describer = void (*)(DescribeWriter& out, const DescribeContext& context);

void describe_pod(DescribeWriter& out, const DescribeContext& context);
void describe_deployment(DescribeWriter& out, const DescribeContext& context);
void describe_replica_set(DescribeWriter& out, const DescribeContext& context);
void describe_daemon_set(DescribeWriter& out, const DescribeContext& context);
void describe_stateful_set(DescribeWriter& out, const DescribeContext& context);
void describe_job(DescribeWriter& out, const DescribeContext& context);
void describe_cron_job(DescribeWriter& out, const DescribeContext& context);
void describe_service(DescribeWriter& out, const DescribeContext& context);
void describe_ingress(DescribeWriter& out, const DescribeContext& context);
void describe_ingress_class(DescribeWriter& out, const DescribeContext& context);
void describe_network_policy(DescribeWriter& out, const DescribeContext& context);
void describe_node(DescribeWriter& out, const DescribeContext& context);
void describe_namespace(DescribeWriter& out, const DescribeContext& context);
void describe_config_map(DescribeWriter& out, const DescribeContext& context);
void describe_secret(DescribeWriter& out, const DescribeContext& context);
void describe_service_account(DescribeWriter& out, const DescribeContext& context);
void describe_role(DescribeWriter& out, const DescribeContext& context);
void describe_role_binding(DescribeWriter& out, const DescribeContext& context);
void describe_volume(DescribeWriter& out, const DescribeContext& context);
void describe_claim(DescribeWriter& out, const DescribeContext& context);
void describe_storage_class(DescribeWriter& out, const DescribeContext& context);
void describe_certificate_request(DescribeWriter& out, const DescribeContext& context);
void describe_quota(DescribeWriter& out, const DescribeContext& context);
void describe_autoscaler(DescribeWriter& out, const DescribeContext& context);
void describe_any(DescribeWriter& out, const DescribeContext& context);

// "127.128.0.5:80,127.128.0.6:80 + 2 more...", of a Service's port by its name; "" for none.
std::string endpoints_text(const std::vector<json::value>& slices, const std::string& port_name);
// The last section of most descriptions. Pure.
void write_events(DescribeWriter& out, std::vector<json::value> events, WallTime now);
// "5m (x3 over 10m)"
std::string event_age(const json::value& event, WallTime now);
// "10m"; "<unknown>" for no time.
std::string age_text(std::string_view rfc3339, WallTime now);
// "Conditions:" with type, status and reason.
void write_conditions(DescribeWriter& out, const json::value& object);

}  // namespace coracle::kubectl
