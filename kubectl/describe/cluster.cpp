// node, namespace
#include <algorithm>
#include <map>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "base/strings.hpp"
#include "describe/describe.hpp"

namespace coracle::kubectl {
namespace {

std::string roles_text(const json::value& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::vector<std::string> roles;
  for (const auto& [key, value] : api::labels_of(node)) {
    if (key.starts_with(kPrefix)) roles.emplace_back(std::string_view(key).substr(kPrefix.size()));
  }
  std::sort(roles.begin(), roles.end());
  return or_none(join(roles, ","));
}

void write_taints(DescribeWriter& out, const json::value& node) {
  const json::array& taints = get_array(node, "spec.taints");
  if (taints.empty()) return out.field(0, "Taints", "<none>");
  std::string title = "Taints:";
  for (const json::value& taint : taints) {
    const std::string value = text_at(taint, "value");
    out.line(0, title + "\t" + text_at(taint, "key") + (value.empty() ? "" : "=" + value) + ":" +
                    text_at(taint, "effect"));
    title.clear();
  }
}

void write_lease(DescribeWriter& out, const DescribeContext& context) {
  json::value lease;
  if (auto leases = context.session.resource("leases.coordination.k8s.io"); leases.ok()) {
    auto answer =
        context.session.get(**leases, "kube-node-lease", std::string(api::name_of(context.object)));
    if (answer.ok()) lease = std::move(answer.value());
  }
  const auto time_or_unset = [&lease](const char* path) {
    const std::string text = text_at(lease, path);
    return text.empty() ? "<unset>" : long_time(text);
  };
  const std::string holder = text_at(lease, "spec.holderIdentity");
  out.line(0, "Lease:");
  out.field(1, "HolderIdentity", holder.empty() ? "<unset>" : holder);
  out.field(1, "AcquireTime", time_or_unset("spec.acquireTime"));
  out.field(1, "RenewTime", time_or_unset("spec.renewTime"));
}

void write_node_conditions(DescribeWriter& out, const json::value& node) {
  out.line(0, "Conditions:");
  out.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
  out.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
  for (const json::value& one : get_array(node, "status.conditions")) {
    out.line(1, text_at(one, "type") + " \t" + text_at(one, "status") + " \t" +
                    long_time(text_at(one, "lastHeartbeatTime")) + " \t" +
                    long_time(text_at(one, "lastTransitionTime")) + " \t" + text_at(one, "reason") +
                    " \t" + text_at(one, "message"));
  }
}

void write_amounts(DescribeWriter& out, const char* title, const json::object& amounts) {
  if (amounts.empty()) return;
  out.line(0, std::string(title) + ":");
  std::vector<std::string> names;
  for (const auto& [name, amount] : amounts) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const json::value& amount = amounts.at(name);
    out.field(1, name, amount.is_string() ? std::string(amount.as_string()) : to_json(amount));
  }
}

void write_system(DescribeWriter& out, const json::value& node) {
  out.line(0, "System Info:");
  for (const auto& [title, field] :
       {std::pair{"Machine ID", "machineID"}, std::pair{"System UUID", "systemUUID"},
        std::pair{"Boot ID", "bootID"}, std::pair{"Kernel Version", "kernelVersion"},
        std::pair{"OS Image", "osImage"}, std::pair{"Operating System", "operatingSystem"},
        std::pair{"Architecture", "architecture"},
        std::pair{"Container Runtime Version", "containerRuntimeVersion"},
        std::pair{"Kubelet Version", "kubeletVersion"},
        std::pair{"Kube-Proxy Version", "kubeProxyVersion"}}) {
    out.field(1, title, text_at(node, std::string("status.nodeInfo.") + field));
  }
}

constexpr const char* kShown[] = {"cpu", "memory", "ephemeral-storage"};

struct Sums {
  std::map<std::string, api::Quantity> requests, limits;
};

void add_amounts(std::map<std::string, api::Quantity>& sums, const json::object& amounts) {
  for (const auto& [name, amount] : amounts) {
    const auto parsed = api::Quantity::parse(amount.is_string() ? std::string(amount.as_string())
                                                                : to_json(amount));
    if (parsed.ok()) sums[std::string(name)].add(*parsed);
  }
}

Sums sums_of(const json::value& pod) {
  Sums out;
  for (const json::value& container : get_array(pod, "spec.containers")) {
    add_amounts(out.requests, get_object(container, "resources.requests"));
    add_amounts(out.limits, get_object(container, "resources.limits"));
  }
  return out;
}

std::string share(const std::map<std::string, api::Quantity>& sums, const std::string& name,
                  const json::object& allocatable) {
  const auto found = sums.find(name);
  const api::Quantity amount = found == sums.end() ? api::Quantity() : found->second;
  const json::value* all = allocatable.if_contains(name);
  const auto whole = all && all->is_string() ? api::Quantity::parse(all->as_string())
                                             : Result<api::Quantity>(api::Quantity());
  const double of = whole.ok() ? whole->as_double() : 0;
  const int percent = of > 0 ? static_cast<int>(amount.as_double() * 100 / of) : 0;
  return amount.text() + " (" + std::to_string(percent) + "%)";
}

void write_pods(DescribeWriter& out, const DescribeContext& context) {
  const json::object& allocatable = get_object(context.object, "status.allocatable");
  const auto pods =
      context.list("pods", "",
                   {{"fieldSelector", "spec.nodeName=" + std::string(api::name_of(context.object)) +
                                          ",status.phase!=Failed,status.phase!=Succeeded"}});
  out.line(0, "Non-terminated Pods:\t(" + std::to_string(pods.size()) + " in total)");
  out.flush();
  out.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
  out.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
  Sums total;
  for (const json::value& pod : pods) {
    const Sums sums = sums_of(pod);
    out.line(1, std::string(api::namespace_of(pod)) + "\t" + std::string(api::name_of(pod)) +
                    "\t\t" + share(sums.requests, "cpu", allocatable) + "\t" +
                    share(sums.limits, "cpu", allocatable) + "\t" +
                    share(sums.requests, "memory", allocatable) + "\t" +
                    share(sums.limits, "memory", allocatable) + "\t" +
                    age_text(api::creation_timestamp_of(pod), context.now));
    for (const auto& [name, amount] : sums.requests) total.requests[name].add(amount);
    for (const auto& [name, amount] : sums.limits) total.limits[name].add(amount);
  }
  out.line(0,
           "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)");
  out.flush();
  out.line(1, "Resource\tRequests\tLimits");
  out.line(1, "--------\t--------\t------");
  for (const char* name : kShown) {
    out.line(1, std::string(name) + "\t" + share(total.requests, name, allocatable) + "\t" +
                    share(total.limits, name, allocatable));
  }
}

void write_quotas(DescribeWriter& out, const DescribeContext& context) {
  const std::string ns(api::name_of(context.object));
  const auto quotas = context.list("resourcequotas", ns);
  out.line(0, "");
  if (quotas.empty()) {
    out.line(0, "No resource quota.");
  } else {
    out.line(0, "Resource Quotas");
    for (const json::value& quota : quotas) {
      out.field(1, "Name", api::name_of(quota));
      out.line(1, "Resource\tUsed\tHard");
      out.line(1, "--------\t---\t---");
      const json::object& used = get_object(quota, "status.used");
      for (const auto& [name, hard] : get_object(quota, "status.hard")) {
        const json::value* now = used.if_contains(name);
        out.line(1, std::string(name) + "\t" +
                        (now && now->is_string() ? std::string(now->as_string()) : "0") + "\t" +
                        (hard.is_string() ? std::string(hard.as_string()) : to_json(hard)));
      }
    }
  }
  out.line(0, "");
  const auto limits = context.list("limitranges", ns);
  out.line(0, limits.empty() ? "No LimitRange resource." : "Resource Limits");
  for (const json::value& limit : limits) out.field(1, "Name", api::name_of(limit));
}

}  // namespace

