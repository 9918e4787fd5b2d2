// The read-only API of decisions: what an aggregated API server for lab.coracle.dev/v1alpha1
// answers. Pure.
//
//   /apis/lab.coracle.dev/v1alpha1                                        what there is
//   .../schedulingdecisions, .../namespaces/NS/schedulingdecisions        summed up
//   .../namespaces/NS/schedulingdecisions/POD                             whole
#pragma once

#include <string>
#include <string_view>

#include "why/decision_log.hpp"

namespace coracle::scheduler {

struct DecisionsAnswer {
  int http = 200;
  json::value body;
};
DecisionsAnswer bad_request(const std::string& message);
DecisionsAnswer not_leading();
// `leads`: who does not lead decides nothing, and says so (503).
DecisionsAnswer answer_decisions(std::string_view method, std::string_view path, bool selects,
                                 const DecisionLog& log, bool leads);

}  // namespace coracle::scheduler
