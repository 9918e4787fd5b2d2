// agnhost: the image of many small programs that test suites bring along, one for each first word
// of the command line. What they print is read by programs.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "agnhost.hpp"
#include "fetch.hpp"

extern char** environ;

namespace lab_image {
namespace {

HttpResponse shell(const std::string& command) {
  std::string output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return text(500, "{\"error\":\"cannot run a shell\"}");
  char buffer[4096];
  for (size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, n);
  const int status = WEXITSTATUS(pclose(pipe));
  const std::string said = "\"output\":" + json_string(output) + "}";
  if (status == 0) return text(200, "{" + said);
  return text(200, "{\"error\":\"exit status " + std::to_string(status) + "\"," + said);
}

// One datagram there and one back within five seconds; what went wrong is in `error`.
std::string ask_udp(const std::string& host, int port, const std::string& question,
                    std::string* error) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::string answer;
  if (fd < 0 || inet_pton(AF_INET, host.c_str(), &to.sin_addr) != 1 ||
      connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 ||
      send(fd, question.data(), question.size(), 0) < 0) {
    *error = "dial udp " + host + ": " + std::strerror(errno);
  } else {
    pollfd wait{fd, POLLIN, 0};
    char buffer[2048];
    const ssize_t n = poll(&wait, 1, 5000) == 1 ? recv(fd, buffer, sizeof buffer, 0) : -1;
    if (n > 0)
      answer.assign(buffer, static_cast<size_t>(n));
    else
      *error = "reading from udp connection failed. err:'read udp " + host + ": i/o timeout'";
  }
  if (fd >= 0) close(fd);
  return answer;
}

// Asks other servers of its kind, and tells who answered.
HttpResponse dial(const HttpRequest& r) {
  const std::string host = query_value(r.query, "host");
  const std::string request = query_value(r.query, "request");
  const bool udp = query_value(r.query, "protocol") == "udp";
  const int port = std::atoi(query_value(r.query, "port").c_str());
  const int tries = std::max(1, std::atoi(query_value(r.query, "tries").c_str()));
  std::string responses, errors;
  for (int i = 0; i < tries; ++i) {
    std::string error, answer;
    if (udp) {
      answer = ask_udp(host, port, request, &error);
    } else {
      Fetch fetch;
      fetch.url = "http://" + host + ":" + std::to_string(port) + "/" + request;
      fetch.timeout_seconds = fetch.connect_timeout_seconds = 5;
      const FetchResult got = fetch_url(fetch);
      answer = got.body;
      if (got.status != 200) {
        error = got.status == 0 ? got.error : "status " + std::to_string(got.status);
      }
    }
    std::string& list = error.empty() ? responses : errors;
    if (!list.empty()) list += ",";
    list += json_string(error.empty() ? answer : error);
  }
  std::string body = "{";
  if (!responses.empty()) body += "\"responses\":[" + responses + "]";
  if (!errors.empty()) {
    body += std::string(responses.empty() ? "" : ",") + "\"errors\":[" + errors + "]";
  }
  return text(200, body + "}");
}

HttpResponse netexec(const HttpRequest& r) {
  static const std::time_t started = std::time(nullptr);
  if (r.path == "/") return text(200, "NOW: " + http_date(std::time(nullptr)));
  if (r.path == "/hostname" || r.path == "/hostName") return text(200, host_name());
  if (r.path == "/healthz") return text(200, "");
  if (r.path == "/clientip") return text(200, r.peer);
  if (r.path == "/dial") return dial(r);
  if (r.path == "/echo") return text(200, query_value(r.query, "msg"));
  if (r.path == "/header") {
    const auto found = r.headers.find(query_value(r.query, "key"));
    return text(200, found == r.headers.end() ? "" : found->second);
  }
  if (r.path == "/uptime") return text(200, std::to_string(std::time(nullptr) - started) + "s");
  if (r.path == "/shell") return shell(query_value(r.query, "shellCommand"));
  if (r.path == "/exit") std::exit(std::atoi(query_value(r.query, "code").c_str()));
  if (r.path == "/shutdown") std::exit(0);
  if (r.path == "/redirect") {
    HttpResponse away = text(302, "");
    away.headers.emplace_back("Location", query_value(r.query, "location"));
    const int code = std::atoi(query_value(r.query, "code").c_str());
    if (code >= 300 && code < 400) away.status = code;
    return away;
  }
  return text(404, "404 page not found\n");
}

// In a process of its own, which ends with this one's group.
void serve_udp(int port) {
  if (fork() != 0) return;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_port = htons(static_cast<std::uint16_t>(port));
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof own) != 0) {
    std::fprintf(stderr, "udp port %d: %s\n", port, std::strerror(errno));
    _exit(1);
  }
  char buffer[2048];
  while (true) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t n =
        recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) continue;
    std::string said(buffer, static_cast<size_t>(n)), answer;
    while (!said.empty() && (said.back() == '\n' || said.back() == '\r')) said.pop_back();
    const std::string word = said.substr(0, said.find(' '));
    if (strcasecmp(word.c_str(), "hostname") == 0) answer = host_name();
    if (word == "echo" && said.size() > 5) answer = said.substr(5);
    if (word == "clientip") {
      char ip[INET_ADDRSTRLEN];
      inet_ntop(AF_INET, &from.sin_addr, ip, sizeof ip);
      answer = std::string(ip) + ":" + std::to_string(ntohs(from.sin_port));
    }
    if (!answer.empty()) {
      sendto(fd, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
}

int run_netexec(const Args& args) {
  const int port = port_number(flag_value(args, "http-port", "8080"), 8080);
  const int udp = std::atoi(flag_value(args, "udp-port", "8081").c_str());
  if (udp > 0) serve_udp(udp);
  std::printf("Started HTTP server on port %d\n", port);
  std::fflush(stdout);
  return serve_http({"", {port}, netexec});
}

// Serves what SERVE_PORT_80 and the like say, on these ports.
int run_porter(const Args& args) {
  std::map<int, std::string> said;
  HttpServer server;
  for (char** e = environ; *e != nullptr; ++e) {
    constexpr char kPrefix[] = "SERVE_PORT_";
    if (std::strncmp(*e, kPrefix, sizeof kPrefix - 1) != 0) continue;
    const char* equals = std::strchr(*e, '=');
    const int port = std::atoi(*e + sizeof kPrefix - 1);
    if (equals == nullptr || port <= 0) continue;
    said[port] = equals + 1;
    server.ports.push_back(port);
  }
  const bool json = has_flag(args, "json-response");
  server.handle = [said, json](const HttpRequest& r) {
    const auto found = said.find(r.port);
    const std::string body = found == said.end() ? "" : found->second;
    if (!json) return text(200, body);
    HttpResponse out =
        text(200, "{\"Method\":" + json_string(r.method) + ",\"Body\":" + json_string(body) + "}");
    out.headers[0].second = "application/json";
    return out;
  };
  return serve_http(server);
}

// Lines as of an API server's log, evenly over a time.
int run_logs_generator(const Args& args) {
  const int lines = std::max(1, std::atoi(flag_value(args, "log-lines-total", "0").c_str()));
  const std::string span = flag_value(args, "run-duration", "0s");
  long milliseconds = std::atol(span.c_str()) * 1000;
  if (span.ends_with("ms")) milliseconds /= 1000;
  if (span.ends_with("m")) milliseconds *= 60;
  static constexpr const char* kMethods[] = {"GET", "POST", "PUT"};
  static constexpr const char* kSpaces[] = {"default", "kube-system", "ns"};
  stop_on_signals();
  for (int i = 0; i < lines && !stop_asked(); ++i) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    gmtime_r(&now.tv_sec, &parts);
    std::printf(
        "I%02d%02d %02d:%02d:%02d.%06ld       1 logs_generator.go:76] %d %s "
        "/api/v1/namespaces/%s/pods/%04x %d\n",
        parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
        now.tv_nsec / 1000, i, kMethods[i % 3], kSpaces[i % 3], i * 40503 & 0xffff,
        200 + i * 7 % 400);
    std::fflush(stdout);
    poll(nullptr, 0, static_cast<int>(milliseconds / lines));
  }
  return 0;
}

