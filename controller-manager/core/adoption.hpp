// Adoption: which orphans a selector may take, and which selectors may take an orphan, found by a
// label and not by a look at everybody: a namespace may hold tens of thousands of each.
//
// A selector that demands a label (`key: value`, or `key in (value)`) is filed under the first of
// those it demands, an orphan under all it has; a selector without is filed under the namespace
// alone. So what these find holds everybody that matches, and is to be matched still.
#pragma once

#include <string>
#include <vector>

#include "api/selectors.hpp"
#include "client/object_cache.hpp"

namespace coracle::controllers {

// spec.selector of whatever owns pods.
Result<api::LabelSelector> selector_of(const json::value& owner);

// The functions of kOrphanIndex and kAdopterIndex (controller.hpp).
std::vector<std::string> index_orphan(const json::value& object);
std::vector<std::string> index_adopter(const json::value& owner);

// Of a namespace, in key order.
std::vector<client::ObjectPtr> orphans_for(const client::ObjectCache& cache, const std::string& ns,
                                           const api::LabelSelector& selector);
std::vector<client::ObjectPtr> adopters_of(const client::ObjectCache& owners,
                                           const json::value& orphan);

}  // namespace coracle::controllers
