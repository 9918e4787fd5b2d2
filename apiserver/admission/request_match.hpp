// Which requests a policy or a webhook looks at: rules and selectors of
// admissionregistration.k8s.io. Strand only; reads namespaces from the cache.
#pragma once

#include "apiserver/admission/plugin.hpp"

namespace coracle::apiserver {

// The resource by which one of `rules` ({operations, apiGroups, apiVersions, resources, scope,
// resourceNames}) fits: the one that was asked for, else, with `equivalent`, another version of the
// same objects; nullptr: none fits.
const api::ResourceInfo* matched_resource(const Admitted& a, const json::array& rules,
                                          bool equivalent);
// {namespaceSelector, objectSelector}; absent ones fit everything.
Result<bool> selectors_match(const Admitted& a, const json::value& holder,
                             const json::value* object, const json::value* old);
// A MatchResources: rules without the excluded ones, and selectors. No rules: `otherwise`.
Result<bool> resources_match(const Admitted& a, const json::value& match, bool otherwise,
                             const json::value* object, const json::value* old);
// The AdmissionRequest as expressions and webhooks see it, in terms of the version `as`, without
// the objects.
json::value request_object(const Admitted& a, const api::ResourceInfo& as);

}  // namespace coracle::apiserver
