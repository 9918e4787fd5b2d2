// create ingress
#include <regex>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

// HOST/PATH=SERVICE:PORT[,tls[=SECRET]]
const std::regex& rule_form() {
  static const std::regex form(R"(^([\w*.-]*)(/.*)=([\w-]+):([\w-]+)(,(tls)=?([\w-]+)?)?)");
  return form;
}

json::value backend_of(const std::string& service, const std::string& port) {
  json::object number;
  long long value = 0;
  if (parse_int(port, &value)) {
    number["number"] = value;
  } else {
    number["name"] = port;
  }
  json::value out = json::object();
  set_path(out, "service.name", json::value(service));
  set_path(out, "service.port", json::value(std::move(number)));
  return out;
}

// The entry of `list` whose `key` is `value`, made when there is none.
json::object& entry_of(json::array& list, std::string_view key, const std::string& value) {
  for (json::value& one : list) {
    if (get_string(one, key) == value) return one.as_object();
  }
  list.emplace_back(json::object());
  json::object& made = list.back().as_object();
  if (!value.empty()) made[key] = value;
  return made;
}

void add_rule(const std::smatch& parts, json::array& rules, json::array& secured) {
  const std::string host = parts[1];
  std::string path = parts[2];
  json::object entry;
  entry["backend"] = backend_of(parts[3], parts[4]);
  const bool prefix = path.back() == '*';
  if (prefix) path.pop_back();
  entry["path"] = path;
  entry["pathType"] = prefix ? "Prefix" : "Exact";
  json::value& paths = entry_of(rules, "host", host)["http"];
  if (!paths.is_object()) paths.emplace_object()["paths"].emplace_array();
  paths.as_object()["paths"].as_array().push_back(std::move(entry));
  if (!parts[5].matched) return;
  const std::string secret = parts[7];
  for (const json::value& one : secured) {
    for (const json::value& known : get_array(one, "hosts")) {
      if (known == json::value(host)) return;
    }
  }
  if (host.empty() && secret.empty()) return;
  json::object& tls = entry_of(secured, "secretName", secret);
  json::value& hosts = tls["hosts"];
  if (!hosts.is_array()) hosts.emplace_array();
  if (!host.empty()) hosts.as_array().emplace_back(host);
  if (hosts.as_array().empty()) erase_key(tls, "hosts");
}

Status create_ingress(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  const std::string fallback = call.flags.get("default-backend");
  const auto given = call.flags.list("rule");
  if (fallback.empty() && given.empty()) {
    return fail(
        "not enough information provided: every ingress has to either specify a default-backend "
        "(which catches all traffic) or a list of rules (which catch specific paths)");
  }
  json::value object = new_object("networking.k8s.io/v1", "Ingress", name);
  json::array rules, secured;
  for (const std::string& rule : given) {
    std::smatch parts;
    if (!std::regex_search(rule, parts, rule_form())) {
      return fail("rule " + rule +
                  " is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]");
    }
    add_rule(parts, rules, secured);
  }
  for (const std::string& annotation : call.flags.list("annotation")) {
    const size_t equals = annotation.find('=');
    if (equals == annotation.npos) {
      return fail("annotation " + annotation + " is invalid and should be in format key=[value]");
    }
    api::set_annotation(object, annotation.substr(0, equals), annotation.substr(equals + 1));
  }
  const auto halves = split(fallback, ':');
  if (!fallback.empty() && halves.size() != 2) {
    return fail("default-backend should be in format servicename:serviceport");
  }
  json::object& spec = make_object(object, "spec");
  if (!fallback.empty()) spec["defaultBackend"] = backend_of(halves[0], halves[1]);
  if (!call.flags.get("class").empty()) spec["ingressClassName"] = call.flags.get("class");
  if (!rules.empty()) spec["rules"] = std::move(rules);
  if (!secured.empty()) spec["tls"] = std::move(secured);
  make_object(object, "status.loadBalancer");
  return create_object(call, std::move(object), "failed to create ingress");
}

}  // namespace

Command create_ingress_command() {
  Command out{.name = "create ingress",
              .usage = "NAME --rule=host/path=service:port[,tls[=secret]]",
              .summary = "Create an ingress",
              .examples = "  kubectl create ingress web --rule=web.example.com/=web:80\n",
              .flags = create_flags(),
              .run = create_ingress,
              .aliases = {"ing"}};
  out.flags.push_back({"rule", 0, FlagType::kArray, "", "host/path=service:port[,tls[=secret]]"});
  out.flags.push_back({"class", 0, FlagType::kString, "", "The ingress class"});
  out.flags.push_back({"default-backend", 0, FlagType::kString, "", "service:port for the rest"});
  out.flags.push_back({"annotation", 0, FlagType::kArray, "", "key=value; may be repeated"});
  return out;
}

}  // namespace coracle::kubectl
