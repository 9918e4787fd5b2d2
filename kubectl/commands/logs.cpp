#include <ostream>

#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr std::int64_t kTailBySelector = 10;

struct Source {
  std::string ns, pod, container;
};

std::vector<std::string> container_names(const json::value& pod, bool all) {
  std::vector<std::string> out;
  if (all) {
    for (const json::value& one : get_array(pod, "spec.initContainers")) {
      out.emplace_back(get_string(one, "name"));
    }
  }
  for (const json::value& one : get_array(pod, "spec.containers")) {
    out.emplace_back(get_string(one, "name"));
  }
  return out;
}

class Logs {
 public:
  explicit Logs(Invocation& call) : call_(call), session_(call.session) {}

  Status run() {
    RETURN_IF_ERROR(check());
    ASSIGN_OR_RETURN(pods_resource_, session_.resource("pods"));
    ASSIGN_OR_RETURN(const auto pods, find_pods());
    if (pods.empty()) {
      session_.warn("No resources found in " + session_.namespace_name() + " namespace.");
      return {};
    }
    std::vector<Source> sources;
    for (const json::value& pod : pods) RETURN_IF_ERROR(add_sources(pod, sources));
    const bool prefixed = call_.flags.is_set("prefix");
    for (const Source& source : sources) RETURN_IF_ERROR(print(source, prefixed));
    return {};
  }

