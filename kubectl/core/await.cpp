#include "kubectl/await.hpp"

#include "api/object.hpp"

namespace coracle::kubectl {
namespace {

constexpr Duration kAgain = std::chrono::milliseconds(100);

Status timed_out() {
  return {Code::kDeadlineExceeded, "error: timed out waiting for the condition"};
}

}  // namespace

Status await_object(Session& session, const Resource& resource, const std::string& ns,
                    const std::string& name, std::optional<TimePoint> deadline,
                    const std::function<bool(const json::value* object)>& look) {
  const client::QueryList selector = {{"fieldSelector", "metadata.name=" + name}};
  for (;;) {
    TRY_SERVER(const json::value list, session.list(resource, ns, selector));
    const json::array& items = get_array(list, "items");
    if (look(items.empty() ? nullptr : &items[0])) return {};
    Duration limit = Duration::zero();
    if (deadline) {
      limit = *deadline - session.now();
      if (limit <= Duration::zero()) return timed_out();
    }
    client::QueryList query = selector;
    query.emplace_back("watch", "true");
    query.emplace_back("resourceVersion", get_string(list, "metadata.resourceVersion"));
    bool done = false, broken = false;
    auto end = session.watch(
        resource.path(ns) + client::encode_query(query), {},
        [&](const json::value& event) {
          const json::value* object = find(event, "object");
          const std::string_view type = get_string(event, "type");
          if (type == "ERROR" || !object) return broken = true, false;
          if (type == "BOOKMARK") return true;
          done = look(type == "DELETED" ? nullptr : object);
          return !done;
        },
        limit);
    if (done) return {};
    if (!end.ok() && !end.error().is_retryable() && !end.error().is_gone()) {
      return server_failure(end.error());
    }
    if (deadline && session.now() >= *deadline) return timed_out();
    if (!end.ok() || broken) session.pause(kAgain);
  }
}

}  // namespace coracle::kubectl
