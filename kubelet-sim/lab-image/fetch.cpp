#include "fetch.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "tls.hpp"

namespace lab_image {
namespace {

constexpr size_t kAnswerMax = 64u << 20;

struct Url {
  std::string host, port = "80", path = "/";
  bool secure = false;
};

bool parse(std::string text, Url* url, std::string* error) {
  const size_t scheme = text.find("://");
  if (scheme != std::string::npos) {
    url->secure = text.substr(0, scheme) == "https";
    if (url->secure) url->port = "443";
    if (text.substr(0, scheme) != "http" && !url->secure) {
      *error = "Protocol \"" + text.substr(0, scheme) + "\" not supported or disabled in libcurl";
      return false;
    }
    text.erase(0, scheme + 3);
  }
  const size_t slash = text.find_first_of("/?");
  if (slash != std::string::npos) url->path = text.substr(slash);
  if (url->path[0] == '?') url->path = "/" + url->path;
  url->path = url->path.substr(0, url->path.find('#'));
  url->host = text.substr(0, slash);
  const size_t colon = url->host.rfind(':');
  if (colon != std::string::npos) {
    url->port = url->host.substr(colon + 1);
    url->host.resize(colon);
  }
  if (url->host.empty()) *error = "URL using bad/illegal format or missing URL";
  return !url->host.empty();
}

int dial(const Url& url, const Fetch& fetch, FetchResult* result) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &list) != 0) {
    result->curl_code = 6;
    result->error = "Could not resolve host: " + url.host;
    return -1;
  }
  int fd = -1;
  result->curl_code = 7;
  result->error = "Failed to connect to " + url.host + " port " + url.port +
                  " after 0 ms: Could not connect to server";
  for (const addrinfo* a = list; a != nullptr && fd < 0; a = a->ai_next) {
    fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
    char name[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(a->ai_addr)->sin_addr, name,
              sizeof name);
    result->peer = std::string(name) + ":" + url.port;
    timeval limit{std::min(fetch.connect_timeout_seconds, fetch.timeout_seconds), 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
      result->curl_code = 0;
      result->error.clear();
      break;
    }
    if (errno == EINPROGRESS || errno == EAGAIN || errno == ETIMEDOUT) {
      result->curl_code = 28;
      result->error = "Connection timed out";
    }
    close(fd);
    fd = -1;
  }
  freeaddrinfo(list);
  if (fd >= 0) {
    timeval limit{fetch.timeout_seconds, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  return fd;
}

// "5\r\nhello\r\n0\r\n\r\n" -> "hello"
std::string unchunked(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t length = std::strtoul(text.c_str() + at, nullptr, 16);
    const size_t start = text.find("\r\n", at);
    if (length == 0 || start == std::string::npos) break;
    out.append(text, start + 2, length);
    at = start + 2 + length + 2;
  }
  return out;
}

void read_head(FetchResult* r) {
  r->version = r->head.substr(0, r->head.find(' '));
  const size_t space = r->head.find(' ');
  r->status = space == std::string::npos ? 0 : std::atoi(r->head.c_str() + space + 1);
  for (size_t at = r->head.find("\r\n"); at != std::string::npos && at + 2 < r->head.size();) {
    const size_t next = r->head.find("\r\n", at + 2);
    const std::string field = r->head.substr(at + 2, next - at - 2);
    const size_t colon = field.find(':');
    if (colon != std::string::npos) {
      std::string name = field.substr(0, colon);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      const size_t value = field.find_first_not_of(' ', colon + 1);
      r->headers.emplace_back(name, value == std::string::npos ? "" : field.substr(value));
    }
    at = next;
  }
}

std::string header(const FetchResult& r, const char* name) {
  for (const auto& [key, value] : r.headers) {
    if (key == name) return value;
  }
  return {};
}

