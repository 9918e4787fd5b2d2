// patcher: patch documents of a request, and what they make of an object. Pure.
#pragma once

#include <string>
#include <vector>

#include "apiserver/registry/codec.hpp"

namespace coracle::apiserver {

struct Patch {
  std::string type;  // the media type
  bool apply = false;
  json::value document;
  std::vector<std::string> faults;  // of the document: repeated and unknown members
  FieldValidation strictness = FieldValidation::kWarn;
};

// 415 for other media types; 400 for documents that are no patch; 413 for endless ones.
Outcome<Patch> parse_patch(const net::Request& request);
// An object after a patch that is no apply, typed and checked: what is unknown becomes a warning or
// 422, as asked.
Outcome<json::value> patched_object(Context& c, const Patch& patch, const json::value& current,
                                    const api::Schema& schema);
// An apply needs a manager; repeated members become warnings or 400.
Outcome<Done> check_apply(Context& c, const Patch& patch);

}  // namespace coracle::apiserver
