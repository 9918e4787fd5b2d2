// convert_autoscaler: HorizontalPodAutoscaler between autoscaling/v1 and v2. Internal to api; pure;
// any tree is taken, apiVersion is the caller's.
#pragma once

#include "base/json.hpp"

namespace coracle::api {

void autoscaler_to_v1(json::value& object);
void autoscaler_from_v1(json::value& object);

}  // namespace coracle::api
