#include "http.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace lab_image {
namespace {

constexpr size_t kClientsMax = 256, kHeadMax = 16 << 10, kBodyMax = 1 << 20, kFileMax = 64 << 20;

volatile sig_atomic_t g_stop = 0;
void note_stop(int) { g_stop = 1; }

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

struct Client {
  int fd = -1, port = 0;
  std::string peer, in, out;
  bool last = false;  // close when `out` is sent
  std::unique_ptr<TlsSession> tls;

  ssize_t receive(char* buffer, size_t size) {
    return tls ? tls->receive(buffer, size) : recv(fd, buffer, size, 0);
  }
  ssize_t send_some() {
    return tls ? tls->send(out.data(), out.size()) : send(fd, out.data(), out.size(), MSG_NOSIGNAL);
  }
};

// The head of a request; false if it is none.
bool parse_head(const std::string& head, HttpRequest* r) {
  const size_t line_end = head.find("\r\n");
  const std::string line = head.substr(0, line_end);
  const size_t a = line.find(' '), b = line.rfind(' ');
  if (a == std::string::npos || a == b) return false;
  r->method = line.substr(0, a);
  r->target = line.substr(a + 1, b - a - 1);
  r->version = line.substr(b + 1);
  if (r->version.rfind("HTTP/1.", 0) != 0 || r->target.empty()) return false;
  const size_t mark = r->target.find('?');
  r->path = percent_decoded(r->target.substr(0, mark));
  if (mark != std::string::npos) r->query = r->target.substr(mark + 1);
  for (size_t at = line_end; at != std::string::npos && at + 2 < head.size();) {
    const size_t start = at + 2;
    at = head.find("\r\n", start);
    const std::string field = head.substr(start, at - start);
    const size_t colon = field.find(':');
    if (colon == std::string::npos) continue;
    r->headers[lower(field.substr(0, colon))] = trimmed(field.substr(colon + 1));
  }
  return true;
}

class Loop {
 public:
  explicit Loop(const HttpServer& server) : server_(server) {}

  int run() {
    for (const int port : server_.ports) {
      const int fd = listen_on(port);
      if (fd < 0) {
        std::fprintf(stderr, "bind() to 0.0.0.0:%d failed (%d: %s)\n", port, errno,
                     std::strerror(errno));
        return 1;
      }
      listeners_.push_back({fd, port});
    }
    while (!stop_asked()) turn();
    return 0;
  }

 private:
  void turn() {
    std::vector<pollfd> fds;
    for (const auto& [fd, port] : listeners_) fds.push_back({fd, POLLIN, 0});
    for (const Client& c : clients_) {
      fds.push_back({c.fd, static_cast<short>(c.out.empty() ? POLLIN : POLLOUT), 0});
    }
    if (poll(fds.data(), fds.size(), 1000) <= 0) return;
    const size_t first = listeners_.size();
    for (size_t i = 0; i < clients_.size(); ++i) {
      if (fds[first + i].revents != 0 && !serve(clients_[i])) {
        clients_[i].tls.reset();
        close(clients_[i].fd);
        clients_[i].fd = -1;
      }
    }
    clients_.erase(
        std::remove_if(clients_.begin(), clients_.end(), [](const Client& c) { return c.fd < 0; }),
        clients_.end());
    for (size_t i = 0; i < first; ++i) {
      if (fds[i].revents != 0) take(listeners_[i].first, listeners_[i].second);
    }
  }

  void take(int listener, int port) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const int fd =
        accept4(listener, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (clients_.size() >= kClientsMax) {
      close(fd);
      return;
    }
    char text[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &from.sin_addr, text, sizeof text);
    Client client;
    client.fd = fd;
    client.port = port;
    client.peer = text;
    const auto tls = server_.tls.find(port);
    if (tls != server_.tls.end()) client.tls = std::make_unique<TlsSession>(tls->second, fd);
    clients_.push_back(std::move(client));
  }

  // False: the connection is over.
  bool serve(Client& c) {
    if (!c.out.empty()) return flush(c);
    char buffer[16384];
    const ssize_t n = c.receive(buffer, sizeof buffer);
    if (n == 0) return false;
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    c.in.append(buffer, static_cast<size_t>(n));
    while (!c.last && answer(c)) {
    }
    return flush(c);
  }

