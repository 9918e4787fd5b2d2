// top node, top pod
#include <algorithm>
#include <map>
#include <ostream>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr char kMetrics[] = "/apis/metrics.k8s.io/v1beta1";
constexpr Duration kMetricsComeWithin = std::chrono::minutes(2);

struct Amounts {
  std::int64_t milli_cpu = 0, memory_bytes = 0;
  Amounts& operator+=(const Amounts& more) {
    milli_cpu += more.milli_cpu;
    memory_bytes += more.memory_bytes;
    return *this;
  }
};

api::Quantity quantity_at(const json::value& list, std::string_view resource) {
  const auto parsed = api::Quantity::parse(get_string(list, resource));
  return parsed.ok() ? *parsed : api::Quantity();
}

Amounts amounts_of(const json::object* list) {
  if (list == nullptr) return {};
  return {quantity_at(*list, "cpu").milli_value(), quantity_at(*list, "memory").value()};
}

// Of all containers, added up before they are rounded.
Amounts pod_amounts(const json::value& pod) {
  api::Quantity cpu, memory;
  for (const json::value& c : get_array(pod, "containers")) {
    cpu.add(quantity_at(get_object(c, "usage"), "cpu"));
    memory.add(quantity_at(get_object(c, "usage"), "memory"));
  }
  return {cpu.milli_value(), memory.value()};
}

std::string cpu_cell(const Amounts& a) { return std::to_string(a.milli_cpu) + "m\t"; }
std::string memory_cell(const Amounts& a) {
  return std::to_string(a.memory_bytes / (1 << 20)) + "Mi\t";
}
std::string percent_cell(std::int64_t used, std::int64_t of) {
  const double part = of == 0 ? 0 : static_cast<double>(used) / static_cast<double>(of) * 100;
  return std::to_string(static_cast<std::int64_t>(part)) + "%\t";
}

void print_cells(Invocation& call, const std::string& text) {
  call.session.io.out << text::align_tabs(text, {.min_width = 6, .padding = 3});
}

// -1, 0 or 1 by what --sort-by names, most first; 0 too when it names nothing.
int compare(const std::string& sort_by, const Amounts& a, const Amounts& b) {
  const auto by = [](std::int64_t x, std::int64_t y) { return x > y ? -1 : x < y ? 1 : 0; };
  if (sort_by == "cpu") return by(a.milli_cpu, b.milli_cpu);
  return sort_by == "memory" ? by(a.memory_bytes, b.memory_bytes) : 0;
}

Status check_line(const Invocation& call, const char* kind, const char* only_one,
                  std::initializer_list<const char*> selectors) {
  if (call.args.size() > 1) {
    return usage_failure(call.command, std::string(kind) + " [NAME | -l label]");
  }
  const std::string sort_by = call.flags.get("sort-by");
  if (!sort_by.empty() && sort_by != "cpu" && sort_by != "memory") {
    return fail("--sort-by accepts only cpu or memory");
  }
  for (const char* flag : selectors) {
    if (!call.args.empty() && !call.flags.get(flag).empty()) return fail(only_one);
  }
  return {};
}

Status check_available(Invocation& call) {
  TRY_SERVER(const json::value groups, call.session.call_json("GET", "/apis"));
  for (const json::value& group : get_array(groups, "groups")) {
    if (get_string(group, "name") != "metrics.k8s.io") continue;
    for (const json::value& version : get_array(group, "versions")) {
      if (get_string(version, "version") == "v1beta1") return {};
    }
  }
  return fail("Metrics API not available");
}

// One object, or the items of a list.
Result<std::vector<json::value>> fetch(Invocation& call, const std::string& path) {
  client::QueryList query;
  for (const auto& [flag, name] :
       {std::pair{"selector", "labelSelector"}, std::pair{"field-selector", "fieldSelector"}}) {
    if (!call.flags.get(flag).empty()) query.emplace_back(name, call.flags.get(flag));
  }
  std::vector<json::value> items;
  if (!call.args.empty()) {
    TRY_SERVER(json::value one, call.session.call_json("GET", path + "/" + call.args[0]));
    items.push_back(std::move(one));
    return items;
  }
  TRY_SERVER(const json::value list,
             call.session.call_json("GET", path + client::encode_query(query)));
  for (const json::value& item : get_array(list, "items")) items.push_back(item);
  return items;
}

