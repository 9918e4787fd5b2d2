// Custom kinds: what the CustomResourceDefinitions of a cluster add to the built-in kinds. Pure.
#pragma once

#include <string>
#include <vector>

#include "controllers/world.hpp"

namespace coracle::controllers {

struct CustomKind {
  client::Gvr gvr;  // the version that is stored, or the first that is served
  std::string kind;
};

// Those that are served (condition Established) and that the world follows, by name of the
// definition.
std::vector<CustomKind> custom_kinds(const World& world);
// Of one definition; `kind` is empty while it is not served.
CustomKind custom_kind_of(const json::value& definition);

}  // namespace coracle::controllers
