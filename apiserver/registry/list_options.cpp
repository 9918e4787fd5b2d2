#include "apiserver/registry/list_options.hpp"

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

// Upstream reads it as the name after the namespace: no way out of the prefix.
bool safe_start(std::string_view start) {
  if (start.empty() || start.find("//") != std::string_view::npos) return false;
  for (const std::string& part : split(start, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

api::FieldErrors version_errors(const net::Query& query, const ListOptions& options, bool watch) {
  api::FieldErrors errors;
  const api::FieldPath match_path("resourceVersionMatch");
  const std::string_view match = query.get("resourceVersionMatch");
  if (!match.empty() && options.match == VersionMatch::kUnset) {
    errors.not_supported(match_path, json::value(match), {"", "Exact", "NotOlderThan"});
    return errors;
  }
  if (watch) {
    if (options.send_initial_events) {
      if (options.match != VersionMatch::kNotOlderThan) {
        errors.forbidden(match_path,
                         "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
      }
    } else if (!match.empty()) {
      errors.forbidden(match_path,
                       "resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
                       "provided");
    }
    return errors;
  }
  if (options.send_initial_events) {
    errors.forbidden(api::FieldPath("sendInitialEvents"),
                     "sendInitialEvents is forbidden for list");
  }
  if (match.empty()) return errors;
  if (query.get("resourceVersion").empty()) {
    errors.forbidden(match_path,
                     "resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (!query.get("continue").empty()) {
    errors.forbidden(match_path, "resourceVersionMatch is forbidden when continue is provided");
  }
  if (options.match == VersionMatch::kExact && query.get("resourceVersion") == "0") {
    errors.forbidden(match_path,
                     "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
  }
  return errors;
}

Outcome<std::optional<std::int64_t>> parse_number(const net::Query& query, std::string_view name) {
  const std::string_view text = query.get(name);
  if (text.empty()) return std::optional<std::int64_t>();
  long long value = 0;
  if (!parse_int(text, &value)) {
    return api::bad_request_error("strconv.ParseInt: parsing " + quoted(text) + ": invalid syntax");
  }
  return std::optional<std::int64_t>(value);
}

}  // namespace

Outcome<std::optional<std::int64_t>> parse_revision(std::string_view text) {
  if (text.empty()) return std::optional<std::int64_t>();
  long long value = 0;
  if (!parse_int(text, &value) || value < 0) {
    return api::bad_request_error("resourceVersion: Invalid value: " + quoted(text) +
                                  ": strconv.ParseUint: parsing " + quoted(text) +
                                  ": invalid syntax");
  }
  return std::optional<std::int64_t>(value);
}

std::string ContinueToken::encode() const {
  json::object token;
  token["v"] = "meta.k8s.io/v1";
  token["rv"] = revision;
  token["start"] = start;
  return base64url_encode(to_json(json::value(token)));
}

Outcome<ContinueToken> ContinueToken::decode(std::string_view text) {
  const auto bytes = base64url_decode(text);
  const auto tree = bytes.ok() ? parse_json(*bytes) : Result<json::value>(bytes.status());
  const std::int64_t revision = tree.ok() ? get_int(*tree, "rv") : 0;
  if (!tree.ok() || get_string(*tree, "v") != "meta.k8s.io/v1" || revision == 0 ||
      revision < ContinueToken::kLatest || !safe_start(get_string(*tree, "start"))) {
    return api::bad_request_error("continue key is not valid");
  }
  return ContinueToken{revision, std::string(get_string(*tree, "start"))};
}

Outcome<ListOptions> parse_list_options(const net::Query& query, bool watch) {
  ListOptions out;
  const std::string_view match = query.get("resourceVersionMatch");
  if (match == "Exact") out.match = VersionMatch::kExact;
  if (match == "NotOlderThan") out.match = VersionMatch::kNotOlderThan;
  if (query.has("sendInitialEvents")) {
    out.send_initial_events = query_flag(query, "sendInitialEvents");
  }
  out.bookmarks = query_flag(query, "allowWatchBookmarks");
  const api::FieldErrors errors = version_errors(query, out, watch);
  if (!errors.empty()) {
    return api::invalid_error({"meta.k8s.io", "ListOptions"}, "", errors);
  }
  TRY_OUTCOME(out.timeout_seconds, parse_number(query, "timeoutSeconds"));
  TRY_OUTCOME(const std::optional<std::int64_t> limit, parse_number(query, "limit"));
  if (limit && *limit > 0 && !watch) out.limit = *limit;
  const std::string_view token = query.get("continue");
  if (!token.empty() && !watch) {
    const std::string_view version = query.get("resourceVersion");
    if (!version.empty() && version != "0") {
      return api::bad_request_error(
          "specifying resource version is not allowed when using continue");
    }
    TRY_OUTCOME(out.token, ContinueToken::decode(token));
    return out;
  }
  TRY_OUTCOME(out.revision, parse_revision(query.get("resourceVersion")));
  return out;
}

}  // namespace coracle::apiserver
