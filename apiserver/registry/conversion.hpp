// conversion: objects between the versions of their kind, where a CustomResourceDefinition has a
// webhook do it (ConversionReview v1) and where not.
//
// Thread: apiserver strand. Bound: kBatchMax objects a review.
#pragma once

#include "apiserver/registry/context.hpp"

namespace coracle::apiserver {

inline constexpr std::size_t kConversionBatchMax = 500;
inline constexpr Duration kConversionTimeout = std::chrono::seconds(30);

// Whether a webhook converts this request's kind.
bool converted_by_webhook(const Context& c);

// Objects (each says in which version it is) to the version of `to`, what its schema does not know
// removed and defaults filled in. Failures: 500 `conversion webhook for GROUP/VERSION, Kind=KIND
// failed: ...`.
Task<Outcome<std::vector<json::value>>> convert_all(const Machinery& m, const api::ResourceInfo& to,
                                                    std::vector<json::value> objects);
// One object of the version `from`.
Task<Outcome<json::value>> convert_version(const Machinery& m, const api::ResourceInfo& from,
                                           const api::ResourceInfo& to, json::value object);

// Puts these objects as they are served into c.converted, for the answer that is made of them.
// Only if converted_by_webhook(c).
Task<Outcome<Done>> convert_served(const Machinery& m, Context& c, std::vector<ObjectPtr> objects);
// The same of one in the storage version.
Task<Outcome<Done>> convert_served_tail(const Machinery& m, Context& c, Bytes tail);

// A cached object as it is stored: it may be in a version that was the storage version once.
json::value tree_as_stored(const api::ResourceInfo& storage, const CachedObject& object);

}  // namespace coracle::apiserver