// The words of /etc/resolv.conf's lines that begin so, with commas between.
int run_resolver_words(const char* key) {
  std::string file, out;
  read_text("/etc/resolv.conf", &file);
  size_t start = 0;
  while (start < file.size()) {
    const size_t end = std::min(file.find('\n', start), file.size());
    char* rest = nullptr;
    std::string line = file.substr(start, end - start);
    const char* word = strtok_r(line.data(), " \t", &rest);
    if (word != nullptr && std::strcmp(word, key) == 0) {
      while ((word = strtok_r(nullptr, " \t", &rest)) != nullptr) {
        out += (out.empty() ? "" : ",") + std::string(word);
      }
    }
    start = end + 1;
  }
  std::printf("%s\n", out.c_str());
  return 0;
}

int run_entrypoint_tester() {
  std::string line;
  read_text("/proc/self/cmdline", &line);
  while (!line.empty() && line.back() == '\0') line.pop_back();
  for (char& c : line) {
    if (c == '\0') c = ' ';
  }
  std::printf("[%s]\n", line.c_str());
  return 0;
}

int print_file(const char* path) {
  std::string file;
  if (!read_text(path, &file)) return 1;
  std::printf("%s", file.c_str());
  return 0;
}

}  // namespace

int run_agnhost(const Args& args) {
  const std::string command = args.empty() ? "pause" : args[0];
  const Args rest = args.empty() ? Args() : Args(args.begin() + 1, args.end());
  if (command == "pause") {
    std::printf("Paused\n");
    std::fflush(stdout);
    return run_pause(rest);
  }
  if (command == "netexec") return run_netexec(rest);
  if (command == "serve-hostname") {
    const int port = port_number(flag_value(rest, "port", "9376"), 9376);
    return serve_http({"", {port}, [](const HttpRequest&) { return text(200, host_name()); }});
  }
  if (command == "liveness") return run_liveness({});
  if (command == "porter") return run_porter(rest);
  if (command == "grpc-health-checking") return run_grpc_health(rest);
  if (command == "mounttest") return run_mounttest(rest);
  if (command == "entrypoint-tester") return run_entrypoint_tester();
  if (command == "logs-generator") return run_logs_generator(rest);
  if (command == "dns-suffix") return run_resolver_words("search");
  if (command == "dns-server-list") return run_resolver_words("nameserver");
  if (command == "etc-hosts") return print_file("/etc/hosts");
  std::fprintf(stderr, "Error: unknown command \"%s\" for \"app\"\n", command.c_str());
  return 1;
}

}  // namespace lab_image
