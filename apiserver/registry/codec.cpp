#include "apiserver/registry/codec.hpp"

#include <set>

#include "api/custom_schema.hpp"
#include "api/object.hpp"
#include "api/protobuf.hpp"
#include "api/strategy.hpp"
#include "api/table.hpp"
#include "api/validate.hpp"
#include "apiserver/flow/flow_control.hpp"
#include "apiserver/registry/conversion.hpp"
#include "base/encoding.hpp"
#include "base/go_json.hpp"
#include "base/json_write.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kMetaTypes = "io.k8s.apimachinery.pkg.apis.meta.v1.";

const Bytes& shared_text(const char* text) {
  static const Bytes comma = std::make_shared<const std::string>(",{");
  static const Bytes newline = std::make_shared<const std::string>("\n");
  return text[0] == ',' ? comma : newline;
}

std::string render(const Format& format, const json::value& document) {
  if (format.yaml) return to_yaml(sorted_keys(document));
  if (format.pretty) return to_pretty_json(document);
  return to_json(document) + "\n";
}

constexpr std::string_view kProtobuf = "application/vnd.kubernetes.protobuf";

net::Response protobuf_reply(const Context& c, int code, std::string body) {
  net::Response response = net::make_response(code, std::move(body), kProtobuf);
  add_warnings(c, response);
  return response;
}

const api::Schema& meta_schema(const Machinery& m, std::string_view name) {
  const api::Schema* schema = m.catalog.schemas().find(std::string(kMetaTypes).append(name));
  CHECK_MSG(schema != nullptr, "the catalog has no " << name);
  return *schema;
}

// PartialObjectMetadata{1 metadata}.
std::string partial_message(const Machinery& m, const json::value& object) {
  const json::value* metadata = find(object, "metadata");
  return api::protobuf_list(metadata ? *metadata : json::value(), meta_schema(m, "ObjectMeta"), {});
}

std::string_view content_type(const Format& format) {
  return format.yaml ? "application/yaml" : "application/json";
}

api::TableOptions table_options(const Context& c) {
  api::TableOptions options;
  const auto include = api::parse_include_object(c.request.query.get("includeObject"));
  if (include.ok()) options.include = *include;
  options.meta_version = c.format.meta_version;
  return options;
}

// The start of a body that cannot be told what it is: as it is if it seems to be JSON, else in hex.
std::string summary(std::string_view body) {
  constexpr std::size_t kShown = 30;
  if (body.empty()) return "<empty>";
  const std::string_view part = body.substr(0, kShown);
  return (body[0] == '{' ? std::string(part) : hex_encode(part)) +
         (body.size() > kShown ? " ..." : "");
}

api::ApiError unrecognized(std::string_view kind, const std::string& why, std::string_view body) {
  if (kind == "DeleteOptions") return api::bad_request_error(why);
  return api::bad_request_error("the object provided is unrecognized (must be of type " +
                                std::string(kind) + "): " + why + " (" + summary(body) + ")");
}

// What is wrong with a body before its kind is known; "" if nothing is. Null is an empty object.
std::string kind_problem(json::value& body) {
  if (body.is_null()) body.emplace_object();
  const auto type_of = [](const json::value& value) {
    return value.is_array()    ? "array"
           : value.is_object() ? "object"
           : value.is_string() ? "string"
           : value.is_bool()   ? "bool"
                               : "number";
  };
  const std::string cannot = "couldn't get version/kind; json parse error: json: cannot unmarshal ";
  if (!body.is_object()) {
    return cannot + type_of(body) +
           " into Go value of type struct { APIVersion string "
           "\"json:\\\"apiVersion,omitempty\\\"\"; "
           "Kind string \"json:\\\"kind,omitempty\\\"\" }";
  }
  for (const std::string_view name : {"kind", "apiVersion"}) {
    const json::value* member = find_member(body.get_object(), name);
    if (member == nullptr || member->is_null() || member->is_string()) continue;
    return cannot + type_of(*member) + " into Go struct field ." + std::string(name) +
           " of type string";
  }
  return {};
}

