#include "why/reviews_api.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"
#include "config/config.hpp"
#include "config/object_reader.hpp"
#include "why/decision_object.hpp"

namespace coracle::scheduler {
namespace {

struct Review {
  WhatIf question;
  std::string config;  // a KubeSchedulerConfiguration; empty: the scheduler's own
};

Status read_objects(ObjectReader& spec, const char* name, std::vector<json::value>* out) {
  size_t i = 0;
  for (const json::value& one : spec.list(name)) {
    if (!one.is_object()) {
      return invalid_argument(fmt::format("{}: want an object", spec.path(name, i)));
    }
    out->push_back(one);
    ++i;
  }
  return {};
}

Status read_weights(ObjectReader& spec, WhatIf* question) {
  const json::value* weights = spec.find("weights");
  if (weights == nullptr) return {};
  if (!weights->is_object()) return invalid_argument("spec.weights: want an object");
  for (const auto& [name, weight] : weights->as_object()) {
    if (!weight.is_int64()) {
      return invalid_argument(
          fmt::format("spec.weights.{}: want a whole number", std::string_view(name)));
    }
    question->weights.emplace(name, weight.as_int64());
  }
  return {};
}

Result<Review> read_review(const json::value& object) {
  FormErrors form;
  Review review;
  WhatIf& question = review.question;
  question.suggest = true;
  {
    ObjectReader in(object, "", form);
    std::string version, kind;
    in.read("apiVersion", &version);
    in.read("kind", &kind);
    if (version != kDecisionVersion || kind != "SchedulingReview") {
      return invalid_argument(
          fmt::format("want apiVersion {}, kind SchedulingReview", kDecisionVersion));
    }
    for (const char* ignored : {"metadata", "status"}) in.skip(ignored);
    const json::value* raw = in.find("spec");
    if (raw == nullptr) return invalid_argument("spec: Required value");
    ObjectReader spec(*raw, "spec", form);
    if (const json::value* pod = spec.find("pod")) question.pod = *pod;
    spec.read("copies", &question.copies);
    spec.read("withoutNodes", &question.without_nodes);
    spec.read("withoutPods", &question.without_pods);
    spec.read("suggest", &question.suggest);
    spec.read("config", &review.config);
    RETURN_IF_ERROR(read_objects(spec, "nodes", &question.nodes));
    RETURN_IF_ERROR(read_weights(spec, &question));
  }
  RETURN_IF_ERROR(form.status());
  if (!question.pod.is_object() || get_array(question.pod, "spec.containers").empty()) {
    return invalid_argument("spec.pod: want a Pod with containers");
  }
  return review;
}

Result<Profile> profile_for(const Review& review, const ReviewWorld& world) {
  const std::string name(
      get_string(review.question.pod, "spec.schedulerName", "default-scheduler"));
  std::map<std::string, Profile> own;
  const std::map<std::string, Profile>* profiles = &world.profiles;
  if (!review.config.empty()) {
    Config config;
    const Status parsed = parse_config(review.config, &config);
    if (!parsed.ok()) return parsed.with_context("spec.config");
    for (Profile& profile : config.profiles) own.emplace(profile.name, profile);
    profiles = &own;
  }
  const auto found = profiles->find(name);
  if (found != profiles->end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [profile, ignored] : *profiles) known.push_back(profile);
  return invalid_argument(
      fmt::format("spec.pod.spec.schedulerName: \"{}\" is no profile of this scheduler; it has {}",
                  name, join(known, ", ")));
}

json::object status_of(const WhatIfAnswer& answer) {
  json::object status =
      decision_object({answer.decision, 0, WallTime()}, true).at("status").as_object();
  status["placed"] = answer.placed;
  json::object by_node;
  for (const auto& [node, pods] : answer.pods_by_node) by_node[node] = pods;
  status["podsByNode"] = std::move(by_node);
  if (!answer.not_asked.empty()) {
    status["notAsked"] = json::array(answer.not_asked.begin(), answer.not_asked.end());
  }
  json::array changes;
  for (const SingleChange& change : answer.changes) {
    changes.push_back(json::object{{"kind", change.kind},
                                   {"size", change.size},
                                   {"text", change.text},
                                   {"node", change.node}});
  }
  status["changes"] = std::move(changes);
  return status;
}

}  // namespace

std::optional<std::string> review_namespace(std::string_view path) {
  const std::string root = std::string("/apis/") + kDecisionVersion + "/namespaces/";
  if (!path.starts_with(root)) return std::nullopt;
  const auto parts = split(path.substr(root.size()), '/');
  if (parts.size() != 2 || parts[1] != "schedulingreviews") return std::nullopt;
  return parts[0];
}

DecisionsAnswer answer_review(const std::string& ns, std::string_view body,
                              const ReviewWorld& world) {
  if (!world.leads) return not_leading();
  auto object = parse_json(body);
  if (!object.ok()) return bad_request(object.status().message());
  auto review = read_review(*object);
  if (!review.ok()) return bad_request(review.status().message());
  set_path(review->question.pod, "metadata.namespace", json::value(ns));
  const auto profile = profile_for(*review, world);
  if (!profile.ok()) return bad_request(profile.status().message());
  auto answer = answer_what_if(review->question, *profile, world.cache);
  if (!answer.ok()) return bad_request(answer.status().message());
  answer->not_asked.insert(answer->not_asked.end(), world.extenders.begin(), world.extenders.end());
  object->as_object()["status"] = status_of(*answer);
  return {201, std::move(*object)};
}

}  // namespace coracle::scheduler
