// HTTP messages as plain values, for servers and clients. No I/O; not thread-safe, copy freely.
//
// Everything here is already parsed: a Request reaches a handler only when its head and its whole
// body have arrived within the limits of the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle::net {

using Bytes = std::shared_ptr<const std::string>;  // shared, already serialised, never changed
inline Bytes make_bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// Header fields in the order they came. Names compare without case, and keep their spelling.
class Headers {
 public:
  using Entry = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Entry> entries) : entries_(entries) {}

  // The first value, or nullptr / "" when there is none.
  const std::string* find(std::string_view name) const;
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::vector<std::string_view> values(std::string_view name) const;
  // Does one of the comma separated values equal `token`, without case? ("Connection: close")
  bool has_token(std::string_view name, std::string_view token) const;

  void add(std::string name, std::string value);
  void set(std::string_view name, std::string value);  // replaces all of that name
  void remove(std::string_view name);

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  std::vector<Entry> entries_;
};

// The part behind '?': decoded, in order, a name may come more than once.
class Query {
 public:
  // Broken percent escapes stay as they are written; "a" means "a=".
  static Query parse(std::string_view raw);

  std::string_view get(std::string_view name) const;  // first value, or ""
  bool has(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  void add(std::string name, std::string value) {
    items_.emplace_back(std::move(name), std::move(value));
  }
  // "a=1&b=x%20y", or "" when empty.
  std::string encode() const;

  bool empty() const { return items_.empty(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> items_;
};

// Who sent a request, as the transport knows it.
struct Peer {
  std::string address;  // "127.0.0.1"
  std::uint16_t port = 0;
  bool tls = false;
  bool has_cert = false;      // the client showed a certificate ...
  bool cert_trusted = false;  // ... that the server's client CA vouches for, now valid, for clients
  std::string cert_error;     // why it is not trusted, in Go's words
  std::string cert_cn;        // filled also for an untrusted one: look at cert_trusted first
  std::vector<std::string> cert_orgs;
  std::string cert_sha256;  // of its DER form, in hex
};

struct Request {
  std::string method;  // as sent: "GET", "PATCH"
  std::string target;  // as sent: "/api/v1/pods?watch=1"
  std::string path;    // target before '?', percent escapes kept
  Query query;
  Headers headers;
  std::string body;
  Peer peer;
};

// A whole answer. Its content is `body` followed by `chunks`, sent with a Content-Length; the
// chunks are shared, so that a LIST is a gather of cached bytes. The server adds Date and
// Content-Length.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::vector<Bytes> chunks;

  std::size_t content_length() const;
};

// A Response with a Content-Type.
Response make_response(int status, std::string body, std::string_view content_type);

std::string_view reason_phrase(int status);  // "Not Found"; "" for unknown ones

}  // namespace coracle::net
