// explain: what the server's OpenAPI v3 says of a kind and its fields.
#include <algorithm>
#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr size_t kWidth = 80;
constexpr int kDepthMax = 12;

class Explainer {
 public:
  Explainer(const json::value& document, std::ostream& out)
      : schemas_(get_object(document, "components.schemas")), out_(out) {}

  const json::value* find_kind(const Resource& resource) const {
    for (const auto& [name, schema] : schemas_) {
      for (const json::value& gvk : list_of(schema, "x-kubernetes-group-version-kind")) {
        if (get_string(gvk, "group") == std::string_view(resource.group) &&
            get_string(gvk, "version") == std::string_view(resource.version) &&
            get_string(gvk, "kind") == std::string_view(resource.kind)) {
          return &schema;
        }
      }
    }
    return nullptr;
  }

  // The schema behind references, of an array its element, of a map its value.
  const json::value* object_of(const json::value* schema) const {
    for (int depth = 0; schema && depth < kDepthMax; ++depth) {
      if (const json::value* to = referred(*schema)) {
        schema = to;
      } else if (const json::value* items = find(*schema, "items")) {
        schema = items;
      } else if (const json::value* values = find(*schema, "additionalProperties");
                 values && values->is_object()) {
        schema = values;
      } else {
        break;
      }
    }
    return schema;
  }

  static const json::value* property(const json::value& schema, const std::string& name) {
    return get_object(schema, "properties").if_contains(name);
  }

  std::string type_of(const json::value& schema) const {
    if (const std::string name = reference_name(schema); !name.empty()) {
      const json::value* to = referred(schema);
      const std::string type = to ? std::string(get_string(*to, "type")) : "";
      if (to && type != "object" && !type.empty() && !find(*to, "properties") &&
          name != "IntOrString" && name != "Quantity" && name != "Time" && name != "MicroTime") {
        return type;
      }
      return name == "Time" || name == "MicroTime" || name == "Quantity" ? "string" : name;
    }
    const std::string type(get_string(schema, "type"));
    if (const json::value* items = find(schema, "items")) return "[]" + type_of(*items);
    if (const json::value* values = find(schema, "additionalProperties");
        values && values->is_object()) {
      return "map[string]" + type_of(*values);
    }
    if (type.empty() || type == "object") return "Object";
    return type;
  }

  std::string description_of(const json::value& schema) const {
    std::string text(get_string(schema, "description"));
    if (text.empty()) {
      if (const json::value* to = referred(schema)) text = get_string(*to, "description");
    }
    return text;
  }

  void print_text(const std::string& text, size_t indent) const {
    for (const std::string& paragraph : split(text, '\n')) {
      std::string line;
      for (const std::string& word : split(paragraph, ' ')) {
        if (!line.empty() && indent + line.size() + 1 + word.size() > kWidth) {
          out_ << std::string(indent, ' ') << line << "\n";
          line.clear();
        }
        line += (line.empty() ? "" : " ") + word;
      }
      out_ << std::string(indent, ' ') << line << "\n";
    }
    if (text.empty()) out_ << std::string(indent, ' ') << "<empty>\n";
  }

  void print_fields(const json::value& schema, int level, bool recursive) const {
    const std::string indent(static_cast<size_t>(level) * 2, ' ');
    std::vector<std::string> names;
    for (const auto& [name, unused] : get_object(schema, "properties")) names.emplace_back(name);
    std::sort(names.begin(), names.end());
    const json::array& required = get_array(schema, "required");
    for (const std::string& name : names) {
      const json::value& field = *property(schema, name);
      const bool needed =
          std::find(required.begin(), required.end(), json::value(name)) != required.end();
      out_ << indent << name << "\t<" << type_of(field) << ">" << (needed ? " -required-" : "")
           << "\n";
      if (recursive) {
        const json::value* below = object_of(&field);
        if (below && level < kDepthMax) print_fields(*below, level + 1, true);
        continue;
      }
      print_text(description_of(field), static_cast<size_t>(level) * 2 + 2);
      out_ << "\n";
    }
  }

 private:
  static const json::array& list_of(const json::value& object, std::string_view key) {
    static const json::array kNone;
    const json::value* found = find_keys(object, {key});
    return found && found->is_array() ? found->as_array() : kNone;
  }

