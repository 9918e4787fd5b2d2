// redis-server and redis-cli in small: strings, counters, lists of keys, expiry by hand (DEL).
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "images.hpp"

namespace lab_image {
namespace {

constexpr size_t kRequestMax = 1 << 20, kKeysMax = 100'000, kClientsMax = 256;

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}
std::string number(long long n) { return ":" + std::to_string(n) + "\r\n"; }

class Database {
 public:
  std::string run(Args a) {
    std::string name = a[0];
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const size_t n = a.size();
    const auto wrong = [&] {
      std::string lower = name;
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      return "-ERR wrong number of arguments for '" + lower + "' command\r\n";
    };
    if (name == "PING") return n > 1 ? bulk(a[1]) : "+PONG\r\n";
    if (name == "ECHO") return n == 2 ? bulk(a[1]) : wrong();
    if (name == "SELECT" || name == "CONFIG" || name == "CLIENT") return "+OK\r\n";
    if (name == "COMMAND") return "*0\r\n";
    if (name == "DBSIZE") return number(static_cast<long long>(data_.size()));
    if (name == "FLUSHALL" || name == "FLUSHDB") return data_.clear(), "+OK\r\n";
    if (name == "INFO") {
      return bulk("# Server\r\nredis_version:" + env_or("REDIS_VERSION", "7.4.2") +
                  "\r\nredis_mode:standalone\r\n# Replication\r\nrole:master\r\n");
    }
    if (name == "KEYS") return keys(n > 1 ? a[1] : "*");
    if (name == "SET") {
      if (n < 3) return wrong();
      if (data_.size() >= kKeysMax && data_.count(a[1]) == 0) {
        return "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
      }
      data_[a[1]] = a[2];
      return "+OK\r\n";
    }
    if (name == "GET") return n != 2 ? wrong() : get(a[1]);
    if (name == "DEL" || name == "EXISTS") {
      if (n < 2) return wrong();
      long long count = 0;
      for (size_t i = 1; i < n; ++i) {
        count += static_cast<long long>(name == "DEL" ? data_.erase(a[i]) : data_.count(a[i]));
      }
      return number(count);
    }
    if (name == "INCR" || name == "DECR" || name == "INCRBY") return add(name, a, wrong());
    if (name == "APPEND") {
      if (n != 3) return wrong();
      return number(static_cast<long long>((data_[a[1]] += a[2]).size()));
    }
    return "-ERR unknown command '" + a[0] + "', with args beginning with: \r\n";
  }

 private:
  std::string get(const std::string& key) {
    const auto found = data_.find(key);
    return found == data_.end() ? "$-1\r\n" : bulk(found->second);
  }

  std::string add(const std::string& name, const Args& a, const std::string& wrong) {
    if (a.size() != (name == "INCRBY" ? 3u : 2u)) return wrong;
    const long long by = name == "INCRBY" ? std::atoll(a[2].c_str()) : name == "INCR" ? 1 : -1;
    std::string& value = data_[a[1]];
    char* end = nullptr;
    const long long now = std::strtoll(value.c_str(), &end, 10);
    if (*end != 0) return "-ERR value is not an integer or out of range\r\n";
    value = std::to_string(now + by);
    return number(now + by);
  }

  std::string keys(const std::string& pattern) {
    const std::string prefix = pattern.substr(0, pattern.find('*'));
    std::string out;
    size_t count = 0;
    for (const auto& [key, value] : data_) {
      if (pattern.find('*') == std::string::npos ? key != pattern : key.rfind(prefix, 0) != 0) {
        continue;
      }
      out += bulk(key);
      ++count;
    }
    return "*" + std::to_string(count) + "\r\n" + out;
  }

