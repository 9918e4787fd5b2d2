#include "isolation.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace lab_image {
namespace {

// A container's processes, as upstream's podPidsLimit bounds a pod's. The kernel counts them by
// user and user namespace (since Linux 5.14), so none counts for another.
constexpr rlim_t kProcessesMax = 1024;

Problem failed(const std::string& what) { return what + ": " + std::strerror(errno); }

Problem write_text(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return failed("open " + path);
  const ssize_t n = write(fd, text.data(), text.size());
  const Problem problem = n < 0 ? failed("write " + path) : "";
  close(fd);
  return problem;
}

// The user namespace comes first: it gives the right to the others.
Problem join(pid_t process, int others) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  if (handle < 0) return failed("the container's process");
  for (const int kind : {CLONE_NEWUSER, others}) {
    if (setns(handle, kind) != 0) return failed("join the container");
  }
  close(handle);
  return {};
}

std::string map_line(unsigned long inside, unsigned long outside, unsigned long count) {
  return std::to_string(inside) + " " + std::to_string(outside) + " " + std::to_string(count) +
         "\n";
}

// The flags that a remount inside a user namespace must keep.
unsigned long kept_flags(const std::string& path) {
  struct statvfs info{};
  if (statvfs(path.c_str(), &info) != 0) return 0;
  unsigned long flags = 0;
  if ((info.f_flag & ST_NOSUID) != 0) flags |= MS_NOSUID;
  if ((info.f_flag & ST_NODEV) != 0) flags |= MS_NODEV;
  if ((info.f_flag & ST_NOEXEC) != 0) flags |= MS_NOEXEC;
  if ((info.f_flag & ST_NOATIME) != 0) flags |= MS_NOATIME;
  if ((info.f_flag & ST_RELATIME) != 0) flags |= MS_RELATIME;
  return flags;
}

Problem make_read_only(const std::string& path) {
  const unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | kept_flags(path);
  return mount(nullptr, path.c_str(), nullptr, flags, nullptr) == 0 ? ""
                                                                    : failed("read-only " + path);
}

