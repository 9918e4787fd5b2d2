// A small HTTP/1.1 server for the images that answer as themselves: one thread, poll(), keep-alive.
// Bounds: kClientsMax connections (more are closed), heads of 16 KiB, bodies of 1 MiB (else 413).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tls.hpp"

namespace lab_image {

struct HttpRequest {
  std::string method, target, path, query, version, body, peer;
  std::map<std::string, std::string> headers;  // names in lower case
  int port = 0;                                // of ours
};

struct HttpResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpServer {
  std::string name;  // of the Server header; empty: none
  std::vector<int> ports;
  std::function<HttpResponse(const HttpRequest&)> handle;
  std::function<void(const HttpRequest&, const HttpResponse&)> log = nullptr;
  std::map<int, std::shared_ptr<TlsContext>> tls = {};  // those of the ports that speak TLS
};

// Serves until SIGTERM, SIGINT or SIGQUIT; then 0. 1 if a port cannot be had (it says so).
int serve_http(const HttpServer& server);

// A listening socket on the pod's address; -1 with errno.
int listen_on(int port);
// Runs `turn` whenever poll says so; for servers that are not HTTP. True: a stop was asked for.
void stop_on_signals();
bool stop_asked();

const char* status_text(int status);
// "Sat, 01 Jan 2000 00:00:00 GMT"
std::string http_date(long seconds);
std::string percent_decoded(const std::string& text);
// The value of a query's (or form's) field.
std::string query_value(const std::string& query, const std::string& name);
std::string host_name();
bool read_text(const std::string& path, std::string* text);

}  // namespace lab_image
