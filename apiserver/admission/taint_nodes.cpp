// TaintNodesByCondition: a new node takes no pods until a controller has seen it ready.
#include "apiserver/admission/plugins.hpp"

namespace coracle::apiserver {

Task<Outcome<Done>> fill_taint_nodes(Admitted& a, json::value& node) {
  if (!a.is("", "Node")) co_return Done{};
  json::array& taints = array_at(make_object(node, "spec"), "taints");
  for (const json::value& taint : taints) {
    if (get_string(taint, "key") == "node.kubernetes.io/not-ready" &&
        get_string(taint, "effect") == "NoSchedule") {
      co_return Done{};
    }
  }
  taints.push_back(json::object{{"key", "node.kubernetes.io/not-ready"}, {"effect", "NoSchedule"}});
  co_return Done{};
}

}  // namespace coracle::apiserver
