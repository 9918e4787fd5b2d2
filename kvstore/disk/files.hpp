// Files: the file system the log is written to. Port; ends: real_files() (file.hpp) and the
// simulated disk (sim/store), which loses, tears and reorders what was not synced.
//
// Thread: a file belongs to one thread at a time; different files may be used by different threads.
// Errors: as in file.hpp, with the file's name in the text.
#pragma once

#include <memory>

#include "disk/file.hpp"

namespace coracle::disk {

class OpenFile {
 public:
  virtual ~OpenFile() = default;
  virtual Result<std::uint64_t> size() const = 0;
  virtual Result<std::string> read(std::uint64_t offset, size_t length) const = 0;
  virtual Status write(std::uint64_t offset, std::string_view bytes) = 0;
  virtual Status write_zeros(std::uint64_t offset, std::uint64_t length) = 0;
  // Data and size are on the disk when it returns. After a failure nothing may be assumed.
  virtual Status sync() = 0;
  // The new name is durable only after sync_dir().
  virtual Status rename_to(const std::string& path) = 0;
};

class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::unique_ptr<OpenFile>> open(const std::string& path, File::Mode mode) = 0;
  virtual Status make_dirs(const std::string& path) = 0;
  virtual Status sync_dir(const std::string& path) = 0;
  virtual Status remove_file(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list_dir(const std::string& path) = 0;
};

// The operating system's. Thread-safe.
Files& real_files();

}  // namespace coracle::disk
