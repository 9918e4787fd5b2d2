// config map, secret, service account, role, role binding
#include <algorithm>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "describe/describe.hpp"

namespace coracle::kubectl {
namespace {

std::vector<std::string> sorted_names(const json::object& object) {
  std::vector<std::string> out;
  for (const auto& [key, value] : object) out.emplace_back(key);
  std::sort(out.begin(), out.end());
  return out;
}

std::string bytes_text(const json::value& value) {
  const auto bytes = base64_decode(value.is_string() ? std::string_view(value.as_string()) : "");
  return std::to_string(bytes.ok() ? bytes->size() : 0) + " bytes";
}

// "[get list]"
std::string bracketed(const json::value& rule, const char* field) {
  std::vector<std::string> words;
  for (const json::value& word : get_array(rule, field)) words.emplace_back(word.as_string());
  return "[" + join(words, " ") + "]";
}

std::vector<std::string> resource_names(const json::value& rule) {
  std::vector<std::string> out;
  for (const json::value& group : get_array(rule, "apiGroups")) {
    for (const json::value& resource : get_array(rule, "resources")) {
      out.push_back(std::string(resource.as_string()) +
                    (group.as_string().empty() ? "" : "." + std::string(group.as_string())));
    }
  }
  if (out.empty()) out.emplace_back("");
  return out;
}

}  // namespace

void describe_config_map(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  write_head(out, object);
  out.raw("\nData\n====\n");
  out.flush();
  const json::object& data = get_object(object, "data");
  for (const std::string& key : sorted_names(data)) {
    out.raw(key + ":\n----\n" + std::string(data.at(key).as_string()) + "\n\n");
  }
  out.raw("\nBinaryData\n====\n");
  const json::object& binary = get_object(object, "binaryData");
  for (const std::string& key : sorted_names(binary)) {
    out.raw(key + ": " + bytes_text(binary.at(key)) + "\n");
  }
  out.raw("\n");
}

void describe_secret(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  write_head(out, object);
  out.raw("\nType:\t" + text_at(object, "type") + "\n");
  out.raw("\nData\n====\n");
  const json::object& data = get_object(object, "data");
  const bool is_token = text_at(object, "type") == "kubernetes.io/service-account-token";
  for (const std::string& key : sorted_names(data)) {
    const auto bytes = base64_decode(data.at(key).as_string());
    out.field(0, key, is_token && key == "token" && bytes.ok() ? *bytes : bytes_text(data.at(key)));
  }
}

void describe_service_account(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  write_head(out, object);
  for (const auto& [title, field] : {std::pair{"Image pull secrets", "imagePullSecrets"},
                                     std::pair{"Mountable secrets", "secrets"}}) {
    std::vector<std::string> names;
    for (const json::value& reference : get_array(object, field)) {
      names.push_back(text_at(reference, "name"));
    }
    out.field(0, title, or_none(join(names, "\n\t")));
  }
  out.field(0, "Tokens", "<none>");
}

void describe_role(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
  out.line(0, "PolicyRule:");
  out.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
  out.line(1, "---------\t-----------------\t--------------\t-----");
  std::vector<std::string> lines;
  for (const json::value& rule : get_array(object, "rules")) {
    for (const std::string& resource : resource_names(rule)) {
      lines.push_back(resource + "\t" + bracketed(rule, "nonResourceURLs") + "\t" +
                      bracketed(rule, "resourceNames") + "\t" + bracketed(rule, "verbs"));
    }
  }
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) out.line(1, line);
}

void describe_role_binding(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
  out.line(0, "Role:");
  out.field(1, "Kind", text_at(object, "roleRef.kind"));
  out.field(1, "Name", text_at(object, "roleRef.name"));
  out.line(0, "Subjects:");
  out.line(1, "Kind\tName\tNamespace");
  out.line(1, "----\t----\t---------");
  for (const json::value& subject : get_array(object, "subjects")) {
    out.line(1, text_at(subject, "kind") + "\t" + text_at(subject, "name") + "\t" +
                    text_at(subject, "namespace"));
  }
}

}  // namespace coracle::kubectl