 private:
  Status check() {
    selector_ = call_.flags.get("selector");
    if (call_.args.empty() && selector_.empty()) {
      return usage_failure("logs",
                           "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\n"
                           "POD or TYPE/NAME is a required argument for the logs command");
    }
    if (!selector_.empty() && !call_.args.empty()) {
      return fail("only a selector (-l) or a POD name is allowed");
    }
    if (call_.flags.has("since") && call_.flags.has("since-time")) {
      return fail("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    container_ = call_.flags.get("container");
    if (call_.args.size() == 2 && container_.empty()) container_ = call_.args[1];
    return {};
  }

  Result<std::vector<json::value>> list_pods(const std::string& ns, const std::string& selector) {
    TRY_SERVER(const json::value found,
               session_.list(*pods_resource_, ns, {{"labelSelector", selector}}));
    std::vector<json::value> out;
    for (const json::value& pod : get_array(found, "items")) out.push_back(pod);
    return out;
  }

  // The pod named, those selected, or the first pod of a deployment, replica set, job, ...
  Result<std::vector<json::value>> find_pods() {
    const std::string ns = session_.namespace_name();
    if (!selector_.empty()) return list_pods(ns, selector_);
    const std::string& name = call_.args[0];
    if (name.find('/') == name.npos) {
      auto pod = session_.get(*pods_resource_, ns, name);
      if (!pod.ok() && pod.error().reason == "NotFound") {
        return fail("error from server (NotFound): " + pod.error().message + " in namespace " +
                    quoted(ns));
      }
      if (!pod.ok()) return server_failure(pod.error());
      return std::vector<json::value>{std::move(pod.value())};
    }
    TargetOptions options;
    options.args = {name};
    ASSIGN_OR_RETURN(Target target, only_target(session_, options));
    if (target.resource.kind == "Pod") return std::vector<json::value>{target.object};
    const json::value* selector = find(target.object, "spec.selector");
    auto parsed = target.resource.kind == "Service"
                      ? Result<api::LabelSelector>(api::LabelSelector::from_map(
                            get_object(target.object, "spec.selector")))
                      : api::LabelSelector::from_object(selector);
    if (!parsed.ok() || parsed->is_nothing() || parsed->is_everything()) {
      return fail("cannot get the logs from " + target.resource.plural + "/" + target.name);
    }
    ASSIGN_OR_RETURN(auto pods, list_pods(ns, parsed->text()));
    if (pods.size() > 1 && !call_.flags.is_set("all-pods")) {
      session_.warn("Found " + std::to_string(pods.size()) + " pods, using pod/" +
                    std::string(api::name_of(pods[0])));
      pods.resize(1);
    }
    return pods;
  }

  Status add_sources(const json::value& pod, std::vector<Source>& out) {
    const std::string ns(api::namespace_of(pod)), name(api::name_of(pod));
    const bool all = call_.flags.is_set("all-containers");
    const auto names = container_names(pod, true);
    if (!container_.empty()) {
      if (std::find(names.begin(), names.end(), container_) == names.end()) {
        return fail("container " + container_ + " is not valid for pod " + name);
      }
      out.push_back({ns, name, container_});
      return {};
    }
    if (all) {
      for (const std::string& container : names) out.push_back({ns, name, container});
      return {};
    }
    const auto plain = container_names(pod, false);
    if (plain.empty()) return fail("pod " + name + " has no containers");
    std::string chosen(api::annotation_of(pod, "kubectl.kubernetes.io/default-container"));
    if (chosen.empty()) {
      chosen = plain[0];
      if (names.size() > 1) {
        session_.warn("Defaulted container " + quoted(chosen) + " out of: " + join(plain, ", "));
      }
    }
    out.push_back({ns, name, chosen});
    return {};
  }

  client::QueryList query(const Source& source) const {
    const text::ParsedFlags& flags = call_.flags;
    client::QueryList out = {{"container", source.container}};
    if (flags.is_set("follow")) out.emplace_back("follow", "true");
    if (flags.is_set("previous")) out.emplace_back("previous", "true");
    if (flags.is_set("timestamps")) out.emplace_back("timestamps", "true");
    if (flags.has("since")) {
      const auto seconds =
          std::chrono::ceil<std::chrono::seconds>(flags.get_duration("since")).count();
      out.emplace_back("sinceSeconds", std::to_string(seconds));
    }
    if (flags.has("since-time")) out.emplace_back("sinceTime", flags.get("since-time"));
    std::int64_t tail = flags.get_int("tail");
    if (!flags.has("tail") && !selector_.empty()) tail = kTailBySelector;
    if (tail >= 0) out.emplace_back("tailLines", std::to_string(tail));
    if (flags.get_int("limit-bytes") > 0) out.emplace_back("limitBytes", flags.get("limit-bytes"));
    return out;
  }

  Status print(const Source& source, bool prefixed) {
    const std::string prefix = prefixed ? "[pod/" + source.pod + "/" + source.container + "] " : "";
    bool at_start = true;
    client::ApiRequest request;
    request.target =
        pods_resource_->path(source.ns, source.pod, "log") + client::encode_query(query(source));
    request.headers.emplace_back("Accept", "*/*");
    auto answer = session_.stream(std::move(request), [&](std::string_view bytes) {
      for (char c : bytes) {
        if (at_start) session_.io.out << prefix;
        session_.io.out << c;
        at_start = c == '\n';
      }
      session_.io.out << std::flush;
      return true;
    });
    if (answer.ok()) return {};
    if (call_.flags.is_set("ignore-errors")) {
      session_.warn("error: " + answer.error().message);
      return {};
    }
    return server_failure(answer.error());
  }

  Invocation& call_;
  Session& session_;
  const Resource* pods_resource_ = nullptr;
  std::string selector_, container_;
};

}  // namespace

Command logs_command() {
  Command command{.name = "logs",
                  .usage = "[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
                  .summary = "Print what a container wrote",
                  .examples =
                      "  kubectl logs web\n  kubectl logs -f deployment/web\n"
                      "  kubectl logs -l app=web --all-containers --tail=20\n",
                  .run = [](Invocation& call) { return Logs(call).run(); }};
  for (text::FlagSpec flag : std::vector<text::FlagSpec>{
           {"follow", 'f', FlagType::kBool, "false", "Stay and print what comes"},
           {"previous", 'p', FlagType::kBool, "false", "Of the container before this one"},
           {"container", 'c', FlagType::kString, "", "Which container"},
           {"all-containers", 0, FlagType::kBool, "false", "All containers of the pod"},
           {"all-pods", 0, FlagType::kBool, "false", "All pods of the controller"},
           {"selector", 'l', FlagType::kString, "", "Pods by their labels"},
           {"tail", 0, FlagType::kInt, "-1", "The last lines; -1: all, 10 with -l"},
           {"since", 0, FlagType::kDuration, "0s", "Not older than this"},
           {"since-time", 0, FlagType::kString, "", "Not older than this time"},
           {"timestamps", 0, FlagType::kBool, "false", "Each line with its time"},
           {"prefix", 0, FlagType::kBool, "false", "Each line with pod and container"},
           {"limit-bytes", 0, FlagType::kInt, "0", "At most so many bytes"},
           {"max-log-requests", 0, FlagType::kInt, "5", "Accepted, not used"},
           {"ignore-errors", 0, FlagType::kBool, "false", "Go on after a failure"},
           {"pod-running-timeout", 0, FlagType::kDuration, "20s", "Accepted, not used"}}) {
    command.flags.push_back(std::move(flag));
  }
  return command;
}

}  // namespace coracle::kubectl
