#include "disk/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace coracle::disk {
namespace {

namespace fs = std::filesystem;

Status io_error(std::string_view what, const std::string& path, int error) {
  const std::string text = path + ": " + std::string(what) + ": " + std::strerror(error);
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
      return {Code::kPermissionDenied, text};
    case ENOENT:
      return not_found(text);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {Code::kResourceExhausted, text};
    default:
      return internal_error(text);
  }
}

}  // namespace

Result<File> File::open(const std::string& path, Mode mode) {
  int flags = O_CLOEXEC;
  if (mode == Mode::kRead) flags |= O_RDONLY;
  if (mode == Mode::kReadWrite) flags |= O_RDWR;
  if (mode == Mode::kCreate) flags |= O_RDWR | O_CREAT | O_EXCL;
  File file;
  file.fd_ = ::open(path.c_str(), flags, 0600);
  if (file.fd_ < 0) return io_error(mode == Mode::kCreate ? "create" : "open", path, errno);
  file.path_ = path;
  return file;
}

File::File(File&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

File::~File() { close(); }

void File::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<std::uint64_t> File::size() const {
  struct stat info{};
  if (::fstat(fd_, &info) != 0) return io_error("stat", path_, errno);
  return static_cast<std::uint64_t>(info.st_size);
}

Result<std::string> File::read(std::uint64_t offset, size_t length) const {
  std::string bytes(length, '\0');
  size_t done = 0;
  while (done < length) {
    const ssize_t n = ::pread(fd_, bytes.data() + done, length - done, off_t(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("read", path_, errno);
    if (n == 0) return data_loss(path_ + ": read: the file is shorter than expected");
    done += size_t(n);
  }
  return bytes;
}

Status File::write(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), off_t(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("write", path_, errno);
    offset += std::uint64_t(n);
    bytes.remove_prefix(size_t(n));
  }
  return {};
}

Status File::sync() {
  if (::fdatasync(fd_) != 0) return io_error("fdatasync", path_, errno);
  return {};
}

// Behind the end, room that reads as zeros does as well and costs no writing.
Status File::write_zeros(std::uint64_t offset, std::uint64_t length) {
  ASSIGN_OR_RETURN(const std::uint64_t end, size());
  if (offset >= end && ::fallocate(fd_, 0, off_t(offset), off_t(length)) == 0) return {};
  static const std::string kZeros(256 << 10, '\0');
  while (length > 0) {
    const std::uint64_t step = std::min<std::uint64_t>(length, kZeros.size());
    RETURN_IF_ERROR(write(offset, std::string_view(kZeros).substr(0, step)));
    offset += step;
    length -= step;
  }
  return {};
}

Status File::lock() {
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK) return failed_precondition(path_ + ": locked by another process");
  return io_error("lock", path_, errno);
}

Status File::rename_to(const std::string& path) {
  if (::rename(path_.c_str(), path.c_str()) != 0) return io_error("rename", path_, errno);
  path_ = path;
  return {};
}

Status make_dirs(const std::string& path) {
  if (path.empty() || exists(path)) return {};
  const std::string parent = fs::path(path).parent_path();
  if (parent != path) RETURN_IF_ERROR(make_dirs(parent));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return io_error("mkdir", path, errno);
  return sync_dir(parent.empty() ? "." : parent);  // what is in it shall not go with its name
}

Status sync_dir(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io_error("open", path, errno);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return error == 0 ? Status() : io_error("fsync", path, error);
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error("remove", path, errno);
  return {};
}

Status remove_tree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return error ? io_error("remove", path, error.value()) : Status();
}

bool exists(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0;
}

Result<std::vector<std::string>> list_dir(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  fs::directory_iterator it(path, error);
  if (error) return io_error("list", path, error.value());
  for (; it != fs::directory_iterator(); it.increment(error)) {
    if (error) return io_error("list", path, error.value());
    names.push_back(it->path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace coracle::disk
