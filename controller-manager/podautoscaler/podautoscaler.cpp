#include "podautoscaler/podautoscaler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "controllers/pods.hpp"
#include "podautoscaler/proposals.hpp"
#include "podautoscaler/scaling.hpp"

namespace coracle::controllers {
namespace {

using namespace autoscaler;

struct Scalable {
  const char* kind;
  client::Gvr gvr;
};
const std::vector<Scalable>& scalables() {
  static const std::vector<Scalable> kAll = {
      {"Deployment", gvr::kDeployments},
      {"ReplicaSet", gvr::kReplicaSets},
      {"StatefulSet", gvr::kStatefulSets},
      {"ReplicationController", gvr::kReplicationControllers}};
  return kAll;
}

// The status and what is told of it, built up on the way.
class Report {
 public:
  Report(const json::value& autoscaler, WallTime now, Plan* plan)
      : autoscaler_(autoscaler),
        status_(get_object(autoscaler, "status")),
        conditions_(get_array(autoscaler, "status.conditions")),
        now_(format_time(now)),
        plan_(plan) {}

  void set(const char* type, bool value, std::string_view reason, std::string_view message) {
    json::object condition{{"message", message},
                           {"reason", reason},
                           {"status", value ? "True" : "False"},
                           {"type", type}};
    for (json::value& old : conditions_) {
      if (get_string(old, "type") != type) continue;
      const bool same = get_string(old, "status") == get_string(condition, "status");
      condition["lastTransitionTime"] =
          same ? std::string(get_string(old, "lastTransitionTime")) : now_;
      old = std::move(condition);
      return;
    }
    condition["lastTransitionTime"] = now_;
    conditions_.push_back(std::move(condition));
  }
  void set_replicas(std::int64_t current, std::optional<std::int64_t> desired) {
    status_["currentReplicas"] = current;
    if (desired) status_["desiredReplicas"] = *desired;
  }
  void set_metrics(json::array metrics) { status_["currentMetrics"] = std::move(metrics); }
  void scaled() { status_["lastScaleTime"] = now_; }
  void write_down() {
    status_["conditions"] = std::move(conditions_);
    status_["observedGeneration"] = api::generation_of(autoscaler_);
    if (!status_.contains("currentReplicas")) status_["currentReplicas"] = 0;
    if (!status_.contains("desiredReplicas")) status_["desiredReplicas"] = 0;
    if (status_ == get_object(autoscaler_, "status")) return;
    json::value changed = autoscaler_;
    changed.get_object()["status"] = std::move(status_);
    plan_->update_status(gvr::kAutoscalers, std::move(changed));
  }

