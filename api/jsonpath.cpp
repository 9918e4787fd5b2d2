#include "api/jsonpath.hpp"

#include <algorithm>

#include "api/jsonpath_node.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

using Kind = JsonPathNode::Kind;
using Values = std::vector<const json::value*>;

std::vector<const json::value*> members_by_key(const json::object& object) {
  std::vector<const json::object::value_type*> members;
  for (const auto& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->key() < b->key(); });
  Values out;
  for (const auto* member : members) out.push_back(&member->value());
  return out;
}

Values children_of(const json::value& value) {
  if (const json::object* object = value.if_object()) return members_by_key(*object);
  Values out;
  if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) out.push_back(&item);
  }
  return out;
}

bool is_number(const json::value& v) { return v.is_number(); }

Result<bool> compare(const json::value& left, std::string_view op, const json::value& right) {
  if (op == "==" || op == "!=") {
    const bool equal = is_number(left) && is_number(right)
                           ? left.to_number<double>() == right.to_number<double>()
                           : left == right;
    return equal == (op == "==");
  }
  int order = 0;
  if (is_number(left) && is_number(right)) {
    const double a = left.to_number<double>();
    const double b = right.to_number<double>();
    order = a < b ? -1 : a > b ? 1 : 0;
  } else if (left.is_string() && right.is_string()) {
    order = std::string_view(left.as_string()).compare(right.as_string());
  } else {
    return invalid_argument("incompatible types for comparison");
  }
  if (op == "<") return order < 0;
  if (op == ">") return order > 0;
  if (op == "<=") return order <= 0;
  if (op == ">=") return order >= 0;
  return invalid_argument("unrecognized filter operator " + std::string(op));
}

// Each `..` may lead to the same values again: many of them would fill the memory.
constexpr std::size_t kValuesMax = 10'000'000;

class Evaluator {
 public:
  explicit Evaluator(bool allow_missing) : allow_missing_(allow_missing) {}

  Status block(const JsonPathNodes& nodes, const json::value& root, std::vector<Values>& out) {
    for (const auto& node : nodes) {
      if (node->kind == Kind::kLiteral) {
        out.push_back({&node->literal});
        continue;
      }
      Values found;
      RETURN_IF_ERROR(steps(node->children, {&root}, found));
      if (node->kind == Kind::kAction) {
        out.push_back(std::move(found));
        continue;
      }
      for (const json::value* value : found) RETURN_IF_ERROR(block(node->body, *value, out));
    }
    return {};
  }

  Status steps(const JsonPathNodes& nodes, Values input, Values& out) {
    for (const auto& node : nodes) {
      Values next;
      RETURN_IF_ERROR(step(*node, input, next));
      total_ += next.size();
      if (total_ > kValuesMax) return invalid_argument("the path leads to too many values");
      input = std::move(next);
    }
    out = std::move(input);
    return {};
  }

 private:
  Status step(const JsonPathNode& node, const Values& input, Values& out) {
    switch (node.kind) {
      case Kind::kLiteral:
        out.push_back(&node.literal);
        return {};
      case Kind::kField:
        return field(node, input, out);
      case Kind::kSlice:
        return slice(node, input, out);
      case Kind::kFilter:
        return filter(node, input, out);
      case Kind::kUnion:
        for (const JsonPathNodes& part : node.alternatives) {
          Values found;
          RETURN_IF_ERROR(steps(part, input, found));
          out.insert(out.end(), found.begin(), found.end());
        }
        return {};
      case Kind::kWildcard:
        for (const json::value* value : input) {
          const Values children = children_of(*value);
          out.insert(out.end(), children.begin(), children.end());
        }
        return {};
      case Kind::kRecursive:
        for (const json::value* value : input) recurse(*value, out);
        return {};
      case Kind::kAction:
      case Kind::kRange:
        break;
    }
    return internal_error("an action inside an action");
  }

  static void recurse(const json::value& value, Values& out) {
    const Values children = children_of(value);
    if (children.empty() || out.size() > kValuesMax) return;
    out.push_back(&value);
    for (const json::value* child : children) recurse(*child, out);
  }

  Status field(const JsonPathNode& node, const Values& input, Values& out) const {
    if (node.name.empty()) {
      out = input;
      return {};
    }
    for (const json::value* value : input) {
      const json::value* member = find_member(*value, node.name);
      if (member != nullptr) out.push_back(member);
    }
    if (out.empty() && !allow_missing_) return invalid_argument(node.name + " is not found");
    return {};
  }

