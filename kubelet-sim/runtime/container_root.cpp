#include "kubelet_runtime/container_root.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>

namespace coracle::kubelet {
namespace {

constexpr const char* kLabImage = "/usr/lib/lab-image";

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\n"
    "daemon:x:2:2:daemon:/sbin:/sbin/nologin\nmail:x:8:12:mail:/var/mail:/sbin/nologin\n"
    "www-data:x:33:33:www-data:/var/www:/sbin/nologin\ncurl_user:x:100:101::/home/curl_user:/bin/"
    "sh\n"
    "nginx:x:101:101:nginx:/var/cache/nginx:/sbin/nologin\nguest:x:405:100:guest:/dev/null:/sbin/"
    "nologin\nredis:x:999:999:redis:/data:/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/:/sbin/nologin\n";
constexpr std::string_view kGroup =
    "root:x:0:root\nbin:x:1:\ndaemon:x:2:\ntty:x:5:\nmail:x:12:\nwww-data:x:33:\nusers:x:100:\n"
    "nginx:x:101:\nredis:x:999:\nnogroup:x:65533:\nnobody:x:65534:\n";

constexpr std::array kFolders = {
    "dev/pts",   "dev/shm", "etc",      "home",      "lib",           "media",
    "mnt",       "opt",     "proc",     "root",      "run/lock",      "srv",
    "sys",       "usr/lib", "usr/sbin", "usr/share", "usr/local/bin", "usr/local/sbin",
    "var/cache", "var/lib", "var/log",  "var/spool", "var/www",       "data"};
constexpr std::array kDevices = {"null", "zero", "full", "random", "urandom", "tty"};

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

Status make_base(const std::string& root, Owner owner) {
  RETURN_IF_ERROR(make_folder(root, 0755, owner));
  for (const char* folder : kFolders) {
    RETURN_IF_ERROR(make_folder(root + "/" + folder, 0755, owner));
  }
  for (const char* open : {"tmp", "var/tmp"}) {
    RETURN_IF_ERROR(make_folder(root + "/" + open, 01777, owner));
  }
  for (const auto& [link, target] :
       {std::pair{"var/run", "../run"}, std::pair{"sbin", "bin"}, std::pair{"usr/bin", "../bin"},
        std::pair{"dev/fd", "/proc/self/fd"}, std::pair{"dev/stdin", "/proc/self/fd/0"},
        std::pair{"dev/stdout", "/proc/self/fd/1"}, std::pair{"dev/stderr", "/proc/self/fd/2"},
        std::pair{"etc/mtab", "/proc/mounts"}}) {
    RETURN_IF_ERROR(make_link(root + "/" + link, target, owner));
  }
  RETURN_IF_ERROR(make_file(root + "/etc/passwd", kPasswd, 0644, owner));
  RETURN_IF_ERROR(make_file(root + "/etc/group", kGroup, 0644, owner));
  RETURN_IF_ERROR(make_file(root + "/etc/nsswitch.conf", "hosts: files dns\n", 0644, owner));
  return make_file(root + "/etc/os-release",
                   "ID=coracle\nNAME=\"Coracle lab image\"\nPRETTY_NAME=\"Coracle lab image\"\n",
                   0644, owner);
}

Status add_image(const RootTools& tools, const RootWanted& wanted) {
  const std::string lab_image = tools.isolated ? kLabImage : tools.lab_image;
  for (const auto& [path, program] : wanted.image.programs) {
    const std::string file = wanted.path + path;
    RETURN_IF_ERROR(make_folder(parent_of(file), 0755, wanted.owner));
    // It finds out by its name what to be.
    if (path.substr(path.rfind('/') + 1) == program) {
      RETURN_IF_ERROR(make_link(file, lab_image, wanted.owner));
    } else {
      RETURN_IF_ERROR(make_file(file, "#!/bin/sh\nexec " + lab_image + " " + program + " \"$@\"\n",
                                0755, wanted.owner));
    }
  }
  for (const auto& [path, content] : wanted.image.files) {
    const std::string file = wanted.path + path;
    RETURN_IF_ERROR(make_folder(parent_of(file), 0755, wanted.owner));
    const int mode = content.starts_with("#!") ? 0755 : 0644;
    RETURN_IF_ERROR(make_file(file, content, mode, wanted.owner));
  }
  return {};
}

bool is_folder(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// Where there is no mounting, a link stands for a mount.
Status add_mount_point(const RootTools& tools, const RootWanted& wanted, const BindMount& mount) {
  const std::string point = wanted.path + mount.target;
  if (!tools.isolated) {
    RETURN_IF_ERROR(make_folder(parent_of(point), 0755, wanted.owner));
    if (is_folder(point)) remove_tree(point);
    return make_link(point, mount.source, wanted.owner);
  }
  if (is_folder(mount.source)) return make_folder(point, 0755, wanted.owner);
  RETURN_IF_ERROR(make_folder(parent_of(point), 0755, wanted.owner));
  struct stat info{};
  if (lstat(point.c_str(), &info) == 0 && !S_ISLNK(info.st_mode)) return {};
  remove_tree(point);
  return make_file(point, "", 0644, wanted.owner);
}

// What every image has beside busybox's commands, or in place of one.
constexpr std::array kOurs = {"bash", "curl", "nslookup", "wget"};

bool is_ours(const std::string& name) {
  return std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end();
}

// Busybox's shell prefers busybox's own commands to those of the PATH. In the lab's copy the names
// of those that are ours end in another letter, so that nobody asks for them: the table of names is
// sorted, and stays so.
Status copy_busybox(const std::string& from, const std::string& to, const Owner& owner) {
  constexpr std::size_t kBytesMax = 64u << 20;
  std::string program = read_start(from, kBytesMax);
  for (const char* const one : kOurs) {
    const std::string name = std::string(1, '\0') + one + std::string(1, '\0');
    const std::size_t at = program.find(name);
    if (at != std::string::npos) ++program[at + name.size() - 2];
  }
  return make_file(to, program, 0755, owner);
}

}  // namespace

Status make_commands(const RootTools& tools, const std::vector<std::string>& applets) {
  const Owner ours;
  remove_tree(tools.commands);
  RETURN_IF_ERROR(make_folder(tools.commands, 0755, ours));
  RETURN_IF_ERROR(copy_busybox(tools.busybox, tools.commands + "/busybox", ours));
  for (const std::string& applet : applets) {
    if (applet == "busybox" || is_ours(applet) || applet.empty() ||
        applet.find('/') != std::string::npos)
      continue;
    RETURN_IF_ERROR(make_link(tools.commands + "/" + applet, "busybox", ours));
  }
  const std::string lab_image = tools.isolated ? kLabImage : tools.lab_image;
  for (const char* const name : kOurs) {
    RETURN_IF_ERROR(make_link(tools.commands + "/" + name, lab_image, ours));
  }
  return {};
}

Result<std::vector<BindMount>> make_container_root(const RootTools& tools,
                                                   const RootWanted& wanted) {
  remove_tree(wanted.path);
  RETURN_IF_ERROR(make_base(wanted.path, wanted.owner));
  std::vector<BindMount> mounts;
  if (tools.isolated) {
    mounts.push_back({tools.commands, "/bin", true});
    mounts.push_back({tools.lab_image, kLabImage, true});
    for (const char* device : kDevices) {
      mounts.push_back({std::string("/dev/") + device, std::string("/dev/") + device, false});
    }
  } else {
    RETURN_IF_ERROR(make_link(wanted.path + "/bin", tools.commands, wanted.owner));
  }
  RETURN_IF_ERROR(add_image(tools, wanted));
  for (const BindMount& mount : mounts) {
    if (mount.target == "/bin/busybox") continue;  // it is in the shared folder
    RETURN_IF_ERROR(add_mount_point(tools, wanted, mount));
  }
  // Outer mount points before those inside them.
  std::vector<BindMount> own = wanted.mounts;
  std::stable_sort(own.begin(), own.end(), [](const BindMount& a, const BindMount& b) {
    return std::count(a.target.begin(), a.target.end(), '/') <
           std::count(b.target.begin(), b.target.end(), '/');
  });
  for (const BindMount& mount : own) {
    RETURN_IF_ERROR(add_mount_point(tools, wanted, mount));
    mounts.push_back(mount);
  }
  if (!wanted.working_dir.empty()) {
    RETURN_IF_ERROR(make_folder(wanted.path + wanted.working_dir, 0755, wanted.owner));
  }
  return mounts;
}

}  // namespace coracle::kubelet
