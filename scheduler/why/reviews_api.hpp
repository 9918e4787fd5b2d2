// SchedulingReview (lab.coracle.dev/v1alpha1, docs/formats/scheduling-review.md): a question that
// is posted and answered, and not stored: what would be decided about this pod, if. Pure.
//
//   POST .../namespaces/NS/schedulingreviews
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "why/decisions_api.hpp"
#include "why/what_if.hpp"

namespace coracle::scheduler {

// The namespace, if this is where reviews are posted.
std::optional<std::string> review_namespace(std::string_view path);

// What is asked; the world is the scheduler's.
struct ReviewWorld {
  const std::map<std::string, Profile>& profiles;
  const Cache& cache;
  bool leads = false;                  // else 503
  std::vector<std::string> extenders;  // who would be asked about a pod, and is not
};
// 201, and the review with its status; 400 names the field that is wrong.
DecisionsAnswer answer_review(const std::string& ns, std::string_view body,
                              const ReviewWorld& world);

}  // namespace coracle::scheduler