 private:
  const json::value& autoscaler_;
  json::object status_;
  json::array conditions_;
  std::string now_;
  Plan* plan_;
};

struct Target {
  client::Gvr gvr;
  ObjectPtr object;
};

// Null object: it cannot be scaled; that is reported.
Target find_target(const World& world, const json::value& autoscaler, Report* report, Plan* plan) {
  const std::string kind(get_string(autoscaler, "spec.scaleTargetRef.kind"));
  const std::string name(get_string(autoscaler, "spec.scaleTargetRef.name"));
  const auto group =
      api::split_api_version(get_string(autoscaler, "spec.scaleTargetRef.apiVersion")).group;
  std::string why = fmt::format("no matches for kind \"{}\" in group \"{}\"", kind, group);
  for (const Scalable& scalable : scalables()) {
    if (kind != scalable.kind || group != scalable.gvr.group) continue;
    ObjectPtr object = world.get(scalable.gvr, std::string(api::namespace_of(autoscaler)), name);
    if (object != nullptr) return {scalable.gvr, std::move(object)};
    why = fmt::format("{}/scale{}{} \"{}\" not found", scalable.gvr.plural,
                      group.empty() ? "" : ".", group, name);
  }
  plan->warn("FailedGetScale", why);
  report->set("AbleToScale", false, "FailedGetScale",
              "the HPA controller was unable to get the target's current scale: " + why);
  return {};
}

double tolerance_of(const json::value& autoscaler, const char* direction) {
  const json::value behavior = get_object(autoscaler, "spec.behavior");
  const json::value* text = find_keys(behavior, {direction, "tolerance"});
  const auto quantity = text != nullptr && text->is_string()
                            ? api::Quantity::parse(text->get_string())
                            : Result<api::Quantity>(invalid_argument("none"));
  return quantity.ok() ? static_cast<double>(quantity->milli_value()) / 1000 : 0.1;
}

Question question_of(const World& world, const json::value& autoscaler, const Target& target,
                     std::int64_t current, Instant now) {
  Question question;
  question.current = current;
  question.now = now.wall;
  question.tolerance = {tolerance_of(autoscaler, "scaleDown"), tolerance_of(autoscaler, "scaleUp")};
  question.status_replicas = get_int(*target.object, "status.replicas");
  const auto selector = selector_of(*target.object);
  if (!selector.ok()) return question;
  question.selector = selector->text();
  for (ObjectPtr& pod :
       world.in_namespace(gvr::kPods, std::string(api::namespace_of(autoscaler)))) {
    if (selector->matches(api::labels_of(*pod))) question.pods.push_back(std::move(pod));
  }
  return question;
}

struct Decision {
  std::int64_t replicas = 0;
  std::string reason;
};

// What the metrics and the rules make of it; nothing when the metrics are not known.
std::optional<Decision> decide_by_metrics(const json::value& autoscaler, const Question& question,
                                          Wish wish, const MetricsSource& metrics, Memory* memory,
                                          Report* report, Plan* plan) {
  Proposal proposal = propose(autoscaler, question, metrics);
  for (EventNote& note : proposal.events) plan->events.push_back(std::move(note));
  report->set("ScalingActive", proposal.active, proposal.reason, proposal.message);
  report->set_metrics(std::move(proposal.statuses));
  if (proposal.replicas < 0) return std::nullopt;
  wish.replicas = proposal.replicas;
  const Outcome outcome = shape(wish, find(autoscaler, "spec.behavior"), memory);
  report->set("AbleToScale", true, outcome.able_reason, outcome.able_message);
  report->set("ScalingLimited", outcome.limited, outcome.limit_reason, outcome.limit_message);
  return Decision{outcome.replicas, proposal.replicas > wish.current
                                        ? proposal.metric + " above target"
                                        : "All metrics below target"};
}

void rescale(const Target& target, const Decision& decision, Plan* plan) {
  json::value scale = json::object();
  set_path(scale, "apiVersion", json::value("autoscaling/v1"));
  set_path(scale, "kind", json::value("Scale"));
  set_path(scale, "metadata.name", json::value(api::name_of(*target.object)));
  set_path(scale, "metadata.namespace", json::value(api::namespace_of(*target.object)));
  if (const auto version = api::resource_version_of(*target.object); !version.empty()) {
    set_path(scale, "metadata.resourceVersion", json::value(version));
  }
  set_path(scale, "spec.replicas", json::value(decision.replicas));
  Write& write = plan->update_subresource(target.gvr, "scale", std::move(scale));
  write.done_reason = "SuccessfulRescale";
  write.done_message = fmt::format("New size: {}; reason: {}", decision.replicas, decision.reason);
  write.failed_reason = "FailedRescale";
  write.failed_message = write.done_message + "; error: ";
}

}  // namespace

std::vector<client::Gvr> PodAutoscalerController::watched() const {
  std::vector<client::Gvr> all{gvr::kAutoscalers, gvr::kPods};
  for (const Scalable& scalable : scalables()) all.push_back(scalable.gvr);
  return all;
}

void PodAutoscalerController::touched(const World&, const client::Gvr& gvr,
                                      const json::value* before, const json::value* after,
                                      const Enqueue& enqueue) const {
  if (gvr != gvr::kAutoscalers) return;  // those are looked at every kPeriod
  const bool same = before != nullptr && after != nullptr &&
                    api::generation_of(*before) == api::generation_of(*after) &&
                    get_object(*before, "spec") == get_object(*after, "spec");
  if (!same) enqueue(client::object_key(after != nullptr ? *after : *before));
}

Plan PodAutoscalerController::reconcile(const World& world, const std::string& key,
                                        Instant now) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr autoscaler = world.get(gvr::kAutoscalers, ns, name);
  if (autoscaler == nullptr) {
    plan.remember = json::value();
    return plan;
  }
  plan.about = autoscaler;
  if (!metrics_.answered()) {
    plan.look_again(kFirstAnswer);
    return plan;
  }
  Report report(*autoscaler, now.wall, &plan);
  const Target target = find_target(world, *autoscaler, &report, &plan);
  if (target.object == nullptr) {
    plan.look_again(kPeriod);
    report.write_down();
    return plan;
  }
  report.set("AbleToScale", true, "SucceededGetScale",
             "the HPA controller was able to get the target's current scale");
  const std::int64_t current = get_int(*target.object, "spec.replicas", 1);
  const Question question = question_of(world, *autoscaler, target, current, now);
  if (!all_answered(*autoscaler, question, metrics_)) {
    plan.look_again(kFirstAnswer);
    return plan;
  }
  plan.look_again(kPeriod);
  const Wish wish{0, current, get_int(*autoscaler, "spec.minReplicas", 1),
                  get_int(*autoscaler, "spec.maxReplicas", 1), now.wall};
  Memory memory = Memory::from_json(world.memory(key));
  if (memory.recommendations.empty()) memory.recommendations.push_back({current, now.wall});

  std::optional<Decision> decision;
  if (current == 0 && wish.least != 0) {
    report.set("ScalingActive", false, "ScalingDisabled",
               "scaling is disabled since the replica count of the target is zero");
    decision = Decision{0, {}};
  } else if (current > wish.most) {
    decision = Decision{wish.most, "Current number of replicas above Spec.MaxReplicas"};
  } else if (current < wish.least) {
    decision = Decision{wish.least, "Current number of replicas below Spec.MinReplicas"};
  } else {
    decision = decide_by_metrics(*autoscaler, question, wish, metrics_, &memory, &report, &plan);
  }
  if (decision && decision->replicas != current) {
    report.set("AbleToScale", true, "SucceededRescale",
               fmt::format("the HPA controller was able to update the target scale to {}",
                           decision->replicas));
    report.scaled();
    rescale(target, *decision, &plan);
    note_change(current, decision->replicas, now.wall, &memory);
  }
  report.set_replicas(current, decision ? std::optional(decision->replicas) : std::nullopt);
  report.write_down();
  plan.remember = memory.to_json();
  return plan;
}

}  // namespace coracle::controllers