  static bool flush(Client& c) {
    while (!c.out.empty()) {
      const ssize_t n = c.send_some();
      if (n <= 0) return errno == EAGAIN || errno == EINTR;
      c.out.erase(0, static_cast<size_t>(n));
    }
    return !c.last;
  }

  // One request of what came in, if it is whole.
  bool answer(Client& c) {
    const size_t end = c.in.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (c.in.size() > kHeadMax) refuse(c, 431);
      return false;
    }
    HttpRequest request;
    request.peer = c.peer;
    request.port = c.port;
    if (!parse_head(c.in.substr(0, end), &request)) return refuse(c, 400), false;
    size_t length = 0;
    if (const auto at = request.headers.find("content-length"); at != request.headers.end()) {
      length = std::strtoul(at->second.c_str(), nullptr, 10);
    } else if (request.headers.count("transfer-encoding") != 0) {
      return refuse(c, 411), false;
    }
    if (length > kBodyMax) return refuse(c, 413), false;
    if (c.in.size() < end + 4 + length) return false;
    request.body = c.in.substr(end + 4, length);
    c.in.erase(0, end + 4 + length);
    const std::string connection = lower(request.headers["connection"]);
    c.last = connection == "close" || (request.version == "HTTP/1.0" && connection != "keep-alive");
    const HttpResponse response = server_.handle(request);
    put(c, response, request.method == "HEAD");
    if (server_.log) server_.log(request, response);
    return true;
  }

  void refuse(Client& c, int status) {
    c.last = true;
    put(c, {status, {}, std::string(status_text(status)) + "\n"}, false);
  }

  void put(Client& c, const HttpResponse& r, bool head_only) {
    std::string& o = c.out;
    o += "HTTP/1.1 " + std::to_string(r.status) + " " + status_text(r.status) + "\r\n";
    if (!server_.name.empty()) o += "Server: " + server_.name + "\r\n";
    o += "Date: " + http_date(std::time(nullptr)) + "\r\n";
    for (const auto& [name, value] : r.headers) o += name + ": " + value + "\r\n";
    o += "Content-Length: " + std::to_string(r.body.size()) + "\r\n";
    o += c.last ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
    if (!head_only) o += r.body;
  }

  const HttpServer& server_;
  std::vector<std::pair<int, int>> listeners_;
  std::vector<Client> clients_;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

int serve_http(const HttpServer& server) {
  stop_on_signals();
  return Loop(server).run();
}

int listen_on(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  // Where nobody makes 0.0.0.0 the pod's address, kubelet-sim tells it.
  if (const char* pod = std::getenv("CORACLE_POD_ADDRESS")) {
    inet_pton(AF_INET, pod, &address.sin_addr);
  }
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      listen(fd, 128) == 0) {
    return fd;
  }
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

void stop_on_signals() {
  struct sigaction action{};
  action.sa_handler = note_stop;
  for (const int number : {SIGTERM, SIGINT, SIGQUIT}) sigaction(number, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool stop_asked() { return g_stop != 0; }

const char* status_text(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Not Allowed";
    case 411:
      return "Length Required";
    case 413:
      return "Request Entity Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

std::string http_date(long seconds) {
  const std::time_t t = seconds;
  std::tm parts{};
  gmtime_r(&t, &parts);
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}

std::string percent_decoded(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string query_value(const std::string& query, const std::string& name) {
  for (size_t at = 0; at <= query.size();) {
    const size_t end = std::min(query.find('&', at), query.size());
    const std::string field = query.substr(at, end - at);
    if (field.rfind(name + "=", 0) == 0) {
      std::string value = field.substr(name.size() + 1);
      std::replace(value.begin(), value.end(), '+', ' ');
      return percent_decoded(value);
    }
    at = end + 1;
  }
  return {};
}

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  const char* told = std::getenv("HOSTNAME");
  return told != nullptr ? told : name;
}

bool read_text(const std::string& path, std::string* text) {
  struct stat info{};
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool good = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
              info.st_size <= static_cast<off_t>(kFileMax);
  char buffer[65536];
  for (ssize_t n = 1; good && n > 0;) {
    n = read(fd, buffer, sizeof buffer);
    good = n >= 0;
    if (n > 0) text->append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  return good;
}

}  // namespace lab_image
