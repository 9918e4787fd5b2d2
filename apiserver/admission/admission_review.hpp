// AdmissionReview: the question to an admission webhook and what its answer means. Pure.
#pragma once

#include <map>
#include <string>

#include "api/catalog.hpp"
#include "apiserver/chain/outcome.hpp"

namespace coracle::apiserver {

// A good answer.
struct AdmissionVerdict {
  bool allowed = false;
  json::value patch;   // a JSON patch; null when there is none
  json::value result;  // the Status of a refusal; null when there is none
  std::map<std::string, std::string> annotations;
  std::vector<std::string> warnings;
};

// {kind: AdmissionReview, apiVersion: admission.k8s.io/VERSION, request}.
json::value admission_review(std::string_view version, json::value request);
// InvalidArgument for what is no answer to the review `uid`, in upstream's words.
Result<AdmissionVerdict> read_admission_answer(const json::value& answer, std::string_view version,
                                               std::string_view uid, bool mutating);
// `admission webhook "x" denied the request: WHY` with the answer's code and reason.
api::ApiError webhook_denial(std::string_view name, const json::value& result);

}  // namespace coracle::apiserver
