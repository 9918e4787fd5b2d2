#include "api/protobuf.hpp"
#include "apiserver/registry/codec.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

struct MediaRange {
  std::string type;  // lower case
  std::string as, group, version, stream;
};

MediaRange parse_range(std::string_view text) {
  MediaRange out;
  bool first = true;
  for (const std::string& part : split(text, ';')) {
    const std::string_view item = trim(part);
    if (std::exchange(first, false)) {
      out.type = to_lower(item);
      continue;
    }
    const size_t eq = item.find('=');
    if (eq == std::string_view::npos) continue;
    const std::string_view name = trim(item.substr(0, eq)), value = trim(item.substr(eq + 1));
    if (name == "as") out.as = value;
    if (name == "g") out.group = value;
    if (name == "v") out.version = value;
    if (name == "stream") out.stream = value;
  }
  return out;
}

bool apply_range(const MediaRange& range, bool streams, const api::Schema* schema, Format& format) {
  const bool json =
      range.type == "application/json" || range.type == "*/*" || range.type == "application/*";
  const bool yaml = range.type == "application/yaml" && !streams;
  const bool protobuf = range.type == "application/vnd.kubernetes.protobuf" && schema != nullptr;
  if (!json && !yaml && !protobuf) return false;
  if (!range.stream.empty() && (range.stream != "watch" || !streams)) return false;
  if (!range.as.empty()) {
    if (range.group != "meta.k8s.io") return false;
    if (range.version != "v1" && range.version != "v1beta1") return false;
    if (range.as == "Table" && !protobuf) {
      format.shape = Format::Shape::kTable;
    } else if (range.as == "PartialObjectMetadata" || range.as == "PartialObjectMetadataList") {
      format.shape = Format::Shape::kPartial;
    } else {
      return false;
    }
    format.meta_version = range.version;
  }
  // Metadata alone can always be told; a kind only if all of it can.
  if (protobuf && format.shape == Format::Shape::kObject && !api::has_protobuf_form(*schema)) {
    return false;
  }
  format.yaml = yaml;
  format.protobuf = protobuf;
  return true;
}

// Upstream indents for people: by the query, or by the programs people type into.
bool wants_pretty(const net::Request& request) {
  if (request.query.has("pretty")) return query_flag(request.query, "pretty");
  const std::string_view agent = request.headers.get("user-agent");
  return agent.starts_with("curl") || agent.starts_with("Wget") || agent.starts_with("Mozilla/5.0");
}

}  // namespace

Outcome<Format> negotiate(const net::Request& request, bool streams, const api::Schema* schema,
                          bool tables) {
  Format format;
  format.pretty = !streams && wants_pretty(request);
  const std::string_view accept = trim(request.headers.get("accept"));
  if (accept.empty()) return format;
  for (const std::string& part : split(accept, ',')) {
    Format wanted = format;
    const MediaRange range = parse_range(trim(part));
    if (range.as == "Table" && !tables) continue;
    if (apply_range(range, streams, schema, wanted)) return wanted;
  }
  std::vector<std::string> accepted = {"application/json"};
  if (streams) {
    accepted.push_back("application/json;stream=watch");
  } else {
    accepted.push_back("application/yaml");
  }
  return api::not_acceptable_error(accepted);
}

}  // namespace coracle::apiserver
