#include "kubelet_runtime/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "base/strings.hpp"

namespace coracle::kubelet {
namespace {

Status failed(const char* what, const std::string& path) {
  return unavailable(fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

}  // namespace

Status give(const std::string& path, Owner owner) {
  if (owner.uid < 0 && owner.gid < 0) return {};
  if (lchown(path.c_str(), static_cast<uid_t>(owner.uid), static_cast<gid_t>(owner.gid)) != 0) {
    return failed("chown", path);
  }
  return {};
}

Status make_folder(const std::string& path, int mode, Owner owner) {
  struct stat info{};
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    errno = ENOTDIR;
    return failed("mkdir", path);
  }
  const size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    RETURN_IF_ERROR(make_folder(path.substr(0, slash), 0755, owner));
  }
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed("mkdir", path);
  if (chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) return failed("chmod", path);
  return give(path, owner);
}

Status make_file(const std::string& path, std::string_view content, int mode, Owner owner) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed("create", path);
  Status status;
  for (std::string_view rest = content; !rest.empty();) {
    const ssize_t n = write(fd, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      status = failed("write", path);
      break;
    }
    rest.remove_prefix(static_cast<size_t>(n));
  }
  if (status.ok() && fchmod(fd, static_cast<mode_t>(mode)) != 0) status = failed("chmod", path);
  close(fd);
  if (!status.ok()) return status;
  return give(path, owner);
}

Status make_link(const std::string& path, const std::string& target, Owner owner) {
  if (symlink(target.c_str(), path.c_str()) != 0) {
    if (errno != EEXIST || unlink(path.c_str()) != 0 ||
        symlink(target.c_str(), path.c_str()) != 0) {
      return failed("link", path);
    }
  }
  return give(path, owner);
}

std::string read_start(const std::string& path, size_t bytes_max) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return {};
  std::string text(bytes_max, '\0');
  const ssize_t n = read(fd, text.data(), text.size());
  close(fd);
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return text;
}

void remove_tree(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) return;
  // Folders that their owner has locked.
  for (auto it = fs::recursive_directory_iterator(
           path, fs::directory_options::skip_permission_denied, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && !it->is_symlink(ignored)) {
      fs::permissions(it->path(), fs::perms::owner_all, ignored);
    }
  }
  fs::remove_all(path, error);
}

std::int64_t disk_use(const std::string& path, int entries_max) {
  constexpr std::int64_t kBlock = 512;  // the unit of st_blocks
  char* const roots[] = {const_cast<char*>(path.c_str()), nullptr};
  FTS* tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, nullptr);
  std::int64_t bytes = 0;
  std::set<ino_t> several_names;
  while (FTSENT* entry = tree == nullptr ? nullptr : fts_read(tree)) {
    if (entry->fts_info != FTS_F && entry->fts_info != FTS_D) continue;
    if (--entries_max < 0) break;
    const struct stat& info = *entry->fts_statp;
    if (entry->fts_info != FTS_F) continue;
    if (info.st_nlink > 1 && !several_names.insert(info.st_ino).second) continue;
    bytes += info.st_blocks * kBlock;
  }
  if (tree != nullptr) fts_close(tree);
  return bytes;
}

bool stays_inside(std::string_view path) {
  for (const std::string& part : split(path, '/')) {
    if (part == "..") return false;
  }
  return true;
}

}  // namespace coracle::kubelet
