#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/time_zone.hpp"

namespace coracle {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kFileMax = 64 * 1024;

bool is_other_form(const std::string& name) {
  return name == "posix" || name == "right";  // the same zones again
}

void load_file(const fs::path& path, const std::string& name, TimeZones* zones) {
  std::error_code error;
  if (fs::file_size(path, error) > kFileMax || error) return;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  auto zone = TimeZone::parse(bytes.str());
  if (zone.ok()) (*zones)[name] = *std::move(zone);
}

}  // namespace

TimeZones load_time_zones(const std::string& folder) {
  TimeZones zones;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error), end;
  for (; !error && it != end; it.increment(error)) {
    const std::string name = it->path().lexically_relative(folder).string();
    if (it->is_directory(error) && is_other_form(name)) it.disable_recursion_pending();
    if (it->is_regular_file(error)) load_file(it->path(), name, &zones);
  }
  zones["UTC"] = TimeZone();
  return zones;
}

}  // namespace coracle