Problem bind_all(const Config& config) {
  for (const Bind& bind : config.binds) {
    const std::string target = config.root + bind.target;
    if (mount(bind.source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
      return failed("mount " + bind.source + " at " + bind.target);
    }
    if (!bind.read_only) continue;
    if (Problem p = make_read_only(target); !p.empty()) return p;
  }
  return {};
}

Problem mount_proc(const std::string& root) {
  const std::string target = root + "/proc";
  if (mount("proc", target.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0) {
    return {};
  }
  // A machine that hides parts of its own /proc allows no other one.
  if (mount("/proc", target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0) return {};
  return failed("mount /proc");
}

// The word of PATH that names the program; empty if there is none. `denied`: one that may not run.
std::string find_program(const Config& config, const std::string& name, bool* denied) {
  std::string path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const std::string& variable : config.env) {
    if (variable.rfind("PATH=", 0) == 0) path = variable.substr(5);
  }
  for (size_t at = 0; at <= path.size();) {
    const size_t end = path.find(':', at) == std::string::npos ? path.size() : path.find(':', at);
    const std::string candidate = path.substr(at, end - at) + "/" + name;
    struct stat info{};
    if (stat(candidate.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      if (access(candidate.c_str(), X_OK) == 0) return candidate;
      *denied = true;
    }
    at = end + 1;
  }
  return {};
}

}  // namespace

Problem map_ids(pid_t process, const Config& config) {
  const std::string proc = "/proc/" + std::to_string(process);
  if (config.id_count == 0) {
    if (Problem p = write_text(proc + "/setgroups", "deny"); !p.empty()) return p;
    if (Problem p = write_text(proc + "/uid_map", map_line(config.uid, geteuid(), 1)); !p.empty()) {
      return p;
    }
    return write_text(proc + "/gid_map", map_line(config.gid, getegid(), 1));
  }
  const unsigned long first = config.first_outside, count = config.id_count;
  std::string uids = map_line(0, first, count), gids = uids;
  unsigned long more = first + count;
  if (config.uid >= count) uids += map_line(config.uid, more++, 1);
  more = first + count;
  std::vector<gid_t> big;
  for (const gid_t gid : config.groups) {
    if (gid >= count) big.push_back(gid);
  }
  if (config.gid >= count) big.push_back(config.gid);
  for (size_t i = 0; i < big.size(); ++i) {
    bool twice = false;
    for (size_t k = 0; k < i; ++k) twice = twice || big[k] == big[i];
    if (!twice) gids += map_line(big[i], more++, 1);
  }
  if (Problem p = write_text(proc + "/uid_map", uids); !p.empty()) return p;
  return write_text(proc + "/gid_map", gids);
}

Problem enter_root(const Config& config) {
  const char* root = config.root.c_str();
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("private /");
  if (mount(root, root, nullptr, MS_BIND | MS_REC, nullptr) != 0) return failed("mount the root");
  if (Problem p = bind_all(config); !p.empty()) return p;
  if (Problem p = mount_proc(config.root); !p.empty()) return p;
  if (chdir(root) != 0) return failed("enter the root");
  if (syscall(SYS_pivot_root, ".", ".") != 0) return failed("pivot_root");
  if (umount2(".", MNT_DETACH) != 0) return failed("leave the old root");
  if (chdir("/") != 0) return failed("enter the root");
  if (config.read_only) {
    if (Problem p = make_read_only("/"); !p.empty()) return p;
  }
  if (!config.hostname.empty() &&
      sethostname(config.hostname.c_str(), config.hostname.size()) != 0) {
    return failed("host name");
  }
  return {};
}

Problem join_namespaces(pid_t process) {
  return join(process, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC);
}

Problem join_processes(pid_t process) { return join(process, CLONE_NEWPID); }

Problem become_user(const Config& config) {
  umask(022);
  const rlimit core{0, 0};
  setrlimit(RLIMIT_CORE, &core);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (!config.isolate) return {};  // no other user than ours
  if (config.id_count != 0 && setgroups(config.groups.size(), config.groups.data()) != 0) {
    return failed("groups");
  }
  if (setresgid(config.gid, config.gid, config.gid) != 0) return failed("group");
  // What the command may regain as its user 0: nothing but these.
  for (int cap = 0; cap < 64; ++cap) {
    if ((config.caps >> cap & 1) == 0) prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
  }
  if (setresuid(config.uid, config.uid, config.uid) != 0) return failed("user");
  const rlimit processes{kProcessesMax, kProcessesMax};
  if (setrlimit(RLIMIT_NPROC, &processes) != 0) return failed("process limit");
  if (config.as_bytes != 0) {
    const rlimit limit{config.as_bytes, config.as_bytes};
    if (setrlimit(RLIMIT_AS, &limit) != 0) return failed("memory limit");
  }
  return {};
}

Problem execute(const Config& config, int* exit_code) {
  const std::string& name = config.args[0];
  std::string program = name;
  *exit_code = 127;
  const std::string word = "exec: \"" + name + "\": ";
  if (name.find('/') == std::string::npos) {
    bool denied = false;
    program = find_program(config, name, &denied);
    if (program.empty() && denied) return *exit_code = 126, word + "permission denied";
    if (program.empty()) return word + "executable file not found in $PATH";
  } else if (!config.isolate && access((config.root + name).c_str(), F_OK) == 0) {
    program = config.root + name;  // a folder for a root
  }
  std::vector<char*> args, env;
  for (const std::string& a : config.args) args.push_back(const_cast<char*>(a.c_str()));
  for (const std::string& e : config.env) env.push_back(const_cast<char*>(e.c_str()));
  args.push_back(nullptr);
  env.push_back(nullptr);
  execve(program.c_str(), args.data(), env.data());
  if (errno == ENOENT) return word + "stat " + name + ": no such file or directory";
  if (errno == EACCES) return *exit_code = 126, word + "permission denied";
  if (errno == ENOEXEC) return *exit_code = 126, word + "exec format error";
  return *exit_code = 126, failed("exec " + name);
}

}  // namespace lab_image
