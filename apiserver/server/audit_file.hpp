// AuditFile: the file of --audit-log-path: lines are appended; at `bytes_max` it is put aside under
// a name with the time in it and begun anew. Of those put aside the newest `backups_max` stay, and
// none that is older than `age_max` (0: no limit). Readable by its owner only.
//
// Strand only; writes block, as the log must not lose what was answered. A write that fails is told
// to the log of the server, once until one succeeds again.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/status.hpp"

namespace coracle::apiserver {

struct AuditFileLimits {
  std::int64_t bytes_max = 100 << 20;
  int backups_max = 0;
  Duration age_max{};
};

class AuditFile {
 public:
  // "-" is standard output, which is never put aside. Unavailable when it cannot be opened.
  static Result<AuditFile> open(std::string path, AuditFileLimits limits);
  AuditFile(AuditFile&& other) noexcept;
  AuditFile& operator=(AuditFile&&) = delete;
  ~AuditFile();

  void append(const std::string& line, WallTime now);

  // "audit.log" put aside at this time: "audit-2026-01-31T09-08-07.654.log".
  static std::string backup_name(const std::string& path, WallTime when);

 private:
  AuditFile(std::string path, AuditFileLimits limits) : path_(std::move(path)), limits_(limits) {}
  Status reopen();
  void rotate(WallTime now);
  void remove_old(WallTime now) const;

  std::string path_;
  AuditFileLimits limits_;
  int descriptor_ = -1;
  std::int64_t bytes_ = 0;
  bool failing_ = false;
};

}  // namespace coracle::apiserver
