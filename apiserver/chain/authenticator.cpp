#include "apiserver/chain/authenticator.hpp"

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net/pki.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kWebSocketBearer = "base64url.bearer.authorization.k8s.io.";

// Fields of one CSV line, with "..." quoting.
std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool in_quotes = false;
  for (const char c : line) {
    if (c == '"') {
      in_quotes = !in_quotes;
    } else if (c == ',' && !in_quotes) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

// Nothing, or what follows "Bearer ", or the token browsers hide in a WebSocket protocol list.
std::optional<std::string> bearer_token(const net::Request& request) {
  if (const std::string* header = request.headers.find("authorization")) {
    std::string_view text = trim(*header);
    if (text.size() > 7 && iequals(text.substr(0, 7), "bearer ")) {
      return std::string(trim(text.substr(7)));
    }
    return std::nullopt;
  }
  for (std::string_view list : request.headers.values("sec-websocket-protocol")) {
    for (const std::string& entry : split(list, ',')) {
      const std::string_view protocol = trim(entry);
      if (!protocol.starts_with(kWebSocketBearer)) continue;
      auto token = base64url_decode(protocol.substr(kWebSocketBearer.size()));
      return token.ok() ? std::optional(*token) : std::optional(std::string());
    }
  }
  return std::nullopt;
}

UserInfo with_authenticated(UserInfo user) {
  if (!user.in_group("system:authenticated")) user.groups.push_back("system:authenticated");
  return user;
}

}  // namespace

Result<TokenCheck> Authenticator::static_tokens(std::string_view csv) {
  struct Entry {
    std::string token;
    UserInfo user;
  };
  auto entries = std::make_shared<std::vector<Entry>>();
  int number = 0;
  for (const std::string& raw : split(csv, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string> fields = csv_fields(line);
    if (fields.size() < 3 || fields[0].empty() || fields[1].empty()) {
      return invalid_argument("line " + std::to_string(number) +
                              ": expected token,user,uid[,\"group1,group2\"]");
    }
    Entry entry{fields[0], {std::string(trim(fields[1])), std::string(trim(fields[2])), {}, {}}};
    if (fields.size() > 3) {
      for (const std::string& group : split(fields[3], ',')) {
        if (!trim(group).empty()) entry.user.groups.emplace_back(trim(group));
      }
    }
    entry.user = with_authenticated(std::move(entry.user));
    entries->push_back(std::move(entry));
  }
  return TokenCheck([entries](std::string_view token) -> std::optional<UserInfo> {
    std::optional<UserInfo> found;
    for (const Entry& entry : *entries) {  // all of them: the time tells nothing
      if (net::constant_time_equal(entry.token, token)) found = entry.user;
    }
    return found;
  });
}

std::optional<UserInfo> Authenticator::by_token(std::string_view token) const {
  for (const TokenCheck& check : checks_) {
    if (std::optional<UserInfo> user = check(token)) return with_authenticated(*std::move(user));
  }
  return std::nullopt;
}

Outcome<UserInfo> Authenticator::authenticate(const net::Request& request) const {
  const net::Peer& peer = request.peer;
  if (peer.has_cert && peer.cert_trusted && !peer.cert_cn.empty()) {
    UserInfo user;
    user.name = peer.cert_cn;
    user.groups = peer.cert_orgs;
    if (!peer.cert_sha256.empty()) {
      user.extra["authentication.kubernetes.io/credential-id"] = {"X509SHA256=" + peer.cert_sha256};
    }
    return with_authenticated(std::move(user));
  }
  const std::optional<std::string> token = bearer_token(request);
  if (token) {
    if (std::optional<UserInfo> user = by_token(*token)) return *std::move(user);
    return api::unauthorized_error();
  }
  if (peer.has_cert) return api::unauthorized_error();  // foreign or expired
  UserInfo anonymous;
  anonymous.name = kAnonymous;
  anonymous.groups = {"system:unauthenticated"};
  return anonymous;
}

Outcome<std::optional<Impersonation>> impersonation(const net::Request& request) {
  UserInfo wish;
  bool any = false;
  for (const auto& [name, value] : request.headers) {
    const std::string lower = to_lower(name);
    if (!lower.starts_with("impersonate-")) continue;
    any = true;
    const std::string_view what = std::string_view(lower).substr(12);
    if (what == "user") {
      wish.name = value;
    } else if (what == "uid") {
      wish.uid = value;
    } else if (what == "group") {
      wish.groups.push_back(value);
    } else if (what.starts_with("extra-")) {
      auto key = percent_decode(what.substr(6));
      wish.extra[key.ok() ? *key : std::string(what.substr(6))].push_back(value);
    }
  }
  if (!any) return std::optional<Impersonation>();
  if (wish.name.empty()) {
    return api::bad_request_error("requested impersonation without impersonating a user");
  }
  Impersonation out{wish, std::move(wish)};
  UserInfo& user = out.user;
  if (user.name == kAnonymous) {
    if (!user.in_group("system:unauthenticated")) user.groups.push_back("system:unauthenticated");
    return std::optional(std::move(out));
  }
  const std::vector<std::string> parts = split(user.name, ':');
  if (user.groups.empty() && user.name.starts_with("system:serviceaccount:") && parts.size() == 4) {
    user.groups = {"system:serviceaccounts", "system:serviceaccounts:" + parts[2]};
  }
  user = with_authenticated(std::move(user));
  return std::optional(std::move(out));
}

}  // namespace coracle::apiserver