bool whole(const FetchResult& r, const std::string& rest, bool no_body) {
  if (no_body) return true;
  if (header(r, "transfer-encoding") == "chunked") {
    return rest.find("\r\n0\r\n\r\n") != std::string::npos || rest.rfind("0\r\n\r\n", 0) == 0;
  }
  const std::string length = header(r, "content-length");
  return !length.empty() && rest.size() >= std::strtoul(length.c_str(), nullptr, 10);
}

// A connection, by TLS or without.
struct Channel {
  int fd = -1;
  std::unique_ptr<TlsSession> tls;

  ssize_t receive(char* buffer, size_t size) {
    return tls ? tls->receive(buffer, size) : recv(fd, buffer, size, 0);
  }
  ssize_t send_some(const char* data, size_t size) {
    return tls ? tls->send(data, size) : send(fd, data, size, MSG_NOSIGNAL);
  }
  // Why TLS did not come about; empty if it did.
  std::string problem() const { return tls ? tls->problem() : ""; }
};

void receive(Channel& channel, bool no_body, FetchResult* r) {
  std::string text;
  char buffer[16384];
  size_t head_end = std::string::npos;
  while (text.size() < kAnswerMax) {
    const ssize_t n = channel.receive(buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      r->curl_code = errno == EAGAIN ? 28 : 56;
      r->error = errno == EAGAIN ? "Operation timed out" : "Recv failure: Connection reset by peer";
      return;
    }
    text.append(buffer, static_cast<size_t>(n));
    if (head_end == std::string::npos && (head_end = text.find("\r\n\r\n")) != std::string::npos) {
      r->head = text.substr(0, head_end + 2);
      read_head(r);
    }
    const bool done =
        head_end != std::string::npos && whole(*r, text.substr(head_end + 4), no_body);
    if (n == 0 || done) break;
  }
  if (head_end == std::string::npos) {
    r->curl_code = 52;
    r->error = "Empty reply from server";
    return;
  }
  r->body = text.substr(head_end + 4);
  if (header(*r, "transfer-encoding") == "chunked") r->body = unchunked(r->body);
}

}  // namespace

void Fetch::add_header(const std::string& line) {
  const size_t colon = line.find(':');
  if (colon == std::string::npos) return;
  const size_t start = line.find_first_not_of(' ', colon + 1);
  headers.emplace_back(line.substr(0, colon), start == std::string::npos ? "" : line.substr(start));
}

FetchResult fetch_url(const Fetch& fetch) {
  FetchResult result;
  Url url;
  if (!parse(fetch.url, &url, &result.error)) {
    result.curl_code = result.error.rfind("Protocol", 0) == 0 ? 1 : 3;
    return result;
  }
  Channel channel;
  channel.fd = dial(url, fetch, &result);
  if (channel.fd < 0) return result;
  if (url.secure) {
    const auto context = TlsContext::client(fetch.ca_file, fetch.insecure, &result.error);
    if (context == nullptr) {
      result.curl_code = 77;
      close(channel.fd);
      return result;
    }
    channel.tls = std::make_unique<TlsSession>(context, channel.fd, url.host);
  }
  std::string request = fetch.method + " " + url.path + " HTTP/1.1\r\nHost: " + url.host +
                        (url.port == (url.secure ? "443" : "80") ? "" : ":" + url.port) + "\r\n";
  for (const auto& [name, value] : fetch.headers) request += name + ": " + value + "\r\n";
  if (!fetch.body.empty())
    request += "Content-Length: " + std::to_string(fetch.body.size()) + "\r\n";
  request += "Connection: close\r\n\r\n" + fetch.body;
  for (size_t sent = 0; sent < request.size();) {
    const ssize_t n = channel.send_some(request.data() + sent, request.size() - sent);
    if (n <= 0) break;
    sent += static_cast<size_t>(n);
  }
  if (channel.problem().empty()) {
    receive(channel, fetch.method == "HEAD", &result);
  } else {
    result.curl_code = 60;
    result.error = "SSL certificate problem: " + channel.problem();
  }
  channel.tls.reset();
  close(channel.fd);
  return result;
}

}  // namespace lab_image
