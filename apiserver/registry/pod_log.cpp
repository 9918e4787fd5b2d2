#include "api/object.hpp"
#include "apiserver/registry/subresources.hpp"
#include "base/encoding.hpp"

namespace coracle::apiserver {

namespace {

// Names of all containers, in the order upstream lists them.
std::vector<std::string> container_names(const json::value& pod) {
  std::vector<std::string> names;
  for (const char* list : {"spec.initContainers", "spec.containers", "spec.ephemeralContainers"}) {
    for (const json::value& container : get_array(pod, list)) {
      names.emplace_back(get_string(container, "name"));
    }
  }
  return names;
}

Outcome<std::string> choose_container(const json::value& pod, std::string asked) {
  const std::string name(api::name_of(pod));
  const std::vector<std::string> all = container_names(pod);
  if (!asked.empty()) {
    if (std::find(all.begin(), all.end(), asked) != all.end()) return asked;
    return api::bad_request_error("container " + asked + " is not valid for pod " + name);
  }
  const json::array& main = get_array(pod, "spec.containers");
  if (main.size() == 1) return std::string(get_string(main[0], "name"));
  std::string choices;
  for (const json::value& container : main) {
    if (!choices.empty()) choices += " ";
    choices += get_string(container, "name");
  }
  return api::bad_request_error("a container name must be specified for pod " + name +
                                ", choose one of: [" + choices + "]");
}

std::string node_address(const json::value& node) {
  std::string fallback;
  for (const json::value& address : get_array(node, "status.addresses")) {
    const std::string_view type = get_string(address, "type");
    if (type == "InternalIP") return std::string(get_string(address, "address"));
    if (type == "Hostname") fallback = get_string(address, "address");
  }
  return fallback;
}

}  // namespace

Task<Outcome<std::optional<net::Response>>> Subresources::log(Context& c) {
  CO_TRY_OUTCOME(const json::value pod, co_await read_fresh(c));
  CO_TRY_OUTCOME(const std::string container,
                 choose_container(pod, std::string(c.request.query.get("container"))));
  const std::string node(get_string(pod, "spec.nodeName"));
  if (node.empty()) {  // nothing has run, nothing was said
    co_return std::optional(net::make_response(200, "", "text/plain"));
  }
  const ResourceCache* nodes = m_.feed.cache("minions");
  if (nodes == nullptr) nodes = m_.feed.cache("nodes");
  const ObjectPtr found = nodes == nullptr ? nullptr : nodes->find(node);
  if (!found || kubelets_ == nullptr) co_return api::not_found_error({"", "nodes"}, node);
  const auto tree = parse_json("{" + *found->tail());
  CHECK(tree.ok());
  const std::string host = node_address(*tree);
  const std::int64_t port = get_int(*tree, "status.daemonEndpoints.kubeletEndpoint.Port");
  if (host.empty() || port <= 0) {
    co_return api::internal_api_error("node " + node + " tells no address of its kubelet");
  }
  net::Query query;
  for (const auto& [name, value] : c.request.query) {
    if (name != "container" && name != "timeout") query.add(name, value);
  }
  std::string target = "/containerLogs/" + percent_encode(c.info.ns) + "/" +
                       percent_encode(c.info.name) + "/" + percent_encode(container);
  if (!query.empty()) target += "?" + query.encode();
  kubelets_->pipe(host, static_cast<int>(port), std::move(target), std::move(c.exchange));
  co_return std::optional<net::Response>();
}

}  // namespace coracle::apiserver
