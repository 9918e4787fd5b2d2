// File: the few system calls the log needs, with errors that name the file.
// A File owns its descriptor and belongs to one thread at a time. Every failure is a Status whose
// text is "PATH: what: reason", so that a user sees which permission or which full disk it was.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace coracle::disk {

class File {
 public:
  enum class Mode { kRead, kReadWrite, kCreate };  // kCreate: read and write, must not exist yet

  static Result<File> open(const std::string& path, Mode mode);
  File() = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  bool is_open() const { return fd_ >= 0; }
  const std::string& path() const { return path_; }
  Result<std::uint64_t> size() const;
  // Exactly `length` bytes; DataLoss if the file is shorter.
  Result<std::string> read(std::uint64_t offset, size_t length) const;
  Status write(std::uint64_t offset, std::string_view bytes);
  // Data and size are on the disk when it returns. After a failure nothing may be assumed: do not
  // retry.
  Status sync();
  // Writes zeros over [offset, offset + length), so that later writes change no metadata.
  Status write_zeros(std::uint64_t offset, std::uint64_t length);
  // An advisory lock for the life of the File; FailedPrecondition when another process has it.
  Status lock();
  // The new name is durable only after sync_dir().
  Status rename_to(const std::string& path);
  void close();

 private:
  int fd_ = -1;
  std::string path_;
};

// Makes the folder and its parents, mode 0700.
Status make_dirs(const std::string& path);
// Makes the names in a folder durable (after create, rename or remove).
Status sync_dir(const std::string& path);
Status remove_file(const std::string& path);
Status remove_tree(const std::string& path);
bool exists(const std::string& path);
// Names in a folder, sorted.
Result<std::vector<std::string>> list_dir(const std::string& path);

}  // namespace coracle::disk
