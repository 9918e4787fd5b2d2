// What controllers ask of pods, as upstream's controller_utils.go and pod util do. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "api/selectors.hpp"
#include "base/clock.hpp"
#include "client/object_cache.hpp"
#include "controllers/adoption.hpp"
#include "controllers/controller.hpp"

namespace coracle::controllers {

using client::ObjectPtr;

std::string_view phase_of(const json::value& pod);
bool has_ended(const json::value& pod);  // Succeeded or Failed
// Of kEndedIndex. A pod that has ended and that nobody deletes has two values: kAllEnded, by which
// they are counted, and before it one by which those that are least missed come first: evicted
// ones, then older ones.
inline constexpr const char* kAllEnded = "~";
std::vector<std::string> index_ended(const json::value& pod);
bool is_deleting(const json::value& object);
// Neither ended nor being deleted.
bool is_active(const json::value& pod);
bool is_terminating(const json::value& pod);  // being deleted, not ended yet
bool is_ready(const json::value& pod);
// When the condition of this type last changed; nothing when it is not there.
std::optional<WallTime> condition_since(const json::value& object, std::string_view type);
const json::value* condition(const json::value& object, std::string_view type);
// Ready for at least min_ready_seconds. `wait` gets how long until it will be, if that is the
// reason.
bool is_available(const json::value& pod, std::int64_t min_ready_seconds, WallTime now,
                  std::optional<Duration>* wait = nullptr);
std::int64_t restarts_of(const json::value& pod);
// The time written there; nothing when there is none.
std::optional<WallTime> time_at(const json::value& object, std::string_view path);
// An order: bound pods first, then older ones, then by name.
bool older_bound_first(const ObjectPtr& a, const ObjectPtr& b);

// Sorts pods so that the best to delete come first. The order, first difference decides:
//  1 not bound to a node before bound; 2 Pending before Unknown before Running; 3 not ready before
//  ready; 4 lower pod-deletion-cost; 5 more of the `related` pods on its node; 6 ready for less
//  time, compared by powers of two; 7 more restarts; 8 created later, compared by powers of two.
// Equal ones stay in key order.
void sort_for_deletion(std::vector<ObjectPtr>& pods, const std::vector<ObjectPtr>& related,
                       WallTime now);

// Which objects of a kind belong to a controller: those it controls and selects (and of which
// `also` holds), in key order. Plans adoption of such orphans of its namespace and release of
// controlled ones that are not. O(controlled + orphans with a label it demands), however many
// others there are.
struct Claim {
  std::vector<ObjectPtr> owned;
};
Claim claim(Plan* plan, const World& world, const client::Gvr& gvr, const json::value& controller,
            const api::LabelSelector& selector,
            const std::function<bool(const json::value& object)>& also = {});

// The key of the object's controller, if it is of this kind.
void enqueue_owner(const json::value& object, std::string_view kind, const Enqueue& enqueue);
// An object changed that `owners` (of this kind) may control: those that do or did, and those that
// may adopt it.
void enqueue_owners(const World& world, const client::Gvr& owners, std::string_view kind,
                    const json::value* before, const json::value* after, const Enqueue& enqueue);

// A pod made from a template (spec.template of `controller`), controlled by it, named
// CONTROLLER-xxxxx by the server.
json::value pod_from_template(const json::value& controller, const json::value& pod_template);

}  // namespace coracle::controllers