void describe_node(DescribeWriter& out, const DescribeContext& context) {
  const json::value& node = context.object;
  out.field(0, "Name", api::name_of(node));
  out.field(0, "Roles", roles_text(node));
  write_labels(out, "Labels", api::labels_of(node));
  write_annotations(out, "Annotations", api::annotations_of(node));
  out.field(0, "CreationTimestamp", long_time(api::creation_timestamp_of(node)));
  write_taints(out, node);
  out.field(0, "Unschedulable", get_bool(node, "spec.unschedulable") ? "true" : "false");
  write_lease(out, context);
  write_node_conditions(out, node);
  out.line(0, "Addresses:");
  for (const json::value& address : get_array(node, "status.addresses")) {
    out.field(1, text_at(address, "type"), text_at(address, "address"));
  }
  write_amounts(out, "Capacity", get_object(node, "status.capacity"));
  write_amounts(out, "Allocatable", get_object(node, "status.allocatable"));
  write_system(out, node);
  if (!text_at(node, "spec.podCIDR").empty()) {
    out.field(0, "PodCIDR", text_at(node, "spec.podCIDR"));
  }
  write_pods(out, context);
}

void describe_namespace(DescribeWriter& out, const DescribeContext& context) {
  write_head(out, context.object);
  out.field(0, "Status", text_at(context.object, "status.phase"));
  write_quotas(out, context);
}

}  // namespace coracle::kubectl
