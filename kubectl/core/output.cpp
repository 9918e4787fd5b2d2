#include "kubectl/output.hpp"

#include "api/jsonpath.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "kubectl/custom_columns.hpp"
#include "kubectl/discovery.hpp"
#include "kubectl/failure.hpp"
#include "kubectl/manifest.hpp"
#include "text/gotemplate.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr std::string_view kFormats =
    "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,"
    "jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml";

void drop_managed_fields(json::value& object) {
  json::object* root = object.if_object();
  json::value* metadata = root ? root->if_contains("metadata") : nullptr;
  if (metadata && metadata->is_object()) erase_key(metadata->as_object(), "managedFields");
}

class YamlPrinter final : public ObjectPrinter {
 public:
  Result<std::string> print(const json::value& object) override {
    const std::string text = to_yaml(sorted_keys(object));
    return std::exchange(first_, false) ? text : "---\n" + text;
  }

 private:
  bool first_ = true;
};

class JsonPrinter final : public ObjectPrinter {
 public:
  Result<std::string> print(const json::value& object) override {
    return to_pretty_json(sorted_keys(object), "    ") + "\n";
  }
};

class NamePrinter final : public ObjectPrinter {
 public:
  Result<std::string> print(const json::value& object) override {
    if (!find(object, "items") || get_string(object, "metadata.name") != "") {
      return printed_name(object) + "\n";
    }
    std::string out;
    for (const json::value& item : get_array(object, "items")) out += printed_name(item) + "\n";
    return out;
  }
};

class JsonPathPrinter final : public ObjectPrinter {
 public:
  JsonPathPrinter(api::JsonPath path, std::string text, bool allow_missing, bool as_json)
      : path_(std::move(path)),
        text_(std::move(text)),
        options_{allow_missing},
        as_json_(as_json) {}

  Result<std::string> print(const json::value& object) override {
    if (!as_json_) {
      auto printed = path_.print(object, options_);
      return printed.ok() ? printed : failed(printed.status());
    }
    auto found = path_.find(object, options_);
    if (!found.ok()) return failed(found.status());
    json::array values;
    for (const auto& action : *found) {
      for (const json::value* value : action) values.push_back(*value);
    }
    return to_pretty_json(sorted_keys(json::value(std::move(values))), "    ") + "\n";
  }

 private:
  Status failed(const Status& status) const {
    return fail("error executing jsonpath " + quoted(text_) + ": " + status.message());
  }

  api::JsonPath path_;
  std::string text_;
  api::JsonPath::Options options_;
  bool as_json_;
};

class TemplatePrinter final : public ObjectPrinter {
 public:
  TemplatePrinter(text::GoTemplate t, std::string text, bool missing_keys)
      : template_(std::move(t)), text_(std::move(text)), missing_keys_(missing_keys) {}
  Result<std::string> print(const json::value& object) override {
    auto printed = template_.run(object, missing_keys_);
    if (printed.ok()) return printed;
    return fail("error executing template " + quoted(text_) +
                ": template: output: executing \"output\": " + printed.status().message());
  }

 private:
  text::GoTemplate template_;
  std::string text_;
  bool missing_keys_;
};

class CleaningPrinter final : public ObjectPrinter {
 public:
  explicit CleaningPrinter(std::unique_ptr<ObjectPrinter> inner) : inner_(std::move(inner)) {}
  Result<std::string> print(const json::value& object) override {
    return inner_->print(without_managed_fields(object));
  }

 private:
  std::unique_ptr<ObjectPrinter> inner_;
};

Result<std::unique_ptr<ObjectPrinter>> template_printer(const OutputFormat& format) {
  if (format.argument.empty()) return fail("template format specified but no template given");
  auto parsed = text::GoTemplate::parse(format.argument);
  if (!parsed.ok()) {
    return fail("error parsing template " + format.argument + ", " + parsed.status().message());
  }
  return std::unique_ptr<ObjectPrinter>(std::make_unique<TemplatePrinter>(
      std::move(*parsed), format.argument, format.allow_missing_keys));
}