Status top_node(Invocation& call) {
  RETURN_IF_ERROR(
      check_line(call, "node", "only one of NAME or --selector can be provided", {"selector"}));
  RETURN_IF_ERROR(check_available(call));
  ASSIGN_OR_RETURN(auto metrics, fetch(call, std::string(kMetrics) + "/nodes"));
  if (metrics.empty()) return fail("metrics not available yet");
  ASSIGN_OR_RETURN(const auto nodes, fetch(call, "/api/v1/nodes"));
  std::map<std::string, Amounts> available;
  const char* whole = call.flags.is_set("show-capacity") ? "status.capacity" : "status.allocatable";
  for (const json::value& node : nodes) {
    available[std::string(api::name_of(node))] = amounts_of(&get_object(node, whole));
  }
  const std::string sort_by = call.flags.get("sort-by");
  const auto usage = [](const json::value& m) { return amounts_of(&get_object(m, "usage")); };
  std::stable_sort(metrics.begin(), metrics.end(), [&](const auto& a, const auto& b) {
    const int order = compare(sort_by, usage(a), usage(b));
    return order != 0 ? order < 0 : sort_by.empty() && api::name_of(a) < api::name_of(b);
  });
  std::string text;
  if (!call.flags.is_set("no-headers"))
    text += "NAME\tCPU(cores)\tCPU(%)\tMEMORY(bytes)\tMEMORY(%)\t\n";
  for (const json::value& one : metrics) {
    const std::string name(api::name_of(one));
    const Amounts used = usage(one);
    text += name + "\t" + cpu_cell(used);
    const auto of = available.find(name);
    if (of != available.end()) text += percent_cell(used.milli_cpu, of->second.milli_cpu);
    text += memory_cell(used);
    if (of != available.end()) {
      text += percent_cell(used.memory_bytes, of->second.memory_bytes);
      available.erase(of);
    }
    text += "\n";
  }
  for (const auto& [name, of] : available) {
    text += name + "\t<unknown>\t<unknown>\t<unknown>\t<unknown>\t\n";
  }
  print_cells(call, text);
  return {};
}

// Why there is nothing to show.
Status explain_nothing(Invocation& call, bool all) {
  const std::string ns = all ? "" : call.session.namespace_name();
  ASSIGN_OR_RETURN(const auto pods,
                   fetch(call, all ? "/api/v1/pods" : "/api/v1/namespaces/" + ns + "/pods"));
  for (const json::value& pod : pods) {
    const auto made = parse_time(api::creation_timestamp_of(pod));
    if (!made.ok()) continue;
    const Duration age = call.session.wall_now() - *made;
    if (age <= kMetricsComeWithin) continue;
    return fail("Metrics not available for pod " + std::string(api::namespace_of(pod)) + "/" +
                std::string(api::name_of(pod)) + ", age: " + human_duration(age));
  }
  if (!pods.empty()) return fail("metrics not available yet");
  call.session.warn(all ? "No resources found" : "No resources found in " + ns + " namespace.");
  return {};
}

std::string container_lines(const json::value& pod, const std::string& sort_by,
                            const std::string& first) {
  std::vector<json::value> containers;
  for (const json::value& c : get_array(pod, "containers")) containers.push_back(c);
  const auto usage = [](const json::value& c) { return amounts_of(&get_object(c, "usage")); };
  std::stable_sort(containers.begin(), containers.end(), [&](const auto& a, const auto& b) {
    const int order = compare(sort_by, usage(a), usage(b));
    return order != 0 ? order < 0
                      : sort_by.empty() && get_string(a, "name") < get_string(b, "name");
  });
  std::string text;
  for (const json::value& c : containers) {
    text += first + std::string(api::name_of(pod)) + "\t" + std::string(get_string(c, "name")) +
            "\t" + cpu_cell(usage(c)) + memory_cell(usage(c)) + "\n";
  }
  return text;
}

