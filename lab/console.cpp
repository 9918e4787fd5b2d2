#include "lab/console.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace coracle::lab {

Console::Console() : colours_(isatty(1) != 0 && std::getenv("NO_COLOR") == nullptr) {}

void Console::say(const std::string& line) const {
  std::fprintf(stdout, "%s%s\n", colours_ ? "\r\033[K" : "", line.c_str());
  std::fflush(stdout);
}

void Console::step(const std::string& line, double seconds) const {
  say(fmt::format("{}  {} ({:.1f} s)", colours_ ? "\033[32mok\033[0m" : "ok", line, seconds));
}

void Console::fail(const std::string& line) const {
  std::fflush(stdout);
  std::fprintf(stderr, "%s%s\n", colours_ ? "\r\033[K" : "", line.c_str());
}

void Console::progress(const std::string& line) const {
  if (!colours_) return;
  std::fprintf(stdout, "\r\033[K...  %s", line.c_str());
  std::fflush(stdout);
}

std::string Console::bold(const std::string& text) const {
  return colours_ ? "\033[1m" + text + "\033[0m" : text;
}

}  // namespace coracle::lab
