#include "apiserver/server/audit_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/log.hpp"

namespace coracle::apiserver {

namespace {

namespace fs = std::filesystem;

// "dir/audit.log" -> "dir/audit" and ".log".
std::pair<std::string, std::string> stem_and_end(const std::string& path) {
  const std::string end = fs::path(path).extension().string();
  return {path.substr(0, path.size() - end.size()), end};
}

// The time in the name of a backup; InvalidArgument for other files.
Result<WallTime> time_in(const std::string& name, const std::string& path) {
  const auto [stem, end] = stem_and_end(path);
  const std::string prefix = fs::path(stem).filename().string() + "-";
  if (!name.starts_with(prefix) || !name.ends_with(end) ||
      name.size() <= prefix.size() + end.size()) {
    return invalid_argument(name);
  }
  std::string text = name.substr(prefix.size(), name.size() - prefix.size() - end.size());
  if (text.size() != 23) return invalid_argument(name);
  text[13] = text[16] = ':';
  return parse_time(text + "Z");
}

}  // namespace

Result<AuditFile> AuditFile::open(std::string path, AuditFileLimits limits) {
  AuditFile file(std::move(path), limits);
  RETURN_IF_ERROR(file.reopen());
  return file;
}

AuditFile::AuditFile(AuditFile&& other) noexcept
    : path_(std::move(other.path_)),
      limits_(other.limits_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      bytes_(other.bytes_) {}

AuditFile::~AuditFile() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

Status AuditFile::reopen() {
  if (path_ == "-") {
    descriptor_ = STDOUT_FILENO;
    return {};
  }
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) return unavailable(std::strerror(errno));
  struct stat about{};
  bytes_ = ::fstat(descriptor_, &about) == 0 ? about.st_size : 0;
  return {};
}

std::string AuditFile::backup_name(const std::string& path, WallTime when) {
  const auto [stem, end] = stem_and_end(path);
  std::string text = format_micro_time(when).substr(0, 23);
  text[13] = text[16] = '-';
  return stem + "-" + text + end;
}

void AuditFile::append(const std::string& line, WallTime now) {
  const auto size = static_cast<std::int64_t>(line.size());
  if (path_ != "-" && bytes_ > 0 && bytes_ + size > limits_.bytes_max) rotate(now);
  std::size_t done = 0;
  while (descriptor_ >= 0 && done < line.size()) {
    const ssize_t n = ::write(descriptor_, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes_ += static_cast<std::int64_t>(done);
  const bool failed = done < line.size();
  if (failed && !failing_) log::error("--audit-log-path {}: {}", path_, std::strerror(errno));
  failing_ = failed;
}

void AuditFile::rotate(WallTime now) {
  ::close(descriptor_);
  descriptor_ = -1;
  std::error_code error;
  fs::rename(path_, backup_name(path_, now), error);
  if (error) log::error("--audit-log-path {}: cannot be put aside: {}", path_, error.message());
  if (const Status opened = reopen(); !opened.ok()) {
    log::error("--audit-log-path {}: {}", path_, opened.message());
  }
  remove_old(now);
}

void AuditFile::remove_old(WallTime now) const {
  const fs::path folder = fs::absolute(path_).parent_path();
  std::vector<std::pair<WallTime, fs::path>> backups;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto when = time_in(entry.path().filename().string(), path_);
    if (when.ok()) backups.emplace_back(*when, entry.path());
  }
  std::sort(backups.rbegin(), backups.rend());
  for (std::size_t i = 0; i < backups.size(); ++i) {
    const bool many = limits_.backups_max > 0 && i >= static_cast<std::size_t>(limits_.backups_max);
    const bool old = limits_.age_max > Duration::zero() && now - backups[i].first > limits_.age_max;
    if (many || old) fs::remove(backups[i].second, error);
  }
}

}  // namespace coracle::apiserver