Outcome<Body> json_body(const std::string& text, std::string_view kind) {
  Body body;
  auto parsed = parse_go_json(text, &body.duplicates);
  if (!parsed.ok()) {
    // A number of no type is found later than what is no JSON at all.
    const bool later = parsed.status().code() == Code::kFailedPrecondition;
    return unrecognized(
        kind,
        (later ? "" : "couldn't get version/kind; json parse error: ") + parsed.status().message(),
        text);
  }
  body.value = *std::move(parsed);
  const std::string problem = kind_problem(body.value);
  if (!problem.empty()) return unrecognized(kind, problem, text);
  return body;
}

// Of several documents the first counts.
Outcome<Body> yaml_body(const std::string& text, std::string_view kind) {
  auto documents = parse_yaml(text);
  if (!documents.ok()) return unrecognized(kind, documents.status().message(), text);
  Body body;
  if (!documents->empty()) {
    body.value = std::move(documents->front().value);
    body.repeats = std::move(documents->front().repeats);
  }
  const std::string problem = kind_problem(body.value);
  if (!problem.empty()) return unrecognized(kind, problem, text);
  return body;
}

}  // namespace

Outcome<Body> parse_body(const net::Request& request, const api::Catalog& catalog,
                         std::string_view kind) {
  std::string type(trim(request.headers.get("content-type")));
  type = to_lower(trim(std::string_view(type).substr(0, type.find(';'))));
  if (request.body.empty()) {
    Body body;
    body.empty = true;
    return body;
  }
  if (type.empty() || type == "application/json" || type == "*/*") {
    return json_body(request.body, kind);
  }
  if (type == "application/yaml") return yaml_body(request.body, kind);
  if (type == "application/vnd.kubernetes.protobuf") {
    auto decoded = api::decode_protobuf(request.body, catalog);
    if (!decoded.ok()) return unrecognized(kind, decoded.status().message(), request.body);
    Body body;
    body.value = *std::move(decoded);
    return body;
  }
  return api::unsupported_media_type_error(
      {"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"});
}

std::string yaml_repeats_text(const std::vector<std::string>& repeats) {
  return "yaml: unmarshal errors:\n  " + join(repeats, "\n  ");
}

Outcome<FieldValidation> field_validation(const net::Query& query, std::string_view options) {
  const std::string_view text = query.get("fieldValidation");
  if (text.empty() || text == "Warn") return FieldValidation::kWarn;
  if (text == "Strict") return FieldValidation::kStrict;
  if (text == "Ignore") return FieldValidation::kIgnore;
  api::FieldErrors errors;
  errors.not_supported(api::FieldPath("fieldValidation"), json::value(text),
                       {"", "Ignore", "Strict", "Warn"});
  return api::invalid_error({"meta.k8s.io", options}, "", errors);
}

Outcome<json::value> decode_object(Context& c, const api::ResourceInfo& info, Body body) {
  if (body.empty) {
    return unrecognized(
        info.kind, "couldn't get version/kind; json parse error: unexpected end of JSON input", {});
  }
  TRY_OUTCOME(const FieldValidation strictness,
              field_validation(c.request.query,
                               c.info.verb == "update" ? "UpdateOptions" : "CreateOptions"));
  json::object& object = body.value.get_object();
  const std::string kind(api::kind_of(body.value)), version(api::api_version_of(body.value));
  if (kind.empty()) object["kind"] = info.kind;
  if (version.empty()) object["apiVersion"] = info.api_version;
  const bool other =
      (!kind.empty() && kind != info.kind) || (!version.empty() && version != info.api_version);
  if (other) {
    return api::bad_request_error(
        kind + " in version \"" + std::string(api::split_api_version(version).version) +
        "\" cannot be handled as a " + info.kind + ": converting (" + version + "." + kind +
        ") to (" + info.group + "." + info.kind + "): unknown conversion");
  }
  std::vector<std::string> unknown;
  const Status decoded = api::decode_in_place(body.value, *info.schema, &unknown);
  if (!decoded.ok()) {
    return api::bad_request_error(api::decode_error_text(info, decoded.message()));
  }
  std::vector<std::string> faults = api::strict_warnings(unknown, body.duplicates);
  if (strictness == FieldValidation::kStrict && !(faults.empty() && body.repeats.empty())) {
    if (!body.repeats.empty()) faults.insert(faults.begin(), yaml_repeats_text(body.repeats));
    return api::bad_request_error(api::decode_error_text(info, api::strict_error_text(faults, {})));
  }
  if (strictness == FieldValidation::kWarn) {
    for (std::string& text : body.repeats) c.warnings.push_back(std::move(text));
    for (std::string& text : faults) c.warnings.push_back(std::move(text));
  }
  return std::move(body.value);
}

