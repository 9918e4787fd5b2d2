// set env: by hand, from configmaps and secrets; --list.
#include <algorithm>
#include <cctype>
#include <optional>
#include <ostream>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/pod_parts.hpp"
#include "commands/pod_specs.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

void put_variable(json::array& env, const json::object& variable) {
  for (json::value& one : env) {
    if (get_string(one, "name") == std::string_view(variable.at("name").as_string())) {
      one = variable;
      return;
    }
  }
  env.push_back(variable);
}

// "a.b-c" -> "A_B_C"
std::string variable_name(const std::string& key) {
  std::string out = key;
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    c = std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return out;
}

// More than its case has changed.
bool is_other_name(const std::string& key, const std::string& name) {
  return to_lower(key) != to_lower(name);
}

// "configmap web, key a"
std::string reference_text(const json::value& from) {
  for (const auto& [member, word] :
       {std::pair{"configMapKeyRef", "configmap"}, std::pair{"secretKeyRef", "secret"}}) {
    if (const json::value* found = find(from, member)) {
      return word + std::string(" ") + std::string(get_string(*found, "name")) + ", key " +
             std::string(get_string(*found, "key"));
    }
  }
  if (find(from, "fieldRef") != nullptr) {
    return "field path " + std::string(get_string(from, "fieldRef.fieldPath"));
  }
  if (find(from, "resourceFieldRef") != nullptr) {
    const std::string container(get_string(from, "resourceFieldRef.containerName"));
    return "resource field " + (container.empty() ? "" : container + "/") +
           std::string(get_string(from, "resourceFieldRef.resource"));
  }
  return "invalid valueFrom";
}

class SetEnv {
 public:
  explicit SetEnv(Invocation& call) : call_(call) {}

  Status run() {
    std::vector<std::string> objects, pairs;
    split_pairs(call_.args, &objects, &pairs);
    for (const std::string& pair : call_.flags.list("env")) pairs.push_back(pair);
    if (!call_.flags.list("keys").empty() && call_.flags.get("from").empty()) {
      return fail("when specifying --keys, a configmap or secret must be provided with --from");
    }
    if (call_.flags.is_set("list") && pairs.empty()) return list(objects);
    RETURN_IF_ERROR(read(pairs));
    const std::string chosen = call_.flags.get("containers");
    return edit_pod_specs(call_, objects, "env updated", [&](json::object& spec) -> Status {
      RETURN_IF_ERROR(check_container(spec, chosen));
      for (json::value& container : spec["containers"].as_array()) {
        if (container.is_object() && is_named(container, chosen)) change(container);
      }
      return {};
    });
  }

 private:
  Status read(const std::vector<std::string>& pairs) {
    if (!call_.flags.get("from").empty()) RETURN_IF_ERROR(read_source(call_.flags.get("from")));
    std::vector<std::string> sets;
    for (const std::string& pair : pairs) {
      if (pair.find('=') == pair.npos) {
        removes_.push_back(pair.substr(0, pair.size() - 1));
      } else {
        sets.push_back(pair);
      }
    }
    ASSIGN_OR_RETURN(const json::array given, parse_env(sets));
    for (const json::value& one : given) variables_.push_back(one);
    if (variables_.empty() && removes_.empty()) {
      return fail("at least one environment variable must be provided");
    }
    return {};
  }

