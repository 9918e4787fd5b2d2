#include "deployment/replica_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "controllers/controller.hpp"
#include "controllers/int_or_percent.hpp"
#include "controllers/revisions.hpp"

namespace coracle::controllers::deployment {
namespace {

// Not copied from a Deployment to its ReplicaSets.
constexpr std::string_view kOwnAnnotations[] = {"kubectl.kubernetes.io/last-applied-configuration",
                                                kRevision,
                                                kRevisionHistory,
                                                kDesired,
                                                kMax,
                                                "deprecated.deployment.rollback.to"};

bool is_own_annotation(std::string_view key) {
  return std::find(std::begin(kOwnAnnotations), std::end(kOwnAnnotations), key) !=
         std::end(kOwnAnnotations);
}

std::int64_t revision_of(const json::value& rs) {
  long long revision = 0;
  return parse_int(api::annotation_of(rs, kRevision), &revision) ? revision : 0;
}

std::int64_t max_revision(const std::vector<ObjectPtr>& sets) {
  std::int64_t most = 0;
  for (const ObjectPtr& rs : sets) most = std::max(most, revision_of(*rs));
  return most;
}

// Older first; the name decides between equals.
bool older(const ObjectPtr& a, const ObjectPtr& b) {
  const auto ta = api::creation_timestamp_of(*a), tb = api::creation_timestamp_of(*b);
  return ta != tb ? ta < tb : api::name_of(*a) < api::name_of(*b);
}

// Sets what a ReplicaSet takes from its Deployment. A revision that was current before is noted in
// the history when it becomes current again.
bool set_annotations(const View& view, json::value* rs, std::int64_t revision, bool exists) {
  bool changed = false;
  const auto set = [&](std::string_view key, std::string_view value) {
    if (api::annotation_of(*rs, key) == value && api::annotations_of(*rs).contains(key)) return;
    api::set_annotation(*rs, key, value);
    changed = true;
  };
  for (const auto& [key, value] : api::annotations_of(view.deployment)) {
    if (!is_own_annotation(key) && value.is_string())
      set(key, std::string_view(value.get_string()));
  }
  const std::int64_t had = revision_of(*rs);
  if (had < revision) {
    if (had != 0) {
      std::string history(api::annotation_of(*rs, kRevisionHistory));
      const auto known = split(history, ',');
      const std::string text = std::to_string(had);
      if (std::find(known.begin(), known.end(), text) == known.end()) {
        set(kRevisionHistory, history.empty() ? text : history + "," + text);
      }
    }
    set(kRevision, std::to_string(revision));
  }
  if (!exists) {
    set(kDesired, std::to_string(view.desired()));
    set(kMax, std::to_string(view.desired() + view.max_surge()));
  }
  return changed;
}

}  // namespace

std::int64_t spec_replicas(const json::value& rs) { return get_int(rs, "spec.replicas", 1); }

std::int64_t status_number(const json::value& object, std::string_view field) {
  const json::value* v = find_keys(object, {"status", field});
  return v != nullptr && v->is_int64() ? v->get_int64() : 0;
}

std::int64_t sum_spec(const std::vector<ObjectPtr>& sets) {
  std::int64_t sum = 0;
  for (const ObjectPtr& rs : sets) sum += spec_replicas(*rs);
  return sum;
}

std::int64_t sum_status(const std::vector<ObjectPtr>& sets, std::string_view field) {
  std::int64_t sum = 0;
  for (const ObjectPtr& rs : sets) sum += status_number(*rs, field);
  return sum;
}

std::int64_t View::desired() const { return spec_replicas(deployment); }

bool View::rolling() const {
  return get_string(deployment, "spec.strategy.type", "RollingUpdate") == "RollingUpdate";
}

std::int64_t View::max_surge() const {
  if (!rolling()) return 0;
  return resolve_int_or_percent(find(deployment, "spec.strategy.rollingUpdate.maxSurge"), desired(),
                                true, 1);
}

std::int64_t View::max_unavailable() const {
  if (!rolling() || desired() == 0) return 0;
  const std::int64_t n = resolve_int_or_percent(
      find(deployment, "spec.strategy.rollingUpdate.maxUnavailable"), desired(), false, 0);
  // Both rounded to nothing would never move.
  if (n == 0 && max_surge() == 0) return 1;
  return std::min(n, desired());
}

std::vector<ObjectPtr> View::old_with_pods() const {
  std::vector<ObjectPtr> sets;
  for (const ObjectPtr& rs : old) {
    if (spec_replicas(*rs) != 0) sets.push_back(rs);
  }
  return sets;
}

View make_view(const json::value& deployment, std::vector<ObjectPtr> owned, Instant now) {
  View view{deployment, std::move(owned), nullptr, {}, now};
  std::sort(view.all.begin(), view.all.end(), older);
  const json::value* wanted = find(deployment, "spec.template");
  for (const ObjectPtr& rs : view.all) {
    const json::value* has = find(*rs, "spec.template");
    // The oldest of several equals, as upstream.
    if (view.current == nullptr && wanted && has && same_template(*wanted, *has)) view.current = rs;
  }
  for (const ObjectPtr& rs : view.all) {
    if (rs != view.current) view.old.push_back(rs);
  }
  return view;
}

bool same_template(const json::value& a, const json::value& b) {
  const auto without_hash = [](json::value t) {
    json::value* labels = nullptr;
    if (find_keys(t, {"metadata", "labels"}) != nullptr) {
      labels = &t.get_object()["metadata"].get_object()["labels"];
    }
    if (labels != nullptr && labels->is_object()) erase_key(labels->get_object(), kHashLabel);
    return t;
  };
  return without_hash(a) == without_hash(b);
}

json::value new_replica_set(const View& view, std::int64_t replicas) {
  const json::value& d = view.deployment;
  json::value pod_template = *find(d, "spec.template");
  const std::string hash = template_hash(pod_template, status_number(d, "collisionCount"));
  make_object(pod_template, "metadata.labels")[kHashLabel] = hash;
  json::value selector = *find(d, "spec.selector");
  make_object(selector, "matchLabels")[kHashLabel] = hash;

  json::value rs = json::object();
  set_path(rs, "apiVersion", json::value("apps/v1"));
  set_path(rs, "kind", json::value("ReplicaSet"));
  set_path(rs, "metadata.name", json::value(fmt::format("{}-{}", api::name_of(d), hash)));
  set_path(rs, "metadata.namespace", json::value(api::namespace_of(d)));
  set_path(rs, "metadata.labels", *find(pod_template, "metadata.labels"));
  json::array owners;
  owners.push_back(api::controller_reference(d));
  set_path(rs, "metadata.ownerReferences", std::move(owners));
  if (const json::value* ready = find(d, "spec.minReadySeconds")) {
    set_path(rs, "spec.minReadySeconds", *ready);
  }
  set_path(rs, "spec.replicas", json::value(replicas));
  set_path(rs, "spec.selector", std::move(selector));
  set_path(rs, "spec.template", std::move(pod_template));
  set_annotations(view, &rs, max_revision(view.old) + 1, false);
  return rs;
}

bool ensure_current(const View& view, Plan* plan) {
  if (view.current == nullptr) {
    const std::int64_t replicas =
        view.rolling() || view.old_with_pods().empty() ? new_replicas(view) : 0;
    json::value rs = new_replica_set(view, replicas);
    const std::string name(api::name_of(rs));
    plan->create(gvr::kReplicaSets, std::move(rs));
    if (replicas > 0) {
      plan->note("ScalingReplicaSet",
                 fmt::format("Scaled up replica set {} from 0 to {}", name, replicas));
    }
    return true;
  }
  json::value rs = *view.current;
  bool changed = set_annotations(view, &rs, max_revision(view.old) + 1, true);
  const std::int64_t ready = get_int(view.deployment, "spec.minReadySeconds");
  if (get_int(rs, "spec.minReadySeconds") != ready) {
    set_path(rs, "spec.minReadySeconds", json::value(ready));
    changed = true;
  }
  if (changed) plan->update(gvr::kReplicaSets, std::move(rs));
  const std::string revision(
      api::annotation_of(changed ? plan->writes.back().body : *view.current, kRevision));
  if (api::annotation_of(view.deployment, kRevision) != revision && !revision.empty()) {
    json::value patch = json::object();
    make_object(patch, "metadata.annotations")[kRevision] = revision;
    // Through the status, where an annotation does not count as a new generation.
    plan->patch(gvr::kDeployments, view.deployment, std::move(patch), client::PatchType::kMerge)
        .subresource = "status";
    changed = true;
  }
  return changed;
}

bool scale(const View& view, const ObjectPtr& rs, std::int64_t replicas, Plan* plan) {
  const std::int64_t had = spec_replicas(*rs);
  const std::string desired = std::to_string(view.desired());
  const std::string most = std::to_string(view.desired() + view.max_surge());
  const bool annotated =
      api::annotation_of(*rs, kDesired) == desired && api::annotation_of(*rs, kMax) == most;
  if (had == replicas && annotated) return false;
  json::value changed = *rs;
  set_path(changed, "spec.replicas", json::value(replicas));
  api::set_annotation(changed, kDesired, desired);
  api::set_annotation(changed, kMax, most);
  plan->update(gvr::kReplicaSets, std::move(changed));
  if (had != replicas) {
    plan->note("ScalingReplicaSet",
               fmt::format("Scaled {} replica set {} from {} to {}", replicas > had ? "up" : "down",
                           api::name_of(*rs), had, replicas));
  }
  return true;
}

void clean_history(const View& view, Plan* plan) {
  const json::value* limit = find(view.deployment, "spec.revisionHistoryLimit");
  if (limit == nullptr || !limit->is_int64()) return;
  std::vector<ObjectPtr> empty;
  for (const ObjectPtr& rs : view.old) {
    const bool gone = spec_replicas(*rs) == 0 && status_number(*rs, "replicas") == 0 &&
                      status_number(*rs, "observedGeneration") >= api::generation_of(*rs) &&
                      api::deletion_timestamp_of(*rs).empty();
    if (gone) empty.push_back(rs);
  }
  const auto keep = static_cast<size_t>(std::max<std::int64_t>(limit->get_int64(), 0));
  if (empty.size() <= keep) return;
  std::stable_sort(empty.begin(), empty.end(), [](const ObjectPtr& a, const ObjectPtr& b) {
    return revision_of(*a) < revision_of(*b);
  });
  for (size_t i = 0; i < empty.size() - keep; ++i) plan->remove(gvr::kReplicaSets, *empty[i]);
}

std::int64_t new_replicas(const View& view) {
  if (!view.rolling()) return view.desired();
  const std::int64_t total = sum_spec(view.all);
  const std::int64_t most = view.desired() + view.max_surge();
  const std::int64_t has = view.current ? spec_replicas(*view.current) : 0;
  if (total >= most) return has;
  return has + std::min(most - total, view.desired() - has);
}

}  // namespace coracle::controllers::deployment
