// Log lines of a daemon: "2026-11-21T06:00:00.000Z INFO kvstore-1 became leader term=3".
// Drivers log; cores do not. Thread-safe. Never put a secret in a line.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace coracle::log {

enum class Level { kDebug, kInfo, kWarn, kError };

// Sets the name in every line and in fail_startup. Lines go to standard error until then and after.
void init(std::string program_name, Level level = Level::kInfo);
const std::string& program_name();
// "debug", "info", "warn", "error"; false if it is none of them.
bool parse_level(std::string_view text, Level* level);

bool enabled(Level level);
void write(Level level, std::string_view line);
void flush();

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug))
    write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace coracle::log
