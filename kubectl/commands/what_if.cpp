#include "commands/what_if.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "api/object.hpp"
#include "api/patch.hpp"
#include "api/quantity.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "commands/pod_specs.hpp"
#include "commands/why_print.hpp"
#include "describe/describe.hpp"
#include "kubectl/manifest.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr const char* kVersion = "lab.coracle.dev/v1alpha1";
constexpr const char* kCordoned = "node.kubernetes.io/unschedulable";
constexpr int kAsks = 10;  // with several schedulers, one that does not lead may be asked
constexpr std::int64_t kCopiesMax = 10'000;

struct Setting {
  std::string what, key, value;  // requests, cpu, 2; an empty value takes it away
};

Result<Setting> parse_setting(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == text.npos) return usage_failure("why", "--set " + text + ": want NAME=VALUE");
  const std::string name = text.substr(0, equals);
  const size_t dot = name.find('.');
  return Setting{name.substr(0, dot), dot == name.npos ? "" : name.substr(dot + 1),
                 text.substr(equals + 1)};
}

Status put(json::object& object, const Setting& setting) {
  if (setting.value.empty()) {
    erase_key(object, setting.key);
  } else {
    object[setting.key] = setting.value;
  }
  return {};
}

Status check_amount(const Setting& setting) {
  if (setting.value.empty()) return {};
  const auto amount = api::Quantity::parse(setting.value);
  if (amount.ok()) return {};
  return fail(fmt::format("--set {}.{}={}: {}", setting.what, setting.key, setting.value,
                          amount.status().message()));
}

// The container that --set means: that of -c, else the first.
Result<json::object*> chosen_container(json::value& pod, const std::string& name) {
  for (json::value& container : pod.at("spec").at("containers").as_array()) {
    if (name.empty() || get_string(container, "name") == name) {
      return &container.as_object();
    }
  }
  return fail(fmt::format("container {} not found in the pod", name));
}

Status set_in_pod(json::value& pod, const Setting& setting, const std::string& container_name) {
  if (setting.what == "requests" || setting.what == "limits") {
    RETURN_IF_ERROR(check_amount(setting));
    ASSIGN_OR_RETURN(json::object * container, chosen_container(pod, container_name));
    json::value holder = *container;
    RETURN_IF_ERROR(put(make_object(holder, "resources." + setting.what), setting));
    *container = holder.as_object();
    return {};
  }
  if (setting.what == "nodeSelector" || setting.what == "labels") {
    const bool labels = setting.what == "labels";
    return put(make_object(pod, labels ? "metadata.labels" : "spec.nodeSelector"), setting);
  }
  if (setting.what == "priority") {
    long long priority = 0;
    if (!parse_int(setting.value, &priority)) return fail("--set priority: want a whole number");
    set_path(pod, "spec.priority", json::value(static_cast<std::int64_t>(priority)));
    return {};
  }
  return usage_failure("why", "--set " + setting.what +
                                  ": of a pod, requests.X, limits.X, nodeSelector.X, labels.X and "
                                  "priority can be set; use --patch for the rest");
}

Status set_in_node(json::value& node, const Setting& setting) {
  if (setting.what == "labels") return put(make_object(node, "metadata.labels"), setting);
  if (setting.what == "allocatable") {
    RETURN_IF_ERROR(check_amount(setting));
    return put(make_object(node, "status.allocatable"), setting);
  }
  return usage_failure(
      "why", "--set " + setting.what + ": of a node, labels.X and allocatable.X can be set");
}

// "key", "key:Effect". False: there was none.
bool drop_taint(json::value& node, const std::string& text) {
  const size_t colon = text.find(':');
  const std::string key = text.substr(0, colon);
  json::array kept;
  const json::array taints = get_array(node, "spec.taints");
  for (const json::value& taint : taints) {
    const bool same = get_string(taint, "key") == key &&
                      (colon == text.npos || get_string(taint, "effect") == text.substr(colon + 1));
    if (!same) kept.push_back(taint);
  }
  const bool dropped = kept.size() != taints.size();
  make_object(node, "spec")["taints"] = std::move(kept);
  return dropped;
}