std::string head_of(const api::ResourceInfo& info) {
  return "{\"kind\":\"" + info.kind + "\",\"apiVersion\":\"" + info.api_version + "\",";
}

std::string encode_stored(const api::ResourceInfo& storage, const json::value& object) {
  constexpr std::size_t kMostAreSmaller = 4096;
  std::string out;
  out.reserve(kMostAreSmaller);
  out += head_of(storage);
  out += "\"metadata\":";
  char separator = '{';
  for (const auto& member : get_object(object, "metadata")) {
    if (member.key() == "resourceVersion" || member.key() == "selfLink") continue;
    out += std::exchange(separator, ',');
    append_json_string(member.key(), &out);
    out += ':';
    append_json(member.value(), &out);
  }
  out += separator == '{' ? "{}" : "}";
  for (const auto& member : object.as_object()) {
    const std::string_view name = member.key();
    if (name == "kind" || name == "apiVersion" || name == "metadata") continue;
    out += ',';
    append_json_string(name, &out);
    out += ':';
    append_json(member.value(), &out);
  }
  out += '}';
  return out;
}

json::value tree_of(const api::ResourceInfo& storage, std::string_view tail) {
  auto parsed = parse_json(head_of(storage).append(tail));
  CHECK_MSG(parsed.ok(), "a cached object does not parse: " << parsed.status().to_string());
  return *std::move(parsed);
}

bool served_as_stored(const Context& c) {
  // A default that came into the schema after the object was stored must show.
  const bool filled = c.resource->custom && c.resource->custom->has_defaults();
  // What was stored in another version once is so still.
  return c.resource == c.storage && !filled && !converted_by_webhook(c);
}

json::value served_tree(const Context& c, std::string_view tail) {
  if (c.converted) {
    const auto made = c.converted->find(tail.data());
    if (made != c.converted->end()) return made->second;
  }
  json::value tree = tree_of(*c.storage, tail);
  if (c.resource != c.storage) api::convert_object(*c.storage, *c.resource, tree);
  if (c.resource->custom) {
    if (c.resource != c.storage) c.resource->custom->prune(tree, nullptr);
    c.resource->custom->set_defaults(tree);
  }
  return tree;
}

std::string protobuf_object(const Machinery& m, const Format& format, const json::value& object) {
  if (format.shape == Format::Shape::kPartial && api::kind_of(object) != "Status") {
    return api::protobuf_envelope("meta.k8s.io/" + format.meta_version, "PartialObjectMetadata",
                                  partial_message(m, object));
  }
  const api::Schema* schema =
      m.catalog.body_schema(api::api_version_of(object), api::kind_of(object));
  if (schema == nullptr) return {};
  return api::protobuf_envelope(api::api_version_of(object), api::kind_of(object),
                                api::encode_protobuf_message(object, *schema));
}

namespace {

net::Response reply_protobuf_list(const Machinery& m, const Context& c,
                                  const std::vector<json::value>& trees, const ListMeta& meta) {
  const bool partial = c.format.shape == Format::Shape::kPartial;
  std::vector<std::string> items;
  items.reserve(trees.size());
  for (const json::value& tree : trees) {
    items.push_back(partial ? partial_message(m, tree)
                            : api::encode_protobuf_message(tree, *c.resource->schema));
  }
  const std::string message =
      api::protobuf_list(json::value(meta.to_json()), meta_schema(m, "ListMeta"), items);
  const std::string version =
      partial ? "meta.k8s.io/" + c.format.meta_version : c.resource->api_version;
  const std::string kind = partial ? "PartialObjectMetadataList" : c.resource->list_kind;
  return protobuf_reply(c, 200, api::protobuf_envelope(version, kind, message));
}

}  // namespace

net::Response reply_object(const Machinery& m, const Context& c, int code, const Bytes& tail) {
  if (!c.format.plain() || !served_as_stored(c)) {
    return reply_tree(m, c, code, served_tree(c, *tail));
  }
  net::Response response;
  response.status = code;
  response.headers.add("Content-Type", "application/json");
  response.body = head_of(*c.resource);
  response.chunks = {tail, shared_text("\n")};
  add_warnings(c, response);
  return response;
}

