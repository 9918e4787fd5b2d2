// CustomKind: what one CustomResourceDefinition adds to the catalog: its served versions, compiled.
// Also the parts of the definition's life that are decided, not done: names, conditions. Pure.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/catalog.hpp"
#include "api/custom_schema.hpp"

namespace coracle::api {

inline constexpr std::string_view kCustomFinalizer = "customresourcecleanup.apiextensions.k8s.io";

class CustomKind {
 public:
  // `base`: has the definitions that the schema refers to (ObjectMeta). InvalidArgument when the
  // definition cannot be served.
  static Result<std::shared_ptr<const CustomKind>> compile(const json::value& definition,
                                                           const SchemaSet& base,
                                                           CustomRules rules = nullptr);

  const std::string& name() const { return name_; }  // "crontabs.example.com"
  const std::vector<ResourceInfo>& versions() const {
    return versions_;
  }  // served ones and storage
  const ResourceInfo& storage() const;
  // spec.conversion.webhook when that converts between the versions, else null.
  const json::value& conversion_webhook() const { return conversion_webhook_; }
  bool owns(const ResourceInfo& info) const;

 private:
  CustomKind() = default;
  std::string name_;
  SchemaSet schemas_;
  std::vector<ResourceInfo> versions_;
  json::value conversion_webhook_;
};

// Names that other definitions of the group hold.
struct NamesInUse {
  std::set<std::string, std::less<>> resources, kinds;
  // Adds those of a definition's status.acceptedNames.
  void add(const json::value& definition);
};

// The status as it should be: acceptedNames, conditions NamesAccepted and Established. `now` is for
// conditions that change.
json::value settled_definition(const json::value& definition, const NamesInUse& others,
                               std::string_view now);
bool definition_condition(const json::value& definition, std::string_view type);
void set_definition_condition(json::value& definition, std::string_view type, bool status,
                              std::string_view reason, std::string_view message,
                              std::string_view now);

}  // namespace coracle::api
