// Names that objects of a kustomization call each other by. Pure.
#pragma once

#include "kustomize/resource.hpp"

namespace coracle::kustomize {

// Every reference to a name that one of the resources has had becomes that one's name now.
void follow_names(Resources& resources);

}  // namespace coracle::kustomize