net::Response reply_tree(const Machinery& m, const Context& c, int code, json::value object) {
  if (c.format.protobuf) {
    std::string body = protobuf_object(m, c.format, object);
    if (!body.empty()) return protobuf_reply(c, code, std::move(body));
  }
  if (c.format.shape == Format::Shape::kTable) {
    const json::value* one[] = {&object};
    json::object meta;
    meta["resourceVersion"] = api::resource_version_of(object);
    object = api::make_table(*c.resource, m.hooks, one, std::move(meta), m.executor.wall_now(),
                             table_options(c));
  } else if (c.format.shape == Format::Shape::kPartial) {
    object = api::partial_object(object, c.format.meta_version);
  }
  net::Response response = reply_document(c.format, code, object);
  add_warnings(c, response);
  return response;
}

net::Response reply_document(const Format& format, int code, const json::value& document) {
  return net::make_response(code, render(format, document), content_type(format));
}

void add_flow_headers(const Context& c, net::Headers& headers) {
  if (!c.flow) return;
  headers.add("X-Kubernetes-Pf-Flowschema-Uid", c.flow->schema_uid);
  headers.add("X-Kubernetes-Pf-Prioritylevel-Uid", c.flow->level_uid);
}

void add_warnings(const Context& c, net::Response& response) {
  std::set<std::string_view> told;
  for (const std::string& text : c.warnings) {
    if (told.insert(text).second) response.headers.add("Warning", "299 - " + quoted(text));
  }
}

net::Response reply_error(const Format& format, const api::ApiError& error) {
  net::Response response = reply_document(format, error.http_code, error.status);
  const int retry = error.retry_after_seconds();
  if (retry > 0) response.headers.add("Retry-After", std::to_string(retry));
  return response;
}

json::object ListMeta::to_json() const {
  json::object out;
  out["resourceVersion"] = std::to_string(revision);
  if (!next.empty()) out["continue"] = next;
  if (remaining && *remaining > 0) out["remainingItemCount"] = *remaining;
  return out;
}

net::Response reply_list(const Machinery& m, const Context& c,
                         const std::vector<ObjectPtr>& objects, const ListMeta& meta) {
  if (c.format.plain() && served_as_stored(c)) {
    net::Response response;
    response.headers.add("Content-Type", "application/json");
    response.body = "{\"kind\":\"" + c.resource->list_kind + "\",\"apiVersion\":\"" +
                    c.resource->api_version +
                    "\",\"metadata\":" + to_json(json::value(meta.to_json())) + ",\"items\":[";
    if (!objects.empty()) response.body += "{";
    response.chunks.reserve(objects.size() * 2 + 1);
    bool first = true;
    for (const ObjectPtr& object : objects) {
      if (!std::exchange(first, false)) response.chunks.push_back(shared_text(",{"));
      response.chunks.push_back(object->tail());
    }
    response.chunks.push_back(std::make_shared<const std::string>("]}\n"));
    add_warnings(c, response);
    return response;
  }
  std::vector<json::value> trees;
  trees.reserve(objects.size());
  for (const ObjectPtr& object : objects) trees.push_back(served_tree(c, *object->tail()));
  if (c.format.protobuf) return reply_protobuf_list(m, c, trees, meta);
  std::vector<const json::value*> views;
  for (const json::value& tree : trees) views.push_back(&tree);
  json::value document;
  if (c.format.shape == Format::Shape::kTable) {
    document = api::make_table(*c.resource, m.hooks, views, meta.to_json(), m.executor.wall_now(),
                               table_options(c));
  } else if (c.format.shape == Format::Shape::kPartial) {
    document = api::partial_list(views, meta.to_json(), c.format.meta_version);
  } else {
    json::object list;
    list["kind"] = c.resource->list_kind;
    list["apiVersion"] = c.resource->api_version;
    list["metadata"] = meta.to_json();
    json::array& items = list["items"].emplace_array();
    for (json::value& tree : trees) {
      erase_key(tree.get_object(), "kind");
      erase_key(tree.get_object(), "apiVersion");
      items.push_back(std::move(tree));
    }
    document = std::move(list);
  }
  net::Response response = reply_document(c.format, 200, document);
  add_warnings(c, response);
  return response;
}

}  // namespace coracle::apiserver