  // --from: a variable for each key, or for each of --keys.
  Status read_source(const std::string& text) {
    ASSIGN_OR_RETURN(const Target source, only_target(call_.session, {.args = {text}}));
    const bool secret = source.resource.kind == "Secret";
    if (!secret && source.resource.kind != "ConfigMap") {
      return fail("unsupported resource specified in --from");
    }
    const std::vector<std::string> wanted = call_.flags.list("keys");
    std::vector<std::string> keys;
    for (const auto& member : get_object(source.object, "data")) keys.emplace_back(member.key());
    std::sort(keys.begin(), keys.end());
    for (const std::string& key : keys) {
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), key) == wanted.end()) continue;
      const std::string name = variable_name(key);
      if (is_other_name(key, name)) {
        call_.session.warn("Warning: key " + key + " transferred to " + name);
      }
      json::object reference{{"key", key}, {"name", source.name}};
      json::object from;
      from[secret ? "secretKeyRef" : "configMapKeyRef"] = std::move(reference);
      json::object variable{{"name", call_.flags.get("prefix") + name}};
      variable["valueFrom"] = std::move(from);
      variables_.push_back(std::move(variable));
    }
    return {};
  }

  void change(json::value& container) const {
    json::value& env = container.as_object()["env"];
    if (!env.is_array()) env.emplace_array();
    for (const json::value& one : variables_) put_variable(env.as_array(), one.as_object());
    json::array kept;
    for (const json::value& one : env.as_array()) {
      const std::string name(get_string(one, "name"));
      if (std::find(removes_.begin(), removes_.end(), name) == removes_.end()) kept.push_back(one);
    }
    if (kept.empty()) {
      erase_key(container.as_object(), "env");
    } else {
      env = std::move(kept);
    }
  }

  Status list(const std::vector<std::string>& objects) {
    const TargetOptions options = target_options(call_.flags, objects);
    ASSIGN_OR_RETURN(const auto targets, find_each_target(call_.session, options));
    const std::string chosen = call_.flags.get("containers");
    return visit_objects(call_.session, targets, options, [&](Target& target) -> Status {
      const std::string path = pod_spec_path(target.object);
      if (path.empty()) {
        return fail(target.resource.plural + "/" + target.name +
                    " the object is not a pod or does not have a pod template");
      }
      for (const json::value& container : get_array(target.object, path + ".containers")) {
        if (is_named(container, chosen)) print(target, container);
      }
      return {};
    });
  }

  void print(const Target& target, const json::value& container) {
    std::ostream& out = call_.session.io.out;
    out << "# " << target.resource.kind << " " << target.name << ", container "
        << get_string(container, "name") << "\n";
    for (const json::value& variable : get_array(container, "env")) {
      const json::value* from = find(variable, "valueFrom");
      const std::string name(get_string(variable, "name"));
      std::optional<std::string> value;
      if (from == nullptr) {
        value = get_string(variable, "value");
      } else if (call_.flags.is_set("resolve")) {
        value = resolved(*from, target.ns);
      }
      if (value) {
        out << name << "=" << *value << "\n";
      } else {
        out << "# " << name << " from " << reference_text(*from) << "\n";
      }
    }
  }

  // What a key of a configmap or a secret says; nullopt when it cannot be told.
  std::optional<std::string> resolved(const json::value& from, const std::string& ns) {
    for (const auto& [member, type] :
         {std::pair{"configMapKeyRef", "configmaps"}, std::pair{"secretKeyRef", "secrets"}}) {
      const json::value* reference = find(from, member);
      if (reference == nullptr) continue;
      const auto resource = call_.session.resource(type);
      if (!resource.ok()) return std::nullopt;
      auto object = call_.session.get(**resource, ns, std::string(get_string(*reference, "name")));
      if (!object.ok()) return std::nullopt;
      const json::object data = get_object(object.value(), "data");
      const json::value* text = data.if_contains(get_string(*reference, "key"));
      if (text == nullptr || !text->is_string()) return std::nullopt;
      const std::string value(text->get_string());
      if (type == std::string_view("configmaps")) return value;
      const auto decoded = base64_decode(value);
      return decoded.ok() ? std::optional(*decoded) : std::nullopt;
    }
    return std::nullopt;
  }

  Invocation& call_;
  json::array variables_;
  std::vector<std::string> removes_;
};

}  // namespace

Command set_env_command() {
  Command env{.name = "set env",
              .usage = "(-f FILE | TYPE NAME) KEY=VALUE ... KEY- ...",
              .summary = "Change the environment of a pod template, or list it",
              .examples =
                  "  kubectl set env deployment/web MODE=test\n"
                  "  kubectl set env deployment/web --from=configmap/web --prefix=WEB_\n"
                  "  kubectl set env deployment/web --list\n",
              .flags = file_flags() + selector_flags() + set_flags(),
              .run = [](Invocation& call) { return SetEnv(call).run(); }};
  env.flags.push_back({"containers", 'c', FlagType::kString, "*", "Which containers"});
  env.flags.push_back({"env", 'e', FlagType::kArray, "", "KEY=VALUE"});
  env.flags.push_back({"from", 0, FlagType::kString, "", "configmap/NAME or secret/NAME"});
  env.flags.push_back({"keys", 0, FlagType::kList, "", "With --from: only these keys"});
  env.flags.push_back({"prefix", 0, FlagType::kString, "", "With --from: before the names"});
  env.flags.push_back({"list", 0, FlagType::kBool, "false", "Print the environment"});
  env.flags.push_back({"resolve", 0, FlagType::kBool, "false", "With --list: look up the values"});
  return env;
}

}  // namespace coracle::kubectl
