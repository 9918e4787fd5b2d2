// Images that are one small HTTP server.
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "images.hpp"

namespace lab_image {
namespace {

std::string first_line_of(const HttpRequest& r) {
  return r.method + " " + r.target + " " + r.version;
}

std::string headers_of(const HttpRequest& r) {
  std::string out;
  for (const auto& [name, value] : r.headers) out += name + ": " + value + "\n";
  return out;
}

HttpResponse apache_error(int status) {
  HttpResponse r;
  r.status = status;
  r.headers = {{"Content-Type", "text/html; charset=iso-8859-1"}};
  r.body = std::string("<html><head><title>") + std::to_string(status) + " " + status_text(status) +
           "</title></head><body><h1>" + status_text(status) + "</h1></body></html>\n";
  return r;
}

}  // namespace

HttpResponse text(int status, std::string body) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

int port_number(const std::string& text, int fallback) {
  const size_t colon = text.rfind(':');
  const int port = std::atoi(text.c_str() + (colon == std::string::npos ? 0 : colon + 1));
  return port > 0 && port < 65536 ? port : fallback;
}

int run_httpd(const Args& args) {
  if (!args.empty() && args[0] == "-v") {
    std::printf("Server version: Apache/%s (Unix)\n", env_or("HTTPD_VERSION", "2.4.63").c_str());
    return 0;
  }
  const std::string version = env_or("HTTPD_VERSION", "2.4.63");
  std::printf(
      "AH00558: httpd: Could not reliably determine the server's fully qualified domain "
      "name, using %s. Set the 'ServerName' directive globally to suppress this message\n"
      "[mpm_event:notice] [pid 1] AH00489: Apache/%s (Unix) configured -- resuming normal "
      "operations\n[core:notice] [pid 1] AH00094: Command line: 'httpd -D FOREGROUND'\n",
      host_name().c_str(), version.c_str());
  std::fflush(stdout);
  return serve_http({"Apache/" + version + " (Unix)",
                     {80},
                     [](const HttpRequest& r) {
                       if (r.method != "GET" && r.method != "HEAD") return apache_error(405);
                       return serve_file("/usr/local/apache2/htdocs", r.path, apache_error);
                     },
                     log_combined});
}

int run_http_echo(const Args& args) {
  const std::string said = flag_value(args, "text", env_or("ECHO_TEXT", ""));
  if (said.empty()) {
    std::fprintf(stderr, "Missing -text option!\n");
    return 127;
  }
  const int port = port_number(flag_value(args, "listen", ":5678"), 5678);
  std::printf("[INFO] server is listening on :%d\n", port);
  std::fflush(stdout);
  return serve_http({"",
                     {port},
                     [said](const HttpRequest&) {
                       HttpResponse r = text(200, said + "\n");
                       r.headers.emplace_back("X-App-Name", "http-echo");
                       return r;
                     },
                     [](const HttpRequest& r, const HttpResponse& response) {
                       std::printf("%s \"%s\" %d %zu\n", r.peer.c_str(), first_line_of(r).c_str(),
                                   response.status, response.body.size());
                       std::fflush(stdout);
                     }});
}

// Well for ten seconds, then not.
int run_liveness(const Args&) {
  const std::time_t started = std::time(nullptr);
  return serve_http({"", {8080}, [started](const HttpRequest& r) {
                       const long age = std::time(nullptr) - started;
                       if (r.path != "/healthz") return text(200, std::to_string(age) + "s");
                       if (age <= 10) return text(200, "ok");
                       return text(500, "error: " + std::to_string(age));
                     }});
}

int run_hello_app(const Args&) {
  const int port = port_number(env_or("PORT", "8080"), 8080);
  std::fprintf(stderr, "Server listening on port %d\n", port);
  const std::string version = env_or("APP_VERSION", "1.0.0");
  return serve_http({"",
                     {port},
                     [version](const HttpRequest&) {
                       return text(200, "Hello, world!\nVersion: " + version +
                                            "\nHostname: " + host_name() + "\n");
                     },
                     [](const HttpRequest& r, const HttpResponse&) {
                       std::fprintf(stderr, "Serving request: %s\n", r.path.c_str());
                     }});
}

int run_kubeserve(const Args&) {
  const std::string version = env_or("APP_VERSION", "v1");
  return serve_http({"", {80}, [version](const HttpRequest&) {
                       return text(200, "This is " + version + " pod " + host_name() + "\n");
                     }});
}

int run_whoami(const Args& args) {
  const int port = port_number(flag_value(args, "port", env_or("WHOAMI_PORT_NUMBER", "80")), 80);
  std::printf("Starting up on port %d\n", port);
  std::fflush(stdout);
  return serve_http({"", {port}, [](const HttpRequest& r) {
                       if (r.path == "/health") return text(200, "");
                       return text(200, "Hostname: " + host_name() + "\nRemoteAddr: " + r.peer +
                                            "\n" + first_line_of(r) + "\n" + headers_of(r) + "\n");
                     }});
}

// The busy server of upstream's walk through autoscaling: some milliseconds of work a request.
int run_hpa_example(const Args&) {
  return serve_http({"Apache", {80}, [](const HttpRequest&) {
                       volatile double x = 0.0001;
                       for (int i = 0; i < 1'000'000; ++i) x = x + std::sqrt(x);
                       return text(200, "OK!");
                     }});
}

int run_pause(const Args&) {
  stop_on_signals();
  signal(SIGCHLD, SIG_IGN);  // as process 1 it gets children whose parents have ended
  while (!stop_asked()) pause();
  return 0;
}

int run_bash(const Args& args) {
  std::vector<char*> argv{const_cast<char*>("sh")};
  for (const std::string& a : args) {
    if (a == "--login" || a == "--norc" || a == "--noprofile") continue;  // not busybox's
    argv.push_back(const_cast<char*>(a.c_str()));
  }
  argv.push_back(nullptr);
  execv("/bin/busybox", argv.data());
  std::perror("bash");
  return 127;
}

}  // namespace lab_image