Result<std::unique_ptr<ObjectPrinter>> jsonpath_printer(const OutputFormat& format) {
  if (format.argument.empty()) return fail("template format specified but no template given");
  auto parsed = api::JsonPath::parse(format.argument);
  if (!parsed.ok()) {
    return fail("error parsing jsonpath " + format.argument + ", " + parsed.status().message());
  }
  return std::unique_ptr<ObjectPrinter>(std::make_unique<JsonPathPrinter>(
      std::move(*parsed), format.argument, format.allow_missing_keys,
      format.name == "jsonpath-as-json"));
}

// "-file" forms read their argument; then they are the plain form.
Status read_argument(OutputFormat& format) {
  static constexpr std::pair<const char*, const char*> kFileForms[] = {
      {"custom-columns-file", "custom-columns-lines"},
      {"jsonpath-file", "jsonpath"},
      {"go-template-file", "go-template"},
      {"templatefile", "go-template"},
  };
  for (const auto& [from, to] : kFileForms) {
    if (format.name != from) continue;
    auto text = read_file(format.argument);
    if (!text.ok())
      return fail("error reading --template " + format.argument + ", " +
                  text.status().message().substr(7));
    format.name = to;
    format.argument = *text;
  }
  if (format.name == "template") format.name = "go-template";
  return {};
}

}  // namespace

std::vector<text::FlagSpec> output_flags() {
  return {
      {"output", 'o', FlagType::kString, "", "Output format: " + std::string(kFormats)},
      {"template", 0, FlagType::kString, "", "Template of -o go-template or -o jsonpath"},
      {"show-managed-fields", 0, FlagType::kBool, "false", "Keep managedFields in JSON and YAML"},
      {"allow-missing-template-keys", 0, FlagType::kBool, "true",
       "A missing field prints nothing instead of failing"},
  };
}

Result<OutputFormat> output_format(const text::ParsedFlags& flags) {
  OutputFormat format;
  const std::string text = flags.get("output");
  const size_t equals = text.find('=');
  format.name = text.substr(0, equals);
  if (equals != text.npos) format.argument = text.substr(equals + 1);
  format.show_managed_fields = flags.is_set("show-managed-fields");
  format.no_headers = flags.is_set("no-headers");
  format.allow_missing_keys = flags.get("allow-missing-template-keys") != "false";
  if (flags.has("template")) {
    format.argument = flags.get("template");
    if (format.name.empty()) format.name = "go-template";
  }
  bool known = format.name.empty();
  for (const std::string& name : split(kFormats, ',')) known |= name == format.name;
  if (!known) {
    return fail("unable to match a printer suitable for the output format " + quoted(text) +
                ", allowed formats are: " + std::string(kFormats));
  }
  RETURN_IF_ERROR(read_argument(format));
  return format;
}

Result<std::unique_ptr<ObjectPrinter>> make_printer(const OutputFormat& format) {
  std::unique_ptr<ObjectPrinter> printer;
  if (format.name == "yaml") {
    printer = std::make_unique<YamlPrinter>();
  } else if (format.name == "json") {
    printer = std::make_unique<JsonPrinter>();
  } else if (format.name == "name") {
    printer = std::make_unique<NamePrinter>();
  } else if (format.name == "jsonpath" || format.name == "jsonpath-as-json") {
    ASSIGN_OR_RETURN(printer, jsonpath_printer(format));
  } else if (format.name == "go-template") {
    ASSIGN_OR_RETURN(printer, template_printer(format));
  } else {
    ASSIGN_OR_RETURN(printer, make_custom_columns_printer(format));
  }
  if (format.show_managed_fields) return printer;
  return std::unique_ptr<ObjectPrinter>(std::make_unique<CleaningPrinter>(std::move(printer)));
}

json::value without_managed_fields(json::value object) {
  drop_managed_fields(object);
  json::object* root = object.if_object();
  json::value* items = root ? root->if_contains("items") : nullptr;
  if (items && items->is_array()) {
    for (json::value& item : items->as_array()) drop_managed_fields(item);
  }
  return object;
}

json::value make_list(json::array items) {
  json::object list;
  list["apiVersion"] = "v1";
  list["items"] = std::move(items);
  list["kind"] = "List";
  json::object metadata;
  metadata["resourceVersion"] = "";
  list["metadata"] = std::move(metadata);
  return json::value(std::move(list));
}

}  // namespace coracle::kubectl
