// Selection: which objects a list or watch is about, from namespace, name, labels and fields. Pure.
#pragma once

#include "api/selectors.hpp"
#include "apiserver/registry/context.hpp"

namespace coracle::apiserver {

class Selection {
 public:
  // 400 for selectors that do not parse or ask for fields the resource has not.
  static Outcome<Selection> parse(const Context& c);

  bool matches(const CachedObject& object) const;
  // No selector beyond the namespace: counts can be told.
  bool everything() const { return labels_.is_everything() && fields_.empty(); }
  const WatchScope& scope() const { return scope_; }

 private:
  struct FieldTest {
    int index = 0;  // into the cached fields, or kName, kNamespace
    bool equals = true;
    std::string value;
  };
  static constexpr int kName = -1, kNamespace = -2;

  api::LabelSelector labels_;
  api::FieldSelector fields_;
  std::vector<FieldTest> tests_;
  WatchScope scope_;
};

}  // namespace coracle::apiserver
