// protobuf: request bodies in application/vnd.kubernetes.protobuf, decoded to JSON by the catalog's
// field numbers (KUBE-CONTRACT 1.3). Pure. Depth at most 100; unknown fields are skipped.
// Errors: InvalidArgument for a body that is no such message.
#pragma once

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

}  // namespace coracle::api