  static std::string full_reference(const json::value& schema) {
    std::string_view text = get_string(schema, "$ref");
    const json::array& all = get_array(schema, "allOf");
    if (text.empty() && !all.empty()) text = get_string(all[0], "$ref");
    return std::string(text.substr(text.rfind('/') == text.npos ? 0 : text.rfind('/') + 1));
  }
  static std::string reference_name(const json::value& schema) {
    const std::string full = full_reference(schema);
    return full.substr(full.rfind('.') == full.npos ? 0 : full.rfind('.') + 1);
  }
  const json::value* referred(const json::value& schema) const {
    const std::string name = full_reference(schema);
    return name.empty() ? nullptr : schemas_.if_contains(name);
  }

  const json::object& schemas_;
  std::ostream& out_;
};

void print_head(const Resource& resource, std::ostream& out) {
  if (!resource.group.empty()) out << "GROUP:      " << resource.group << "\n";
  out << "KIND:       " << resource.kind << "\nVERSION:    " << resource.version << "\n\n";
}

Status explain_path(Invocation& call, const Resource& resource, const json::value& document,
                    const std::vector<std::string>& path) {
  std::ostream& out = call.session.io.out;
  const Explainer explainer(document, out);
  const json::value* schema = explainer.find_kind(resource);
  if (!schema) return fail("couldn't find resource for " + quoted(resource.kind));
  print_head(resource, out);
  const json::value* field = nullptr;
  for (const std::string& name : path) {
    const json::value* below = explainer.object_of(field ? field : schema);
    field = below ? Explainer::property(*below, name) : nullptr;
    if (!field) return fail("field " + quoted(name) + " does not exist");
  }
  if (field) {
    out << "FIELD: " << path.back() << " <" << explainer.type_of(*field) << ">\n\n";
    const json::array& values = get_array(*field, "enum");
    if (!values.empty()) {
      out << "ENUM:\n";
      for (const json::value& value : values) out << "    " << value.as_string().c_str() << "\n";
      out << "\n";
    }
  }
  const json::value* target = explainer.object_of(field ? field : schema);
  out << "DESCRIPTION:\n";
  explainer.print_text(explainer.description_of(field ? *field : *schema), 4);
  out << "    \n";
  if (target && !get_object(*target, "properties").empty()) {
    out << "FIELDS:\n";
    explainer.print_fields(*target, 1, call.flags.is_set("recursive"));
  }
  out << "\n";
  return {};
}

Status run_explain(Invocation& call) {
  if (call.args.empty()) {
    return fail(
        "You must specify the type of resource to explain. Use \"kubectl api-resources\" "
        "for a complete list of supported resources.");
  }
  ASSIGN_OR_RETURN(const Discovery* discovery, call.session.discovery());
  std::vector<std::string> path = split(call.args[0], '.');
  const Resource* resource = discovery->find(path[0]);
  if (!resource) {
    return invalid_argument("the server doesn't have a resource type " + quoted(path[0]));
  }
  if (const std::string version = call.flags.get("api-version"); !version.empty()) {
    resource = discovery->find_kind(version, resource->kind);
    if (!resource) return fail("couldn't find resource for " + quoted(version));
  }
  path.erase(path.begin());
  const std::string root = (resource->group.empty() ? "api/" : "apis/") + resource->api_version();
  TRY_SERVER(const json::value index, call.session.call_json("GET", "/openapi/v3"));
  const json::value* entry = find_keys(index, {"paths", root, "serverRelativeURL"});
  const std::string target =
      entry && entry->is_string() ? std::string(entry->as_string()) : "/openapi/v3/" + root;
  TRY_SERVER(const json::value document, call.session.call_json("GET", target));
  return explain_path(call, *resource, document, path);
}

}  // namespace

Command explain_command() {
  Command command{.name = "explain",
                  .usage = "TYPE[.FIELD ...] [flags]",
                  .summary = "Say what a kind and its fields mean",
                  .examples =
                      "  kubectl explain pods.spec.containers\n"
                      "  kubectl explain deployment --recursive\n",
                  .run = run_explain};
  command.flags.push_back({"recursive", 0, FlagType::kBool, "false", "All fields below"});
  command.flags.push_back({"api-version", 0, FlagType::kString, "", "This group and version"});
  command.flags.push_back({"output", 0, FlagType::kString, "plaintext", "Accepted, not used"});
  return command;
}

}  // namespace coracle::kubectl
