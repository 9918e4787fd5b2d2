// RFC 6902, with the error texts of the library upstream uses.
#include <charconv>

#include "api/patch.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

constexpr std::size_t kMaxOperations = 10000;

std::string unescaped(std::string_view token) {
  return replace_all(replace_all(std::string(token), "~1", "/"), "~0", "~");
}

struct Pointer {
  std::vector<std::string> tokens;

  static Result<Pointer> parse(std::string_view text) {
    Pointer pointer;
    if (text.empty()) return pointer;
    if (text[0] != '/') return invalid_argument("invalid path: " + std::string(text));
    for (const std::string& token : split(text.substr(1), '/')) {
      pointer.tokens.push_back(unescaped(token));
    }
    if (text.size() == 1) pointer.tokens.emplace_back();
    return pointer;
  }
};

// The index a token names in a list of `size`; `grow` allows one past the end and "-".
Result<std::size_t> list_index(const std::string& token, std::size_t size, bool grow) {
  if (grow && token == "-") return size;
  long long index = 0;
  if (!parse_int(token, &index)) {
    return failed_precondition("strconv.Atoi: parsing " + quoted(token) + ": invalid syntax");
  }
  if (index < 0) index += static_cast<long long>(size) + (grow ? 1 : 0);
  const long long limit = static_cast<long long>(size) + (grow ? 1 : 0);
  if (index < 0 || index >= limit) {
    return failed_precondition("Unable to access invalid index: " + token +
                               ": invalid index referenced");
  }
  return static_cast<std::size_t>(index);
}

json::value* step(json::value& at, const std::string& token) {
  if (json::object* object = at.if_object()) return find_member(*object, token);
  if (json::array* array = at.if_array()) {
    const Result<std::size_t> index = list_index(token, array->size(), false);
    return index.ok() ? &(*array)[*index] : nullptr;
  }
  return nullptr;
}

// The container of the last token; nullptr when there is none.
json::value* container_of(json::value& root, const Pointer& pointer) {
  json::value* at = &root;
  for (std::size_t i = 0; at != nullptr && i + 1 < pointer.tokens.size(); ++i) {
    at = step(*at, pointer.tokens[i]);
  }
  return at != nullptr && (at->is_object() || at->is_array()) ? at : nullptr;
}

json::value* target_of(json::value& root, const Pointer& pointer) {
  json::value* at = &root;
  for (std::size_t i = 0; at != nullptr && i < pointer.tokens.size(); ++i) {
    at = step(*at, pointer.tokens[i]);
  }
  return at;
}

Status missing(std::string_view operation, std::string_view what, std::string_view path) {
  return failed_precondition(std::string(operation) + " operation does not apply: doc is missing " +
                             std::string(what) + ": " + std::string(path) + ": missing value");
}

class JsonPatcher {
 public:
  explicit JsonPatcher(json::value& document) : document_(document) {}

  Status run(const json::value& operation) {
    const std::string_view op = get_string(operation, "op");
    const json::value* path = find_keys(operation, {"path"});
    if (path == nullptr || !path->is_string()) {
      return failed_precondition("Unexpected kind: unknown");
    }
    const std::string_view text = path->as_string();
    ASSIGN_OR_RETURN(const Pointer pointer, Pointer::parse(text));
    const json::value* value = find_keys(operation, {"value"});
    if (op == "add" || op == "replace" || op == "test") {
      const json::value null;
      const json::value& operand = value ? *value : null;
      if (op == "add") return add(pointer, operand, text, op);
      if (op == "replace") return replace(pointer, operand, text);
      return test(pointer, operand, text);
    }
    if (op == "remove") return remove(pointer, text, op);
    if (op == "move" || op == "copy") {
      return transfer(op, pointer, text, get_string(operation, "from"));
    }
    return failed_precondition("Unexpected kind: " + std::string(op));
  }

 private:
  Status add(const Pointer& pointer, const json::value& value, std::string_view text,
             std::string_view op) {
    if (pointer.tokens.empty()) {
      document_ = value;
      return {};
    }
    json::value* container = container_of(document_, pointer);
    if (container == nullptr) return missing(op, "path", quoted(text));
    const std::string& last = pointer.tokens.back();
    if (json::object* object = container->if_object()) {
      (*object)[last] = value;
      return {};
    }
    json::array& array = container->as_array();
    ASSIGN_OR_RETURN(const std::size_t index, list_index(last, array.size(), true));
    array.insert(array.begin() + static_cast<std::ptrdiff_t>(index), value);
    return {};
  }

  Status remove(const Pointer& pointer, std::string_view text, std::string_view op) {
    json::value* container = pointer.tokens.empty() ? nullptr : container_of(document_, pointer);
    if (container == nullptr) return missing(op, "path", quoted(text));
    const std::string& last = pointer.tokens.back();
    if (json::object* object = container->if_object()) {
      if (erase_key(*object, last)) return {};
      return failed_precondition("error in remove for path: '" + std::string(text) +
                                 "': Unable to remove nonexistent key: " + last +
                                 ": missing value");
    }
    json::array& array = container->as_array();
    ASSIGN_OR_RETURN(const std::size_t index, list_index(last, array.size(), false));
    array.erase(array.begin() + static_cast<std::ptrdiff_t>(index));
    return {};
  }

  Status replace(const Pointer& pointer, const json::value& value, std::string_view text) {
    json::value* target = target_of(document_, pointer);
    if (target == nullptr) {
      const bool path = container_of(document_, pointer) == nullptr;
      return missing("replace", path ? "path" : "key", text);
    }
    *target = value;
    return {};
  }

  Status test(const Pointer& pointer, const json::value& value, std::string_view text) {
    const json::value* target = target_of(document_, pointer);
    // A missing member equals null, as upstream's library has it.
    const bool equal = target == nullptr ? value.is_null() : *target == value;
    if (equal) return {};
    return failed_precondition("testing value " + std::string(text) + " failed: test failed");
  }

  Status transfer(std::string_view op, const Pointer& to, std::string_view to_text,
                  std::string_view from_text) {
    ASSIGN_OR_RETURN(const Pointer from, Pointer::parse(from_text));
    const json::value* source = target_of(document_, from);
    if (source == nullptr) {
      return failed_precondition(std::string(op) +
                                 " operation does not apply: doc is missing from path: " +
                                 std::string(from_text) + ": missing value");
    }
    const json::value copy = *source;
    if (op == "move") RETURN_IF_ERROR(remove(from, from_text, op));
    return add(to, copy, to_text, op);
  }

  json::value& document_;
};

}  // namespace

Result<json::value> apply_json_patch(const json::value& document, const json::value& patch) {
  if (!patch.is_array()) {
    return invalid_argument("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  }
  if (patch.as_array().size() > kMaxOperations) {
    return invalid_argument("The allowed maximum operations in a JSON patch is " +
                            std::to_string(kMaxOperations) + ", got " +
                            std::to_string(patch.as_array().size()));
  }
  json::value result = document;
  JsonPatcher patcher(result);
  for (const json::value& operation : patch.as_array()) {
    RETURN_IF_ERROR(patcher.run(operation));
  }
  return result;
}

}  // namespace coracle::api