std::string sum_lines(const std::vector<json::value>& pods, size_t columns) {
  Amounts sum;
  for (const json::value& pod : pods) sum += pod_amounts(pod);
  return std::string(columns - 2, '\t') + "________\t________\t\n" +
         std::string(columns - 3, '\t') + "\t" + cpu_cell(sum) + memory_cell(sum) + "\n";
}

Status top_pod(Invocation& call) {
  RETURN_IF_ERROR(check_line(call, "pod", "only one of NAME or selector can be provided",
                             {"selector", "field-selector"}));
  RETURN_IF_ERROR(check_available(call));
  const bool all = call.flags.is_set("all-namespaces"), each = call.flags.is_set("containers");
  const std::string ns = call.session.namespace_name();
  ASSIGN_OR_RETURN(auto pods, fetch(call, std::string(kMetrics) +
                                              (all ? "/pods" : "/namespaces/" + ns + "/pods")));
  if (pods.empty()) return explain_nothing(call, all);
  const std::string sort_by = call.flags.get("sort-by");
  std::stable_sort(pods.begin(), pods.end(), [&](const auto& a, const auto& b) {
    const int order = compare(sort_by, pod_amounts(a), pod_amounts(b));
    if (order != 0 || !sort_by.empty()) return order < 0;
    if (all && api::namespace_of(a) != api::namespace_of(b)) {
      return api::namespace_of(a) < api::namespace_of(b);
    }
    return api::name_of(a) < api::name_of(b);
  });
  std::string text;
  size_t columns = 3;
  if (!call.flags.is_set("no-headers")) {
    columns += (all ? 1u : 0u) + (each ? 1u : 0u);
    text += std::string(all ? "NAMESPACE\t" : "") + (each ? "POD\t" : "") +
            "NAME\tCPU(cores)\tMEMORY(bytes)\t\n";
  }
  for (const json::value& pod : pods) {
    const std::string first = all ? std::string(api::namespace_of(pod)) + "\t" : std::string();
    if (each) {
      text += container_lines(pod, sort_by, first);
      continue;
    }
    const Amounts used = pod_amounts(pod);
    text +=
        first + std::string(api::name_of(pod)) + "\t" + cpu_cell(used) + memory_cell(used) + "\n";
  }
  if (call.flags.is_set("sum")) text += sum_lines(pods, columns);
  print_cells(call, text);
  return {};
}

std::vector<text::FlagSpec> top_flags() {
  return {{"selector", 'l', FlagType::kString, "", "Label query"},
          {"sort-by", 0, FlagType::kString, "", "Most first: cpu or memory"},
          {"no-headers", 0, FlagType::kBool, "false", "No line of headers"},
          {"use-protocol-buffers", 0, FlagType::kBool, "true", "Accepted, not used"}};
}

}  // namespace

std::vector<Command> top_commands() {
  Command group{.name = "top", .usage = "node|pod", .summary = "Show what nodes and pods use"};
  Command node{.name = "top node",
               .usage = "[NAME | -l label]",
               .summary = "Show the CPU and memory that nodes use",
               .examples = "  kubectl top node\n  kubectl top node node-1\n",
               .flags = top_flags(),
               .run = top_node,
               .aliases = {"nodes", "no"}};
  node.flags.push_back({"show-capacity", 0, FlagType::kBool, "false",
                        "Percent of the capacity, not of what pods may have"});
  Command pod{.name = "top pod",
              .usage = "[NAME | -l label]",
              .summary = "Show the CPU and memory that pods use",
              .examples =
                  "  kubectl top pod\n  kubectl top pod -A --sort-by=cpu\n"
                  "  kubectl top pod web --containers\n",
              .flags = top_flags(),
              .run = top_pod,
              .aliases = {"pods", "po"}};
  for (text::FlagSpec flag : std::vector<text::FlagSpec>{
           {"all-namespaces", 'A', FlagType::kBool, "false", "In every namespace"},
           {"containers", 0, FlagType::kBool, "false", "A line a container"},
           {"field-selector", 0, FlagType::kString, "", "Field query"},
           {"sum", 0, FlagType::kBool, "false", "Add a line with the sum"}}) {
    pod.flags.push_back(std::move(flag));
  }
  return {std::move(group), std::move(node), std::move(pod)};
}

}  // namespace coracle::kubectl