  Status slice(const JsonPathNode& node, const Values& input, Values& out) const {
    for (const json::value* value : input) {
      if (value->is_null()) continue;
      const json::array* array = value->if_array();
      if (array == nullptr) {
        return invalid_argument(jsonpath_text(*value) + " is not array or slice");
      }
      const int size = static_cast<int>(array->size());
      int from = node.bounds[0].value_or(0);
      if (from < 0) from += size;
      int to = node.single ? from + 1 : node.bounds[1].value_or(size);
      if (!node.single && to < 0) to += size;
      if (to == from) return {};
      if (from >= size || from < 0) return out_of_bounds(from, size);
      if (to > size || to < 0) return out_of_bounds(to - 1, size);
      if (from > to) {
        return invalid_argument("starting index " + std::to_string(from) +
                                " is greater than ending index " + std::to_string(to));
      }
      const int stride = node.bounds[2].value_or(1);
      if (stride <= 0) return invalid_argument("step must be > 0");
      for (int i = from; i < to; i += stride) {
        out.push_back(&(*array)[static_cast<std::size_t>(i)]);
      }
    }
    return {};
  }

  static Status out_of_bounds(int index, int size) {
    return invalid_argument("array index out of bounds: index " + std::to_string(index) +
                            ", length " + std::to_string(size));
  }

  Status filter(const JsonPathNode& node, const Values& input, Values& out) {
    for (const json::value* value : input) {
      const json::array* array = value->if_array();
      if (array == nullptr) {
        return invalid_argument(jsonpath_text(*value) +
                                " is not array or slice and cannot be filtered");
      }
      for (const json::value& item : *array) {
        Values left;
        const Status status = steps(node.alternatives[0], {&item}, left);
        if (node.name == "exists") {
          if (!left.empty()) out.push_back(&item);
          continue;
        }
        RETURN_IF_ERROR(status);
        Values right;
        RETURN_IF_ERROR(steps(node.alternatives[1], {&item}, right));
        if (left.empty() || right.empty()) continue;
        if (left.size() > 1 || right.size() > 1) {
          return invalid_argument("can only compare one element at a time");
        }
        ASSIGN_OR_RETURN(const bool pass, compare(*left[0], node.name, *right[0]));
        if (pass) out.push_back(&item);
      }
    }
    return {};
  }

  bool allow_missing_;
  std::size_t total_ = 0;  // values met on the way
};

}  // namespace

JsonPath::JsonPath() = default;
JsonPath::JsonPath(JsonPath&&) noexcept = default;
JsonPath& JsonPath::operator=(JsonPath&&) noexcept = default;
JsonPath::~JsonPath() = default;

Result<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath path;
  ASSIGN_OR_RETURN(path.nodes_, parse_jsonpath(text));
  return path;
}

Result<JsonPath> JsonPath::parse_relaxed(std::string_view text) {
  std::string_view inner = text;
  if (inner.size() >= 2 && inner.front() == '{' && inner.back() == '}') {
    inner = inner.substr(1, inner.size() - 2);
  }
  if (inner.starts_with('.')) inner.remove_prefix(1);
  if (inner.empty() || inner.find_first_of("{}") != std::string_view::npos) {
    return invalid_argument(
        "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or "
        "'{.name1.name2}'");
  }
  return parse("{." + std::string(inner) + "}");
}

Result<std::vector<std::vector<const json::value*>>> JsonPath::find(const json::value& root,
                                                                    const Options& options) const {
  std::vector<Values> out;
  RETURN_IF_ERROR(Evaluator(options.allow_missing_keys).block(nodes_, root, out));
  return out;
}

Result<std::string> JsonPath::print(const json::value& root) const { return print(root, {}); }

Result<std::string> JsonPath::print(const json::value& root, const Options& options) const {
  ASSIGN_OR_RETURN(const auto found, find(root, options));
  std::string out;
  for (const Values& values : found) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out += ' ';
      out += jsonpath_text(*values[i]);
    }
  }
  return out;
}

std::string jsonpath_text(const json::value& value) {
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_object() || value.is_array()) return to_json(sorted_keys(value));
  return to_json(value);
}

std::vector<const json::value*> jsonpath_values(const json::value& root, std::string_view path) {
  // Plain paths are the most: no template is built for them.
  if (path.find_first_of("[*\\\"'{@$") == std::string_view::npos && path.starts_with('.') &&
      path.find("..") == std::string_view::npos) {
    const json::value* value = coracle::find(root, path.substr(1));
    return value ? Values{value} : Values{};
  }
  const Result<JsonPathNodes> nodes = parse_jsonpath("{" + std::string(path) + "}");
  if (!nodes.ok() || nodes->size() != 1 || (*nodes)[0]->kind != Kind::kAction) return {};
  // Literals live in the nodes, which end here: only values of the tree may leave.
  for (const auto& node : (*nodes)[0]->children) {
    if (node->kind == Kind::kLiteral) return {};
  }
  Values found;
  if (!Evaluator(true).steps((*nodes)[0]->children, {&root}, found).ok()) return {};
  return found;
}

}  // namespace coracle::api
