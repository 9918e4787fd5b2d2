#include "config/node_affinity_args.hpp"

#include "api/label_checks.hpp"

namespace coracle::scheduler {
namespace {

using api::FieldErrors;
using api::FieldPath;
using api::LabelOp;

struct Rule {
  std::string key, op;
  std::vector<std::string> values;
};

std::vector<Rule> read_rules(ObjectReader& term, const char* list, FormErrors& form) {
  std::vector<Rule> rules;
  size_t i = 0;
  for (const json::value& raw : term.list(list)) {
    ObjectReader in(raw, term.path(list, i++), form);
    Rule& rule = rules.emplace_back();
    in.read("key", &rule.key);
    in.read("operator", &rule.op);
    in.read("values", &rule.values);
  }
  return rules;
}

void check_label_rule(const Rule& rule, const FieldPath& at, FieldErrors& errors) {
  static const std::vector<std::pair<std::string, LabelOp>> kOps = {
      {"In", LabelOp::kIn},         {"NotIn", LabelOp::kNotIn},
      {"Exists", LabelOp::kExists}, {"DoesNotExist", LabelOp::kNotExists},
      {"Gt", LabelOp::kGreater},    {"Lt", LabelOp::kLess}};
  std::vector<std::string> known;
  for (const auto& [name, op] : kOps) {
    if (name == rule.op) return check_label_requirement({rule.key, op, rule.values}, at, errors);
    known.push_back(name);
  }
  errors.not_supported(at.child("operator"), rule.op, known);
}

void check_field_rule(const Rule& rule, const FieldPath& at, FieldErrors& errors) {
  if (rule.op != "In" && rule.op != "NotIn") {
    return errors.not_supported(at.child("operator"), rule.op, {"In", "NotIn"});
  }
  if (rule.values.size() == 1) return;
  json::array values;
  for (const std::string& value : rule.values) values.emplace_back(value);
  errors.invalid(at.child("values"), json::value(std::move(values)), "must have one element");
}

// `counts`: a term that counts nothing is not looked at.
void read_term(const json::value& raw, const std::string& form_path, const FieldPath& path,
               bool counts, FormErrors& form, FieldErrors& errors) {
  ObjectReader in(raw, form_path, form);
  const auto labels = read_rules(in, "matchExpressions", form);
  const auto fields = read_rules(in, "matchFields", form);
  if (!counts) return;
  for (size_t i = 0; i < labels.size(); ++i) {
    check_label_rule(labels[i], path.child("matchExpressions").index(i), errors);
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    check_field_rule(fields[i], path.child("matchFields").index(i), errors);
  }
}

}  // namespace

void read_node_affinity(ObjectReader& in, const FieldPath& path, FormErrors& form,
                        FieldErrors& errors, NodeAffinityArgs* args) {
  const json::value* raw = in.find("addedAffinity");
  if (raw == nullptr) return;
  ObjectReader added(*raw, in.path("addedAffinity"), form);
  const char* required = "requiredDuringSchedulingIgnoredDuringExecution";
  const char* preferred = "preferredDuringSchedulingIgnoredDuringExecution";
  const FieldPath at = path.child("addedAffinity");
  if (const json::value* selector = added.find(required)) {
    args->required = true;
    ObjectReader terms(*selector, added.path(required), form);
    size_t i = 0;
    for (const json::value& term : terms.list("nodeSelectorTerms")) {
      read_term(term, terms.path("nodeSelectorTerms", i),
                at.child(required).child("nodeSelectorTerms").index(i), true, form, errors);
      args->terms.push_back(api::NodeSelectorTerm::parse(term));
      ++i;
    }
  }
  size_t i = 0;
  for (const json::value& weighted : added.list(preferred)) {
    ObjectReader one(weighted, added.path(preferred, i), form);
    std::int64_t weight = 0;
    one.read("weight", &weight);
    // As upstream has it: the path of a preferred rule says nothing of `preference`.
    if (const json::value* term = one.find("preference")) {
      read_term(*term, one.path("preference"), at.child(preferred).index(i), weight != 0, form,
                errors);
    }
    ++i;
  }
  args->preferred = api::parse_preferred_nodes(added.list(preferred));
}

}  // namespace coracle::scheduler
