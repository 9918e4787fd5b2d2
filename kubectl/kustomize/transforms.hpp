// What a kustomization changes in all of its resources: names, namespace, labels, annotations,
// images, replicas. Pure.
#pragma once

#include "kustomize/resource.hpp"

namespace coracle::kustomize {

void add_affixes(const std::string& prefix, const std::string& suffix, Resources& resources);
void set_namespace(const std::string& ns, Resources& resources);

struct LabelWhere {
  bool selectors = false;  // implies templates
  bool templates = false;
};
void add_labels(const json::object& labels, LabelWhere where, Resources& resources);
void add_annotations(const json::object& annotations, Resources& resources);
// An entry of `images`: {name, newName, newTag, digest}.
void set_images(const json::value& entry, Resources& resources);
// An entry of `replicas`: {name, count}. NotFound: nothing of that name has replicas.
Status set_replicas(const json::value& entry, Resources& resources);

// The order in which `kubectl kustomize` prints: what others need comes first.
void sort_for_creation(Resources& resources);

}  // namespace coracle::kustomize
