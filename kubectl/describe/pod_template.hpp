// The pieces of pods and pod templates that `describe` prints. Pure.
#pragma once

#include <string>

#include "describe/writer.hpp"

namespace coracle::kubectl {

// `statuses`: the container statuses of a pod, or an empty array for templates. `space`: what
// templates are indented by. `pod`: whose fields variables may show; null for templates.
void write_containers(DescribeWriter& out, std::string_view label, const json::array& containers,
                      const json::array& statuses, std::string_view space,
                      const json::value* pod = nullptr);
void write_volumes(DescribeWriter& out, const json::array& volumes, std::string_view space);
// What is behind a volume: "Type:" and its fields, of the one source that `holder` names.
void write_volume_source(DescribeWriter& out, const json::value& holder);
void write_tolerations(DescribeWriter& out, std::string_view title, const json::array& tolerations);
// "Pod Template:" and all of it.
void write_pod_template(DescribeWriter& out, const json::value& pod_template);
// The same for `rollout history --revision`: without the title, tabs left as they are.
std::string describe_history_template(const json::value& pod_template);

}  // namespace coracle::kubectl
