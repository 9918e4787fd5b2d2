// patch: applying and making patches, as upstream's apiserver and kubectl do. Pure; inputs are not
// changed, a failed patch leaves nothing half done.
// Errors: InvalidArgument = the patch document is bad (400); FailedPrecondition = it cannot be
// applied to this object (422): missing path, failed test.
#pragma once

#include "api/schema.hpp"
#include "base/json.hpp"

namespace coracle::api {

// RFC 6902. At most 10000 operations.
Result<json::value> apply_json_patch(const json::value& document, const json::value& patch);
// RFC 7386.
json::value apply_merge_patch(json::value document, const json::value& patch);
// Strategic merge: merge keys, lists of primitives, $patch: delete | replace | merge, $retainKeys,
// $setElementOrder/x, $deleteFromPrimitiveList/x. schema may be nullptr: then like a merge patch.
Result<json::value> apply_strategic_patch(const json::value& document, const json::value& patch,
                                          const Schema* schema);

struct PatchMakeOptions {
  bool overwrite = true;  // false: a change both sides made differently is FailedPrecondition
  bool set_element_order = true;
};

// The patch that makes `modified` of `original`.
Result<json::value> create_two_way_merge_patch(const json::value& original,
                                               const json::value& modified, const Schema* schema,
                                               const PatchMakeOptions& options = {});
// kubectl apply: additions and changes from `current` to `modified`, deletions from `original`
// (last applied; null when there is none) to `modified`.
Result<json::value> create_three_way_merge_patch(const json::value& original,
                                                 const json::value& modified,
                                                 const json::value& current, const Schema* schema,
                                                 const PatchMakeOptions& options = {});
// RFC 7386 patches, for kinds without strategic merge.
json::value create_json_merge_patch(const json::value& original, const json::value& modified);
json::value create_three_way_json_merge_patch(const json::value& original,
                                              const json::value& modified,
                                              const json::value& current);

}  // namespace coracle::api
