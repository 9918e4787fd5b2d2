#include "config/scoring_args.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "framework/plugin.hpp"

namespace coracle::scheduler {
namespace {

using api::FieldErrors;
using api::FieldPath;

// {name, weight}; a weight of 0 is one that was not said.
std::vector<ResourceWeight> read_resources(ObjectReader& in, FormErrors& form) {
  std::vector<ResourceWeight> resources;
  size_t i = 0;
  for (const json::value& raw : in.list("resources")) {
    ObjectReader one(raw, in.path("resources", i++), form);
    ResourceWeight resource{{}, 0};
    one.read("name", &resource.name);
    one.read("weight", &resource.weight);
    if (resource.weight == 0) resource.weight = 1;
    resources.push_back(std::move(resource));
  }
  return resources;
}

constexpr std::int64_t kCurveScoreMax = 10;  // in the file; times 10 when it scores

void read_shape(const json::value& raw, const std::string& form_path, const FieldPath& path,
                FormErrors& form, FieldErrors& errors, ScoringStrategy& strategy) {
  ObjectReader in(raw, form_path, form);
  const json::array& points = in.list("shape");
  const FieldPath at = path.child("shape");
  if (points.empty()) return errors.required(at, "at least one point must be specified");
  bool sorted = true;
  for (size_t i = 0; i < points.size(); ++i) {
    ObjectReader point(points[i], in.path("shape", i), form);
    std::int64_t utilization = 0, score = 0;
    point.read("utilization", &utilization);
    point.read("score", &score);
    if (sorted && i > 0 && strategy.shape.back().first >= utilization) {
      sorted = false;
      errors.invalid(at.index(i).child("utilization"), utilization,
                     "values must be sorted in increasing order");
    }
    strategy.shape.emplace_back(utilization, score);
  }
  for (size_t i = 0; i < points.size(); ++i) {
    auto& [utilization, score] = strategy.shape[i];
    if (utilization < 0 || utilization > 100) {
      errors.invalid(at.index(i).child("utilization"), utilization, "not in valid range [0, 100]");
    }
    if (score < 0 || score > kCurveScoreMax) {
      errors.invalid(at.index(i).child("score"), score, "not in valid range [0, 10]");
      continue;
    }
    score *= kScoreMax / kCurveScoreMax;
  }
}

void read_strategy(const json::value& raw, const std::string& form_path, const FieldPath& at,
                   FormErrors& form, FieldErrors& errors, ScoringStrategy* strategy) {
  ObjectReader in(raw, form_path, form);
  std::string type;
  in.read("type", &type);
  strategy->type = type == "MostAllocated" ? ScoringStrategy::Type::kMostAllocated
                   : type == "RequestedToCapacityRatio"
                       ? ScoringStrategy::Type::kRequestedToCapacityRatio
                       : ScoringStrategy::Type::kLeastAllocated;
  if (type != "LeastAllocated" && type != "MostAllocated" && type != "RequestedToCapacityRatio") {
    errors.not_supported(at.child("type"), type,
                         {"LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"});
  }
  auto resources = read_resources(in, form);
  for (size_t i = 0; i < resources.size(); ++i) {
    if (resources[i].weight > 0 && resources[i].weight <= 100) continue;
    errors.invalid(
        at.child("resources").index(i).child("weight"), resources[i].weight,
        fmt::format("resource weight of {} not in valid range (0, 100]", resources[i].name));
  }
  if (!resources.empty()) strategy->resources = std::move(resources);
  const json::value* ratio = in.find("requestedToCapacityRatio");
  const FieldPath of_ratio = at.child("requestedToCapacityRatio");
  const bool by_curve = type == "RequestedToCapacityRatio";
  if (by_curve && ratio == nullptr) {
    errors.required(of_ratio, "must be specified when type is RequestedToCapacityRatio");
  } else if (!by_curve && ratio != nullptr) {
    errors.forbidden(of_ratio, "must be nil when type is not RequestedToCapacityRatio");
  } else if (by_curve) {
    read_shape(*ratio, in.path("requestedToCapacityRatio"), of_ratio, form, errors, *strategy);
  }
}

}  // namespace

void read_fit(ObjectReader& in, const FieldPath& path, FormErrors& form, FieldErrors& errors,
              FitArgs* args) {
  std::vector<std::string> ignored, groups;
  in.read("ignoredResources", &ignored);
  in.read("ignoredResourceGroups", &groups);
  for (size_t i = 0; i < ignored.size(); ++i) {
    errors.invalid_each(path.child("ignoredResources").index(i), ignored[i],
                        api::check_qualified_name(ignored[i]));
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    const FieldPath at = path.child("ignoredResourceGroups").index(i);
    if (groups[i].find('/') != std::string::npos) {
      errors.invalid(at, groups[i], "resource group name can't contain '/'");
    }
    errors.invalid_each(at, groups[i], api::check_qualified_name(groups[i]));
  }
  args->ignored.insert(ignored.begin(), ignored.end());
  args->ignored_groups.insert(groups.begin(), groups.end());
  if (const json::value* strategy = in.find("scoringStrategy")) {
    read_strategy(*strategy, in.path("scoringStrategy"), path.child("scoringStrategy"), form,
                  errors, &args->strategy);
  }
}

void read_balanced(ObjectReader& in, const FieldPath& path, FormErrors& form, FieldErrors& errors,
                   std::vector<ResourceWeight>* resources) {
  const auto said = read_resources(in, form);
  for (size_t i = 0; i < said.size(); ++i) {
    const FieldPath at = path.child("resources").index(i);
    for (size_t before = 0; before < i; ++before) {
      if (said[before].name != said[i].name) continue;
      errors.duplicate(at.child("name"), said[i].name);
      break;
    }
    if (said[i].weight != 1) errors.invalid(at.child("weight"), said[i].weight, "must be 1");
  }
  if (!said.empty()) *resources = said;
}

}  // namespace coracle::scheduler
