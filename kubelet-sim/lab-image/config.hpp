// Config: what kubelet-sim tells the starter of a container, on descriptor 3: pairs of key and
// value, each ended by a NUL. Written by kubelet-sim/runtime/start_order.cpp.
//
//   isolate 1|0        own namespaces and root, or only a folder
//   root PATH          of the container; must be there, with all mount points
//   bind SRC\nDST[\nro]   DST inside the root
//   readonly 1         the root
//   hostname NAME      address A.B.C.D    of the pod, see sockets.hpp
//   uid N  gid N  group N ...   inside; mapped: "uids FIRST_OUTSIDE COUNT" (root) or one id
//   (others) caps HEX           the bounding set    as-bytes N   RLIMIT_AS cwd PATH  tty 1  env K=V
//   ...  arg WORD ...   join PID (enter only)
//   share PID (start only)   among the processes and users of that process; root, mounts, host
//                      name and IPC are its own
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lab_image {

struct Bind {
  std::string source, target;
  bool read_only = false;
};

struct Config {
  bool isolate = false, read_only = false, tty = false;
  std::string root, hostname, address, cwd = "/";
  std::vector<Bind> binds;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  unsigned long first_outside = 0, id_count = 0;  // 0: one id, our own
  std::uint64_t caps = ~0ull;
  unsigned long as_bytes = 0;
  pid_t join = 0, share = 0;
  std::vector<std::string> env, args;
};

// False: it could not be read, or has an unknown key.
bool read_config(int fd, Config* config);

}  // namespace lab_image