Status change_node(Invocation& call, json::value& node) {
  for (const std::string& text : call.flags.list("set")) {
    ASSIGN_OR_RETURN(const Setting setting, parse_setting(text));
    RETURN_IF_ERROR(set_in_node(node, setting));
  }
  if (call.flags.is_set("uncordon")) {
    erase_key(make_object(node, "spec"), "unschedulable");
    drop_taint(node, kCordoned);
  }
  for (const std::string& taint : call.flags.list("remove-taint")) {
    if (!drop_taint(node, taint)) {
      return fail(fmt::format("node {} has no taint {}", std::string(api::name_of(node)), taint));
    }
  }
  return {};
}

// Nodes that are changed, and ones that are added.
Result<json::array> changed_nodes(Invocation& call) {
  json::array nodes;
  const std::string changed = call.flags.get("node");
  if (changed.empty() && (call.flags.is_set("uncordon") || call.flags.has("remove-taint"))) {
    return usage_failure("why", "--uncordon and --remove-taint need --node");
  }
  ASSIGN_OR_RETURN(const Resource* resource, call.session.resource("nodes"));
  if (!changed.empty()) {
    TRY_SERVER(json::value node, call.session.get(*resource, "", changed));
    RETURN_IF_ERROR(change_node(call, node));
    nodes.push_back(std::move(node));
  }
  int number = 0;
  for (const std::string& like : call.flags.list("like")) {
    TRY_SERVER(json::value node, call.session.get(*resource, "", like));
    const std::string name = fmt::format("another-{}-{}", like, ++number);
    set_path(node, "metadata.name", json::value(name));
    json::object& labels = make_object(node, "metadata.labels");
    if (labels.contains("kubernetes.io/hostname")) labels["kubernetes.io/hostname"] = name;
    nodes.push_back(std::move(node));
  }
  return nodes;
}

Result<json::object> read_weights(Invocation& call) {
  json::object weights;
  for (const std::string& one : call.flags.list("weights")) {
    const size_t equals = one.find('=');
    long long weight = 0;
    if (equals == one.npos || !parse_int(one.substr(equals + 1), &weight)) {
      return usage_failure("why", "--weights " + one + ": want PLUGIN=WHOLE_NUMBER");
    }
    weights[one.substr(0, equals)] = static_cast<std::int64_t>(weight);
  }
  return weights;
}

// A pod of the question, and how many of its kind.
struct Asked {
  std::string owner;  // "Deployment web"; of a pod, itself
  std::string name;   // the pod's
  json::value pod;
  std::int64_t copies = 1;
};

std::int64_t copies_of(const json::value& object) {
  const std::string kind = text_at(object, "kind");
  if (kind == "Job") {
    return std::min(get_int(object, "spec.parallelism", 1), get_int(object, "spec.completions", 1));
  }
  if (kind == "CronJob" || kind == "DaemonSet") return 1;
  return get_int(object, "spec.replicas", 1);
}

// The pod as the server would store it: defaults, priority, injected parts; nothing is stored.
Result<json::value> dry_run(Invocation& call, json::value pod) {
  ASSIGN_OR_RETURN(const Resource* pods, call.session.resource("pods"));
  const std::string ns = call.session.namespace_name();
  auto answer = call.session.create(*pods, ns, pod, {{"dryRun", "All"}});
  if (!answer.ok() && answer.error().http == 409) {  // it is there already: another like it
    json::object& meta = make_object(pod, "metadata");
    meta["generateName"] = std::string(api::name_of(pod)) + "-";
    erase_key(meta, "name");
    answer = call.session.create(*pods, ns, pod, {{"dryRun", "All"}});
  }
  if (!answer.ok()) return server_failure(answer.error());
  return std::move(answer.value());
}

