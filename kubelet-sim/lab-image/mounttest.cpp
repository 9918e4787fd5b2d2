#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "agnhost.hpp"

namespace lab_image {
namespace {

bool trouble(const char* what, const std::string& path) {
  std::printf("error %s \"%s\": %s\n", what, path.c_str(), std::strerror(errno));
  return false;
}

// As Go prints a mode: its type, setuid, setgid and sticky in front of the nine letters.
std::string permissions(mode_t mode) {
  std::string out = "-";
  constexpr char kLetters[] = "rwxrwxrwx";
  for (int i = 0; i < 9; ++i) out += (mode >> (8 - i) & 1) != 0 ? kLetters[i] : '-';
  return out;
}

std::string full_mode(mode_t mode) {
  std::string front;
  if (S_ISDIR(mode)) front += 'd';
  if (S_ISLNK(mode)) front += 'L';
  if (S_ISSOCK(mode)) front += 'S';
  if (S_ISFIFO(mode)) front += 'p';
  if ((mode & S_ISUID) != 0) front += 'u';
  if ((mode & S_ISGID) != 0) front += 'g';
  if ((mode & S_ISVTX) != 0) front += 't';
  return (front.empty() ? "-" : front) + permissions(mode).substr(1);
}

bool tell_type(const std::string& path) {
  struct statfs info{};
  if (statfs(path.c_str(), &info) != 0) return trouble("from statfs of", path);
  if (info.f_type == TMPFS_MAGIC) {
    std::printf("mount type of \"%s\": tmpfs\n", path.c_str());
  } else {
    std::printf("mount type of \"%s\": %ld\n", path.c_str(), static_cast<long>(info.f_type));
  }
  return true;
}

bool tell_content(const std::string& path) {
  std::string content;
  if (!read_text(path, &content)) {
    std::printf("error reading file content for \"%s\": open %s: %s\n", path.c_str(), path.c_str(),
                std::strerror(errno));
    return false;
  }
  std::printf("content of file \"%s\": %s\n", path.c_str(), content.c_str());
  std::fflush(stdout);
  return true;
}

bool make_file(const std::string& path, mode_t mode) {
  constexpr char kContent[] = "mount-tester new file\n";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return trouble("writing new file", path);
  const bool written = write(fd, kContent, sizeof kContent - 1) > 0;
  close(fd);
  return written && tell_content(path);
}

bool tell_mode(const std::string& path, bool full) {
  struct stat info{};
  if (full ? lstat(path.c_str(), &info) != 0 : stat(path.c_str(), &info) != 0) {
    return trouble("from lstat of", path);
  }
  std::printf("%s of file \"%s\": %s\n", full ? "mode" : "perms", path.c_str(),
              (full ? full_mode(info.st_mode) : permissions(info.st_mode)).c_str());
  return true;
}

bool tell_owner(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return trouble("from stat of", path);
  std::printf("owner UID of \"%s\": %u\nowner GID of \"%s\": %u\n", path.c_str(), info.st_uid,
              path.c_str(), info.st_gid);
  return true;
}

// Again and again: volumes change. Whether it could be read at last.
bool watch_content(const std::string& path, const Args& args) {
  const int seconds = std::atoi(flag_value(args, "retry_time", "180").c_str());
  const bool first_is_enough = flag_value(args, "break_on_expected_content", "true") != "false";
  bool good = false;
  stop_on_signals();
  for (int i = 0; i < seconds && !stop_asked(); ++i) {
    good = tell_content(path);
    std::fflush(stdout);
    if (good && first_is_enough) return true;
    poll(nullptr, 0, 1000);
  }
  return good;
}

}  // namespace

int run_mounttest(const Args& args) {
  umask(0);
  bool good = true;
  const auto asked = [&](const char* flag, const auto& tell) {
    const std::string path = flag_value(args, flag, "");
    if (!path.empty()) good = tell(path) && good;
  };
  asked("fs_type", tell_type);
  asked("new_file_0644", [](const std::string& path) { return make_file(path, 0644); });
  asked("new_file_0666", [](const std::string& path) { return make_file(path, 0666); });
  asked("new_file_0660", [](const std::string& path) { return make_file(path, 0660); });
  asked("new_file_0777", [](const std::string& path) { return make_file(path, 0777); });
  asked("file_mode", [](const std::string& path) { return tell_mode(path, true); });
  asked("file_perm", [](const std::string& path) { return tell_mode(path, false); });
  asked("file_content", tell_content);
  asked("file_content_in_loop", [&](const std::string& path) { return watch_content(path, args); });
  asked("file_owner", tell_owner);
  std::fflush(stdout);
  return good ? 0 : 1;
}

}  // namespace lab_image
