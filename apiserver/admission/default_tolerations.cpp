// DefaultTolerationSeconds: pods bear a lost node for five minutes.
#include "apiserver/admission/plugins.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::int64_t kTolerationSeconds = 300;

// A toleration of NoExecute of this taint is there already.
bool tolerates(const json::object& spec, std::string_view key) {
  const json::value* list = find_member(spec, "tolerations");
  if (list == nullptr || !list->is_array()) return false;
  for (const json::value& toleration : list->get_array()) {
    const std::string_view have = get_string(toleration, "key");
    const std::string_view effect = get_string(toleration, "effect");
    if ((have == key || have.empty()) && (effect == "NoExecute" || effect.empty())) return true;
  }
  return false;
}

}  // namespace

Task<Outcome<Done>> fill_default_tolerations(Admitted& a, json::value& pod) {
  if (!a.is("", "Pod")) co_return Done{};
  json::object& spec = make_object(pod, "spec");
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    if (tolerates(spec, key)) continue;
    array_at(spec, "tolerations")
        .push_back(json::object{{"key", key},
                                {"operator", "Exists"},
                                {"effect", "NoExecute"},
                                {"tolerationSeconds", kTolerationSeconds}});
  }
  co_return Done{};
}

Task<Outcome<Done>> keep_default_tolerations(Admitted& a, json::value* pod,
                                             const json::value* old) {
  const bool update = pod != nullptr && old != nullptr && a.c.info.subresource.empty();
  co_return update ? co_await fill_default_tolerations(a, *pod) : Outcome<Done>(Done{});
}

}  // namespace coracle::apiserver
