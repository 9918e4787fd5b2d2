// What the `create NOUN` commands, run, expose and autoscale share.
#pragma once

#include <string>
#include <vector>

#include "kubectl/write.hpp"

namespace coracle::kubectl {

// {apiVersion, kind, metadata: {creationTimestamp: null, name}}, as kubectl prints new objects.
json::value new_object(const std::string& api_version, const std::string& kind,
                       const std::string& name);
// The one argument; `exactly one NAME is required, got 2`.
Result<std::string> exact_name(const Invocation& call);
// `--raw /path -f FILE`: the file as it is.
Status send_raw(Invocation& call, const std::string& method);
// -o, --dry-run, --field-manager, --validate, --save-config
std::vector<text::FlagSpec> create_flags(const std::string& field_manager = "kubectl-create");
// Sends it (or not: --dry-run) and prints what was done. With `failure` an error of the server
// reads "error: FAILURE: message".
Status create_object(Invocation& call, json::value object, const std::string& failure);
Status create_object(Invocation& call, WriteReport& report, json::value object,
                     const std::string& failure, const std::string& done = "created");
// The parameter for --validate: Strict, Warn, Ignore.
std::string field_validation(const std::string& validate);

}  // namespace coracle::kubectl
