// Kinds without a description of their own: the whole object, field by field.
#include <algorithm>
#include <cctype>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "describe/describe.hpp"

namespace coracle::kubectl {
namespace {

constexpr int kDepthMax = 20;

// "resourceVersion" -> "Resource Version"
std::string title_of(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (i == 0) {
      out += static_cast<char>(std::toupper(c));
    } else {
      const bool starts = std::isupper(c) && !std::isupper(static_cast<unsigned char>(name[i - 1]));
      if (starts) out += ' ';
      out += static_cast<char>(c);
    }
  }
  return out;
}

std::string scalar(const json::value& value) {
  return value.is_string() ? std::string(value.as_string())
         : value.is_null() ? "<nil>"
                           : to_json(value);
}

void write_object(DescribeWriter& out, int level, const json::object& object,
                  const std::vector<std::string>& skipped);

void write_value(DescribeWriter& out, int level, const std::string& title,
                 const json::value& value) {
  if (level > kDepthMax) return;
  if (const json::object* object = value.if_object()) {
    out.line(level, title + ":");
    write_object(out, level + 1, *object, {});
  } else if (const json::array* array = value.if_array()) {
    out.line(level, title + ":");
    for (const json::value& item : *array) {
      if (item.is_object()) {
        write_object(out, level + 1, item.as_object(), {});
      } else {
        out.line(level + 1, scalar(item));
      }
    }
  } else {
    out.field(level, title, scalar(value));
  }
}

void write_object(DescribeWriter& out, int level, const json::object& object,
                  const std::vector<std::string>& skipped) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object) {
    if (std::find(skipped.begin(), skipped.end(), std::string(key)) == skipped.end()) {
      names.emplace_back(key);
    }
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) write_value(out, level, title_of(name), object.at(name));
}

}  // namespace

void describe_any(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  out.field(0, "Namespace", api::namespace_of(object));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
  out.field(0, "API Version", api::api_version_of(object));
  out.field(0, "Kind", api::kind_of(object));
  out.line(0, "Metadata:");
  write_object(out, 1, get_object(object, "metadata"),
               {"name", "namespace", "labels", "annotations", "managedFields"});
  write_object(out, 0, object.as_object(), {"apiVersion", "kind", "metadata"});
}

}  // namespace coracle::kubectl
