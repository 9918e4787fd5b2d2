// nginx: static files, returned texts and simple proxying, with its own words for errors and logs.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "fetch.hpp"
#include "images.hpp"
#include "nginx_config.hpp"

namespace lab_image {
namespace {

constexpr const char* kConfig = "/etc/nginx/nginx.conf";

std::string version() { return env_or("NGINX_VERSION", "1.27.5"); }

HttpResponse error_page(int status) {
  HttpResponse r;
  r.status = status;
  r.headers = {{"Content-Type", "text/html"}};
  const std::string title = std::to_string(status) + " " + status_text(status);
  r.body = "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
           "</h1></center>\r\n<hr><center>nginx/" + version() +
           "</center>\r\n</body>\r\n</html>\r\n";
  return r;
}

void replace(std::string* text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text->find(from, at)) != std::string::npos; at += to.size()) {
    text->replace(at, from.size(), to);
  }
}

HttpResponse returned(const NginxLocation& l, const HttpRequest& r) {
  const bool moves = l.return_status >= 301 && l.return_status <= 308;
  if (!moves && l.return_text.empty()) return error_page(l.return_status);
  HttpResponse out = moves ? error_page(l.return_status) : HttpResponse{};
  out.status = l.return_status;
  std::string text = l.return_text;
  const auto host = r.headers.find("host");
  replace(&text, "$hostname", host_name());
  replace(&text, "$host", host == r.headers.end() ? "" : host->second);
  replace(&text, "$request_uri", r.target);
  replace(&text, "$uri", r.path);
  replace(&text, "$remote_addr", r.peer);
  replace(&text, "$server_addr", "");
  if (moves) {
    out.headers.emplace_back("Location", text);
  } else {
    out.body = text;
    out.headers = {{"Content-Type", "text/plain"}};
  }
  return out;
}

HttpResponse proxied(const NginxLocation& l, const HttpRequest& r) {
  std::string url = l.proxy_pass;
  const size_t slash = url.find('/', url.find("//") + 2);
  if (slash == std::string::npos) {
    url += r.target;
  } else {
    url += r.target.substr(std::min(r.target.size(), l.path.size()));
  }
  Fetch fetch;
  fetch.url = url;
  fetch.method = r.method;
  fetch.body = r.body;
  const FetchResult got = fetch_url(fetch);
  if (!got.error.empty()) {
    std::fprintf(stderr, "[error] upstream: %s, upstream: \"%s\"\n", got.error.c_str(),
                 url.c_str());
    return error_page(502);
  }
  HttpResponse out;
  out.status = got.status;
  out.body = got.body;
  for (const auto& [name, value] : got.headers) {
    if (name == "content-type" || name == "location") out.headers.emplace_back(name, value);
  }
  return out;
}

HttpResponse serve(const NginxServer& server, const HttpRequest& r) {
  const NginxLocation& l = location_of(server, r.path);
  HttpResponse out;
  if (l.denied) {
    out = error_page(403);
  } else if (l.return_status != 0) {
    out = returned(l, r);
  } else if (l.stub_status) {
    out.headers = {{"Content-Type", "text/plain"}};
    out.body =
        "Active connections: 1 \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: 1 "
        "Waiting: 0 \n";
  } else if (!l.proxy_pass.empty()) {
    out = proxied(l, r);
  } else if (r.method != "GET" && r.method != "HEAD") {
    out = error_page(405);
  } else if (!l.alias.empty()) {
    out = serve_file(l.alias, "/" + r.path.substr(std::min(l.path.size(), r.path.size())),
                     error_page);
  } else {
    out = serve_file(l.root, r.path, error_page);
  }
  for (const auto& header : l.headers) {
    if (header.first == "Content-Type") {
      out.headers.erase(std::remove_if(out.headers.begin(), out.headers.end(),
                                       [](const auto& h) { return h.first == "Content-Type"; }),
                        out.headers.end());
    }
    out.headers.push_back(header);
  }
  return out;
}

const NginxServer& server_for(const std::vector<NginxServer>& servers, const HttpRequest& r) {
  const auto found = r.headers.find("host");
  const std::string host =
      found == r.headers.end() ? "" : found->second.substr(0, found->second.find(':'));
  const NginxServer* first = nullptr;
  for (const NginxServer& s : servers) {
    const auto listens = [&](const std::vector<int>& ports) {
      return std::find(ports.begin(), ports.end(), r.port) != ports.end();
    };
    if (!listens(s.ports) && !listens(s.tls_ports)) continue;
    if (std::find(s.names.begin(), s.names.end(), host) != s.names.end()) return s;
    if (first == nullptr) first = &s;
  }
  return first != nullptr ? *first : servers.front();
}

}  // namespace

int run_nginx(const Args& args) {
  const auto has = [&](const char* word) {
    return std::find(args.begin(), args.end(), word) != args.end();
  };
  if (has("-v") || has("-V")) {
    std::fprintf(stderr, "nginx version: nginx/%s\n", version().c_str());
    return 0;
  }
  const std::string config = flag_value(args, "c", kConfig);
  std::vector<NginxServer> servers;
  std::string error;
  if (!load_nginx_config(config, &servers, &error)) {
    std::fprintf(stderr, "nginx: [emerg] %s\n", error.c_str());
    if (has("-t"))
      std::fprintf(stderr, "nginx: configuration file %s test failed\n", config.c_str());
    return 1;
  }
  if (has("-t")) {
    std::fprintf(stderr, "nginx: the configuration file %s syntax is ok\n", config.c_str());
    std::fprintf(stderr, "nginx: configuration file %s test is successful\n", config.c_str());
    return 0;
  }
  if (has("-s")) return 0;  // files and configuration are read when they are asked for
  HttpServer http;
  http.name = "nginx/" + version();
  for (const NginxServer& s : servers) {
    for (const int port : s.ports) {
      if (std::find(http.ports.begin(), http.ports.end(), port) == http.ports.end()) {
        http.ports.push_back(port);
      }
    }
    for (const int port : s.tls_ports) {
      auto& context = http.tls[port];  // of a port, the first server's
      if (context == nullptr) context = TlsContext::server(s.certificate, s.key, &error);
      if (context == nullptr) {
        std::fprintf(stderr, "nginx: [emerg] %s\n", error.c_str());
        return 1;
      }
      if (std::find(http.ports.begin(), http.ports.end(), port) == http.ports.end()) {
        http.ports.push_back(port);
      }
    }
  }
  http.handle = [&servers](const HttpRequest& r) { return serve(server_for(servers, r), r); };
  http.log = log_combined;
  std::fprintf(stderr,
               "/docker-entrypoint.sh: Configuration complete; ready for start up\n"
               "[notice] 1#1: nginx/%s\n[notice] 1#1: start worker processes\n",
               version().c_str());
  return serve_http(http);
}

}  // namespace lab_image