Result<Asked> asked_of(Invocation& call, const ManifestObject& manifest) {
  const json::value& object = manifest.object;
  const std::string path = pod_spec_path(object);
  if (path.empty()) {
    return fail(fmt::format("{}: a {} makes no pods", manifest.source, text_at(object, "kind")));
  }
  json::value pod = json::object{{"apiVersion", "v1"}, {"kind", "Pod"}};
  if (path == "spec") {
    pod = object;
  } else {
    const std::string of_template = path.substr(0, path.rfind('.'));
    const json::value* meta = find(object, of_template + ".metadata");
    pod.as_object()["metadata"] = meta == nullptr ? json::value(json::object()) : *meta;
    make_object(pod, "metadata")["name"] = api::name_of(object);
    pod.as_object()["spec"] = *find(object, path);
  }
  Asked asked;
  asked.name = api::name_of(object);
  asked.owner = fmt::format("{} {}", text_at(object, "kind"), asked.name);
  asked.copies = std::clamp<std::int64_t>(path == "spec" ? 1 : copies_of(object), 1, kCopiesMax);
  ASSIGN_OR_RETURN(asked.pod, dry_run(call, std::move(pod)));
  set_path(asked.pod, "metadata.name", json::value(asked.name));
  return asked;
}

Result<std::vector<Asked>> what_is_asked(Invocation& call) {
  std::vector<Asked> all;
  if (call.flags.has("filename")) {
    const Manifests manifests =
        read_manifests({call.flags.list("filename"), false, false}, call.session.io.in);
    if (!manifests.failures.empty()) return join_failures(manifests.failures);
    for (const ManifestObject& manifest : manifests.objects) {
      if (manifests.objects.size() > 1 && pod_spec_path(manifest.object).empty()) continue;
      ASSIGN_OR_RETURN(Asked asked, asked_of(call, manifest));
      all.push_back(std::move(asked));
    }
    if (all.empty()) return fail("no object of the files makes pods");
    return all;
  }
  if (call.args.empty()) return usage_failure("why", "the name of a pod or -f is required");
  const std::string name = pod_name(call.args.back());
  ASSIGN_OR_RETURN(const Resource* pods, call.session.resource("pods"));
  TRY_SERVER(json::value pod, call.session.get(*pods, call.session.namespace_name(), name));
  all.push_back({"Pod " + name, name, std::move(pod), 1});
  return all;
}

Status change_pod(Invocation& call, json::value& pod) {
  if (call.flags.has("patch")) {
    const auto patch = parse_yaml_one(call.flags.get("patch"));
    if (!patch.ok()) return fail("unable to parse --patch: " + patch.status().message());
    pod = api::apply_merge_patch(std::move(pod), *patch);
  }
  if (!call.flags.get("node").empty()) return {};  // --set is about the node
  for (const std::string& text : call.flags.list("set")) {
    ASSIGN_OR_RETURN(const Setting setting, parse_setting(text));
    RETURN_IF_ERROR(set_in_pod(pod, setting, call.flags.get("container")));
  }
  return {};
}

json::array strings(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

// What all questions of the call have in common.
Result<json::object> common_spec(Invocation& call) {
  json::object spec;
  ASSIGN_OR_RETURN(spec["weights"], read_weights(call));
  ASSIGN_OR_RETURN(spec["nodes"], changed_nodes(call));
  spec["withoutNodes"] = strings(call.flags.list("without-node"));
  std::vector<std::string> pods = call.flags.list("without-pod");
  for (std::string& pod : pods) {
    if (pod.find('/') == pod.npos) pod = call.session.namespace_name() + "/" + pod;
  }
  spec["withoutPods"] = strings(pods);
  if (call.flags.has("config")) {
    ASSIGN_OR_RETURN(const std::string text, read_file(call.flags.get("config")));
    spec["config"] = text;
  }
  return spec;
}

Result<json::value> answered(Session& session, const json::object& spec) {
  const json::value review =
      json::object{{"apiVersion", kVersion}, {"kind", "SchedulingReview"}, {"spec", spec}};
  const std::string path =
      fmt::format("/apis/{}/namespaces/{}/schedulingreviews", kVersion, session.namespace_name());
  for (int i = 1;; ++i) {
    auto answer = session.call_json("POST", path, &review, "application/json");
    if (answer.ok()) return std::move(answer.value());
    if (answer.error().http == 404) {
      return fail(
          "the schedulers of this cluster answer no questions; the lab's do: coracle up "
          "--decisions");
    }
    if (answer.error().http != 503 || i == kAsks) return server_failure(answer.error());
    session.pause(std::chrono::milliseconds(100));
  }
}

void print_changes(const json::value& status, std::ostream& out) {
  const json::array& changes = get_array(status, "changes");
  if (changes.empty()) {
    out << "\nNo single change that was tried would make it fit.\n";
    return;
  }
  out << "\nWhat would make it fit, the smallest change first:\n";
  std::vector<std::vector<std::string>> rows{{"CHANGE", "NODE"}};
  for (const json::value& change : changes) {
    rows.push_back({text_at(change, "text"), text_at(change, "node")});
  }
  out << aligned_rows(rows);
}

void print_answer(const Asked& asked, const json::value& status, bool summary, std::ostream& out) {
  const std::int64_t placed = get_int(status, "placed");
  if (asked.copies > 1) {
    out << fmt::format("{}: {} of {} pods would be placed", asked.owner, placed, asked.copies);
    std::vector<std::string> nodes;
    for (const auto& [node, pods] : get_object(status, "podsByNode")) {
      nodes.push_back(
          fmt::format("{} on {}", pods.to_number<std::int64_t>(), std::string_view(node)));
    }
    out << (nodes.empty() ? "" : ": ") << join(nodes, ", ") << ".\n";
    out << (placed == asked.copies ? "The last one: " : fmt::format("Number {}: ", placed + 1));
  }
  print_decision(asked.name, status, {.summary = summary, .would = true}, out);
  std::vector<std::string> not_asked;
  for (const json::value& plugin : get_array(status, "notAsked")) {
    not_asked.emplace_back(plugin.as_string());
  }
  if (!not_asked.empty()) out << "\nNot asked: " << join(not_asked, ", ") << ".\n";
  if (text_at(status, "result") == "FitsNowhere") print_changes(status, out);
}

}  // namespace

