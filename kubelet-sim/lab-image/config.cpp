#include "config.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace lab_image {
namespace {

bool read_all(int fd, std::string* text) {
  char buffer[4096];
  while (true) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n > 0) {
      text->append(buffer, static_cast<size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      return n == 0;
    }
  }
}

Bind bind_of(const std::string& value) {
  Bind bind;
  const size_t first = value.find('\n');
  const size_t second = value.find('\n', first + 1);
  bind.source = value.substr(0, first);
  if (first == std::string::npos) return bind;
  bind.target = value.substr(first + 1, second == std::string::npos ? second : second - first - 1);
  bind.read_only = second != std::string::npos;
  return bind;
}

bool set(const std::string& key, const std::string& value, Config* c) {
  const auto number = [&](int base) { return std::strtoull(value.c_str(), nullptr, base); };
  if (key == "isolate") return c->isolate = value == "1", true;
  if (key == "readonly") return c->read_only = value == "1", true;
  if (key == "tty") return c->tty = value == "1", true;
  if (key == "root") return c->root = value, true;
  if (key == "hostname") return c->hostname = value, true;
  if (key == "address") return c->address = value, true;
  if (key == "cwd") return c->cwd = value, true;
  if (key == "bind") return c->binds.push_back(bind_of(value)), true;
  if (key == "uid") return c->uid = static_cast<uid_t>(number(10)), true;
  if (key == "gid") return c->gid = static_cast<gid_t>(number(10)), true;
  if (key == "group") return c->groups.push_back(static_cast<gid_t>(number(10))), true;
  if (key == "caps") return c->caps = number(16), true;
  if (key == "as-bytes") return c->as_bytes = number(10), true;
  if (key == "share") return c->share = static_cast<pid_t>(number(10)), true;
  if (key == "join") return c->join = static_cast<pid_t>(number(10)), true;
  if (key == "env") return c->env.push_back(value), true;
  if (key == "arg") return c->args.push_back(value), true;
  if (key == "uids") {
    char* end = nullptr;
    c->first_outside = std::strtoul(value.c_str(), &end, 10);
    c->id_count = std::strtoul(end, nullptr, 10);
    return true;
  }
  return false;
}

}  // namespace

bool read_config(int fd, Config* config) {
  std::string text;
  if (!read_all(fd, &text)) return false;
  for (size_t at = 0; at < text.size();) {
    const size_t key_end = text.find('\0', at);
    if (key_end == std::string::npos) return false;
    const size_t value_end = text.find('\0', key_end + 1);
    if (value_end == std::string::npos) return false;
    if (!set(text.substr(at, key_end - at), text.substr(key_end + 1, value_end - key_end - 1),
             config)) {
      return false;
    }
    at = value_end + 1;
  }
  return true;
}

}  // namespace lab_image
