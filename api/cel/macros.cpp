#include "api/cel/macros.hpp"

namespace coracle::api::cel {

namespace {

struct Macro {
  std::string_view name;
  std::size_t variables;
  std::size_t expressions;
  Fold fold;
};

constexpr Macro kMacros[] = {
    {"all", 1, 1, Fold::kAll},
    {"all", 2, 1, Fold::kAll},
    {"exists", 1, 1, Fold::kExists},
    {"exists", 2, 1, Fold::kExists},
    {"exists_one", 1, 1, Fold::kExistsOne},
    {"existsOne", 1, 1, Fold::kExistsOne},
    {"existsOne", 2, 1, Fold::kExistsOne},
    {"map", 1, 1, Fold::kMap},
    {"map", 1, 2, Fold::kMapFilter},
    {"filter", 1, 1, Fold::kFilter},
    {"sortBy", 1, 1, Fold::kSortBy},
    {"transformList", 2, 1, Fold::kTransformList},
    {"transformList", 2, 2, Fold::kTransformListFilter},
    {"transformMap", 2, 1, Fold::kTransformMap},
    {"transformMap", 2, 2, Fold::kTransformMapFilter},
    {"transformMapEntry", 2, 1, Fold::kTransformMapEntry},
    {"transformMapEntry", 2, 2, Fold::kTransformMapEntryFilter},
};

// Takes the names from the front of the arguments.
bool take_names(std::vector<NodePtr>& args, std::size_t count, Node& out, std::string& error) {
  for (std::size_t i = 0; i < count; ++i) {
    if (args[i]->op != Op::kIdent) {
      error = "argument must be a simple name";
      return false;
    }
  }
  out.var = args[0]->name;
  if (count == 2) out.var2 = args[1]->name;
  if (count == 2 && out.var == out.var2) {
    error = "duplicate variable name: " + out.var;
    return false;
  }
  for (std::size_t i = count; i < args.size(); ++i) out.kids.push_back(std::move(args[i]));
  return true;
}

}  // namespace

NodePtr expand_macro(const Node& target, std::string_view name, std::vector<NodePtr>& args,
                     std::string& error) {
  auto out = std::make_unique<Node>();
  if (name == "bind" && target.op == Op::kIdent && target.name == "cel" && args.size() == 3) {
    out->op = Op::kBind;
    return take_names(args, 1, *out, error) ? std::move(out) : nullptr;
  }
  if ((name == "optMap" || name == "optFlatMap") && args.size() == 2) {
    out->op = Op::kOptMap;
    out->optional = name == "optFlatMap";
    return take_names(args, 1, *out, error) ? std::move(out) : nullptr;
  }
  for (const Macro& macro : kMacros) {
    if (macro.name != name || macro.variables + macro.expressions != args.size()) continue;
    out->op = Op::kFold;
    out->fold = macro.fold;
    return take_names(args, macro.variables, *out, error) ? std::move(out) : nullptr;
  }
  return nullptr;
}

}  // namespace coracle::api::cel
