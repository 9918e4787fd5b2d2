// codec: bytes of requests to trees, stored bytes and trees to answers. Pure.
#pragma once

#include <span>
#include <string>

#include "apiserver/registry/context.hpp"

namespace coracle::apiserver {

// The Accept header; 406 when nothing fits. `streams`: a watch (no YAML). `schema`: of the objects,
// if there is one that can be told in protobuf. `tables`: the answer can be made one.
Outcome<Format> negotiate(const net::Request& request, bool streams,
                          const api::Schema* schema = nullptr, bool tables = true);

struct Body {
  json::value value;
  std::vector<std::string> duplicates;  // paths of repeated members of JSON
  std::vector<std::string> repeats;     // of YAML: which lines repeat a key
  bool empty = false;                   // no body at all
};
// JSON, YAML or Kubernetes protobuf by Content-Type; 400 and 415. `kind` is for the message.
Outcome<Body> parse_body(const net::Request& request, const api::Catalog& catalog,
                         std::string_view kind);

// One error for all repeated keys of a YAML text: `yaml: unmarshal errors:\n  line 3: key ...`.
std::string yaml_repeats_text(const std::vector<std::string>& repeats);

// The query's fieldValidation: what to do about fields a body has too many.
enum class FieldValidation { kIgnore, kWarn, kStrict };
// `options` is the kind of the 422 for a word that is none of them.
Outcome<FieldValidation> field_validation(const net::Query& query, std::string_view options);

// Makes a parsed body an object of `info`: apiVersion and kind (filled in when absent, 400 when of
// another kind), then typed decoding. Unknown and repeated fields: a warning each, or 400.
Outcome<json::value> decode_object(Context& c, const api::ResourceInfo& info, Body body);

// What the store holds: kind, apiVersion, metadata first; no resourceVersion.
std::string encode_stored(const api::ResourceInfo& storage, const json::value& object);
std::string head_of(const api::ResourceInfo& info);
// Stored bytes as a tree with metadata.resourceVersion. CHECKs: the cache has parsed them before.
json::value tree_of(const api::ResourceInfo& storage, std::string_view tail);

// Whether an object is served just as it is stored; if not, the tree as it is served.
bool served_as_stored(const Context& c);
json::value served_tree(const Context& c, std::string_view tail);

// The object, its metadata or a Status in protobuf, with envelope; empty for kinds without a form.
std::string protobuf_object(const Machinery& m, const Format& format, const json::value& object);

// An answer with one object; `tail` as the cache holds it.
net::Response reply_object(const Machinery& m, const Context& c, int code, const Bytes& tail);
// An answer with a tree that is in the served version already (Scale, Binding, a dry run).
net::Response reply_tree(const Machinery& m, const Context& c, int code, json::value object);
// A Status or another fixed document: JSON or YAML, never a Table.
net::Response reply_document(const Format& format, int code, const json::value& document);
// Which flow schema and priority level the request was given to.
void add_flow_headers(const Context& c, net::Headers& headers);
net::Response reply_error(const Format& format, const api::ApiError& error);
// The request's warnings, a header each.
void add_warnings(const Context& c, net::Response& response);

struct ListMeta {
  std::int64_t revision = 0;
  std::string next;  // continue token
  std::optional<std::int64_t> remaining;
  json::object to_json() const;
};
net::Response reply_list(const Machinery& m, const Context& c,
                         const std::vector<ObjectPtr>& objects, const ListMeta& meta);

}  // namespace coracle::apiserver