  std::map<std::string, std::string> data_;
};

// One command of what came in: an array of bulk strings, or a line of words. -1: bad, 0: not whole,
// else how many bytes it took.
long take(const std::string& in, Args* args) {
  const size_t line_end = in.find("\r\n");
  if (line_end == std::string::npos) return in.size() > kRequestMax ? -1 : 0;
  if (in[0] != '*') {
    std::string word;
    for (const char c : in.substr(0, line_end) + " ") {
      if (c != ' ') {
        word += c;
      } else if (!word.empty()) {
        args->push_back(std::move(word));
        word.clear();
      }
    }
    return static_cast<long>(line_end + 2);
  }
  const long count = std::atol(in.c_str() + 1);
  if (count < 0 || count > 1024) return -1;
  size_t at = line_end + 2;
  for (long i = 0; i < count; ++i) {
    const size_t end = in.find("\r\n", at);
    if (end == std::string::npos) return 0;
    const long length = std::atol(in.c_str() + at + 1);
    if (in[at] != '$' || length < 0 || length > static_cast<long>(kRequestMax)) return -1;
    if (in.size() < end + 2 + static_cast<size_t>(length) + 2) return 0;
    args->push_back(in.substr(end + 2, static_cast<size_t>(length)));
    at = end + 2 + static_cast<size_t>(length) + 2;
  }
  return static_cast<long>(at);
}

struct Client {
  int fd;
  std::string in;
};

bool send_all(int fd, const std::string& text) {
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t n = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

bool serve(Client& c, Database& data) {
  char buffer[16384];
  const ssize_t n = recv(c.fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n == 0) return false;
  if (n < 0) return errno == EAGAIN;
  c.in.append(buffer, static_cast<size_t>(n));
  while (!c.in.empty()) {
    Args args;
    const long taken = take(c.in, &args);
    if (taken < 0) return send_all(c.fd, "-ERR Protocol error\r\n"), false;
    if (taken == 0) return true;
    c.in.erase(0, static_cast<size_t>(taken));
    if (args.empty()) continue;
    if (strcasecmp(args[0].c_str(), "QUIT") == 0) return send_all(c.fd, "+OK\r\n"), false;
    if (!send_all(c.fd, data.run(args))) return false;
  }
  return true;
}

// A reply as redis-cli prints it to a terminal; takes it off the text.
std::string printed(std::string* text) {
  const size_t end = text->find("\r\n");
  const std::string line = text->substr(1, end - 1);
  const char kind = (*text)[0];
  text->erase(0, end + 2);
  if (kind == '+') return line;
  if (kind == '-') return "(error) " + line;
  if (kind == ':') return "(integer) " + line;
  const long length = std::atol(line.c_str());
  if (kind == '$') {
    if (length < 0) return "(nil)";
    const std::string value = text->substr(0, static_cast<size_t>(length));
    text->erase(0, static_cast<size_t>(length) + 2);
    return "\"" + value + "\"";
  }
  if (length <= 0) return "(empty array)";
  std::string out;
  for (long i = 1; i <= length; ++i) {
    out += (i > 1 ? "\n" : "") + std::to_string(i) + ") " + printed(text);
  }
  return out;
}

}  // namespace

int run_redis_server(const Args& args) {
  if (!args.empty() && (args[0] == "--version" || args[0] == "-v")) {
    std::printf("Redis server v=%s\n", env_or("REDIS_VERSION", "7.4.2").c_str());
    return 0;
  }
  stop_on_signals();
  const int port = std::atoi(flag_value(args, "port", "6379").c_str());
  const int listener = listen_on(port);
  if (listener < 0) {
    std::fprintf(stderr, "Warning: Could not create server TCP listening socket *:%d: %s\n", port,
                 std::strerror(errno));
    return 1;
  }
  std::printf("1:M * Server initialized\n1:M * Ready to accept connections tcp\n");
  std::fflush(stdout);
  Database data;
  std::vector<Client> clients;
  while (!stop_asked()) {
    std::vector<pollfd> fds{{listener, POLLIN, 0}};
    for (const Client& c : clients) fds.push_back({c.fd, POLLIN, 0});
    if (poll(fds.data(), fds.size(), 1000) <= 0) continue;
    for (size_t i = 0; i < clients.size(); ++i) {
      if (fds[i + 1].revents != 0 && !serve(clients[i], data)) {
        close(clients[i].fd);
        clients[i].fd = -1;
      }
    }
    clients.erase(
        std::remove_if(clients.begin(), clients.end(), [](const Client& c) { return c.fd < 0; }),
        clients.end());
    if (fds[0].revents == 0) continue;
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0 && clients.size() < kClientsMax)
      clients.push_back({fd, {}});
    else if (fd >= 0)
      close(fd);
  }
  std::printf("1:M # Redis is now ready to exit, bye bye...\n");
  return 0;
}

int run_redis_cli(const Args& args) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(6379);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Args command;
  for (size_t i = 0; i < args.size(); ++i) {
    if ((args[i] == "-h" || args[i] == "-p") && i + 1 < args.size() && command.empty()) {
      if (args[i] == "-p")
        address.sin_port = htons(static_cast<unsigned short>(std::atoi(args[i + 1].c_str())));
      else
        inet_pton(AF_INET, args[i + 1].c_str(), &address.sin_addr);
      ++i;
    } else {
      command.push_back(args[i]);
    }
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::fprintf(stderr, "Could not connect to Redis at 127.0.0.1:%d: %s\n",
                 ntohs(address.sin_port), std::strerror(errno));
    return 1;
  }
  const auto ask = [&](const Args& words) {
    std::string request = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& w : words) request += bulk(w);
    std::string reply;
    char buffer[65536];
    if (!send_all(fd, request)) return;
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n > 0) reply.assign(buffer, static_cast<size_t>(n));
    if (!reply.empty()) {
      std::string text = printed(&reply);
      if (isatty(1) == 0 && text.size() >= 2 && text[0] == '"')
        text = text.substr(1, text.size() - 2);
      std::printf("%s\n", text.c_str());
      std::fflush(stdout);
    }
  };
  if (!command.empty()) return ask(command), 0;
  char line[4096];
  while (true) {
    if (isatty(0) != 0) std::printf("127.0.0.1:%d> ", ntohs(address.sin_port));
    std::fflush(stdout);
    if (std::fgets(line, sizeof line, stdin) == nullptr) return 0;
    Args words;
    take(std::string(line, std::strcspn(line, "\r\n")) + "\r\n", &words);
    if (words.empty()) continue;
    if (words[0] == "exit" || words[0] == "quit") return 0;
    ask(words);
  }
}

}  // namespace lab_image