std::string pod_name(const std::string& word) {
  const size_t slash = word.find('/');
  return slash == word.npos ? word : word.substr(slash + 1);
}

std::vector<text::FlagSpec> what_if_flags() {
  return {
      {"what-if", 0, FlagType::kBool, "false",
       "Ask again, now; if it fits nowhere, name the smallest changes that would help"},
      {"filename", 'f', FlagType::kList, "", "Pods, or workloads, that need not be applied"},
      {"weights", 0, FlagType::kList, "", "Other weights of scores: NodeResourcesFit=5,..."},
      {"config", 0, FlagType::kString, "", "Another KubeSchedulerConfiguration (a file)"},
      {"set", 0, FlagType::kArray, "",
       "The pod with requests.X, limits.X, nodeSelector.X, labels.X or priority so; with --node, "
       "the "
       "node with labels.X or allocatable.X so. Nothing after = takes it away"},
      {"container", 'c', FlagType::kString, "", "Whose requests --set means, if not the first's"},
      {"patch", 'p', FlagType::kString, "", "The pod with this merge patch (JSON or YAML)"},
      {"node", 0, FlagType::kString, "", "The node that --set and these change"},
      {"uncordon", 0, FlagType::kBool, "false", "With --node: it takes pods again"},
      {"remove-taint", 0, FlagType::kArray, "", "With --node: without this KEY or KEY:EFFECT"},
      {"like", 0, FlagType::kArray, "", "One more node like this one, without pods"},
      {"without-node", 0, FlagType::kArray, "", "Without this node"},
      {"without-pod", 0, FlagType::kArray, "", "Without this pod ([NAMESPACE/]NAME) on its node"}};
}

bool is_what_if(const Invocation& call) {
  const auto flags = what_if_flags();
  return std::any_of(flags.begin(), flags.end(),
                     [&](const text::FlagSpec& flag) { return call.flags.has(flag.name); });
}

Status run_what_if(Invocation& call) {
  ASSIGN_OR_RETURN(std::vector<Asked> all, what_is_asked(call));
  ASSIGN_OR_RETURN(json::object spec, common_spec(call));
  const bool summary = call.flags.is_set("summary");
  bool first = true;
  for (Asked& asked : all) {
    RETURN_IF_ERROR(change_pod(call, asked.pod));
    spec["pod"] = asked.pod;
    spec["copies"] = asked.copies;
    ASSIGN_OR_RETURN(const json::value review, answered(call.session, spec));
    if (!std::exchange(first, false)) call.session.io.out << "\n";
    print_answer(asked, review.at("status"), summary, call.session.io.out);
  }
  return {};
}

}  // namespace coracle::kubectl
