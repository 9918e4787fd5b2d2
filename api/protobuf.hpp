// protobuf: application/vnd.kubernetes.protobuf to JSON and back, by the catalog's field numbers
// (KUBE-CONTRACT 1.3). Pure. Depth at most 100; unknown fields are skipped.
// Errors: InvalidArgument for a body that is no such message.
#pragma once

#include <string>
#include <string_view>

#include "api/catalog.hpp"
#include "base/json.hpp"

namespace coracle::api {

inline constexpr std::string_view kProtobufMagic{"k8s\0", 4};

bool is_protobuf_envelope(std::string_view body);

// The object with apiVersion and kind from the envelope. Kinds are found in the catalog;
// DeleteOptions and other bodies of requests by definition name
// io.k8s.apimachinery.pkg.apis.meta.v1.<Kind>. NotFound when the kind is unknown.
Result<json::value> decode_protobuf(std::string_view body, const Catalog& catalog);
// One message without envelope.
Result<json::value> decode_protobuf_message(std::string_view bytes, const Schema& schema);

// Whether every field below has a number: else a message would lose what has none.
bool has_protobuf_form(const Schema& schema);
// A message without envelope. Members the schema does not know are left out; the object was decoded
// with it before.
std::string encode_protobuf_message(const json::value& object, const Schema& schema);
// With magic and envelope.
std::string protobuf_envelope(std::string_view api_version, std::string_view kind,
                              std::string_view message);
// A list's message: ListMeta, then the items' messages.
std::string protobuf_list(const json::value& list_meta, const Schema& list_meta_schema,
                          const std::vector<std::string>& items);
// One event of a watch: its length, then WatchEvent{type, RawExtension of the enveloped object}.
std::string protobuf_watch_frame(std::string_view type, std::string_view enveloped);

}  // namespace coracle::api
