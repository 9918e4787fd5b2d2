#include "sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lab_image {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArch = AUDIT_ARCH_AARCH64;
#else
#error "which audit architecture is this?"
#endif

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// The IPv4 address that is meant, in network order; false for other families.
bool meant(const Address& a, in_addr_t* address) {
  if (a.any.sa_family == AF_INET) {
    *address = a.v4.sin_addr.s_addr;
    return true;
  }
  if (a.any.sa_family != AF_INET6) return false;
  if (IN6_IS_ADDR_UNSPECIFIED(&a.v6.sin6_addr)) return *address = 0, true;
  if (IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr)) return *address = htonl(INADDR_LOOPBACK), true;
  if (!IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr)) return false;
  std::memcpy(address, a.v6.sin6_addr.s6_addr + 12, 4);
  return true;
}

void put(Address* a, in_addr_t address) {
  if (a->any.sa_family == AF_INET) {
    a->v4.sin_addr.s_addr = address;
    return;
  }
  std::memset(&a->v6.sin6_addr, 0, sizeof a->v6.sin6_addr);
  std::memset(a->v6.sin6_addr.s6_addr + 10, 0xff, 2);
  std::memcpy(a->v6.sin6_addr.s6_addr + 12, &address, 4);
}

// sin_port and sin6_port are at one place.
int port_of(const Address& a) { return ntohs(a.v4.sin_port); }
void put_port(Address* a, int port) { a->v4.sin_port = htons(static_cast<std::uint16_t>(port)); }

socklen_t size_of(const Address& a) {
  return a.any.sa_family == AF_INET ? sizeof a.v4 : sizeof a.v6;
}

bool local(in_addr_t address) { return address == 0 || address == htonl(INADDR_LOOPBACK); }

// The process of a thread.
pid_t process_of(pid_t thread) {
  char path[64], line[128];
  std::snprintf(path, sizeof path, "/proc/%d/status", thread);
  FILE* file = std::fopen(path, "re");
  pid_t process = thread;
  while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, "Tgid:", 5) == 0) process = std::atoi(line + 5);
  }
  if (file != nullptr) std::fclose(file);
  return process;
}

// The program's socket, as a descriptor of ours.
int borrow(pid_t thread, int fd) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, process_of(thread), 0));
  if (process < 0) return -1;
  const int copy = static_cast<int>(syscall(SYS_pidfd_getfd, process, fd, 0));
  close(process);
  return copy;
}

int bind_for(int fd, Address address, in_addr_t pod, int* moved) {
  put(&address, pod);
  if (bind(fd, &address.any, size_of(address)) == 0) return 0;
  const int error = errno;
  if (error != EACCES || port_of(address) == 0 || port_of(address) >= 1024) return error;
  const int asked = port_of(address);
  put_port(&address, asked + kLowPortShift);
  if (bind(fd, &address.any, size_of(address)) != 0) return errno;
  *moved = asked;
  return 0;
}

// So that the other side sees which pod calls.
void give_source(int fd, const Address& to, in_addr_t pod) {
  Address mine{};
  socklen_t size = sizeof mine;
  in_addr_t address = 0;
  if (getsockname(fd, &mine.any, &size) != 0 || mine.any.sa_family != to.any.sa_family) return;
  if (!meant(mine, &address) || address != 0 || port_of(mine) != 0) return;
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  put(&mine, pod);
  [[maybe_unused]] const int ignored = bind(fd, &mine.any, size_of(mine));
}

int connect_for(int fd, Address address) {
  if (connect(fd, &address.any, size_of(address)) == 0) return 0;
  const int error = errno;
  if (error != ECONNREFUSED || port_of(address) >= 1024) return error;
  put_port(&address, port_of(address) + kLowPortShift);
  return connect(fd, &address.any, size_of(address)) == 0 ? 0 : error;
}

// 0 or an errno to answer with; -1: let the kernel do what was asked.
int act(int listener, const seccomp_notif& call, in_addr pod, int* moved) {
  const int fd = static_cast<int>(call.data.args[0]);
  Address address{};
  const size_t size = call.data.args[2];
  if (size < sizeof(sockaddr_in)) return -1;
  iovec mine{&address, size < sizeof address ? size : sizeof address};
  iovec theirs{reinterpret_cast<void*>(call.data.args[1]), mine.iov_len};
  if (process_vm_readv(static_cast<pid_t>(call.pid), &mine, 1, &theirs, 1, 0) < 0) return -1;
  in_addr_t meant_address = 0;
  if (!meant(address, &meant_address)) return -1;
  const bool loopback = (ntohl(meant_address) >> 24) == 127 || meant_address == 0;
  const bool binds = call.data.nr == SYS_bind;
  if (binds ? !local(meant_address) : !loopback) return -1;
  const int socket = borrow(static_cast<pid_t>(call.pid), fd);
  if (socket < 0) return -1;
  // Is it still the call we were told of?
  std::uint64_t id = call.id;
  int answer = -1;
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0) {
    if (binds) {
      answer = bind_for(socket, address, pod.s_addr, moved);
    } else {
      if (local(meant_address)) put(&address, pod.s_addr);
      give_source(socket, address, pod.s_addr);
      answer = connect_for(socket, address);
    }
  }
  close(socket);
  return answer;
}

}  // namespace

int watch_sockets() {
  const sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArch, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bind, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof filter / sizeof filter[0], const_cast<sock_filter*>(filter)};
  return static_cast<int>(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

int serve_socket_call(int listener, in_addr pod) {
  // As large as the kernel's idea of them may be.
  alignas(seccomp_notif) char call_bytes[512] = {};
  alignas(seccomp_notif_resp) char answer_bytes[512] = {};
  auto& call = *reinterpret_cast<seccomp_notif*>(call_bytes);
  auto& answer = *reinterpret_cast<seccomp_notif_resp*>(answer_bytes);
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return 0;
  int moved = 0;
  const int result = act(listener, call, pod, &moved);
  answer.id = call.id;
  if (result < 0) {
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else {
    answer.error = -result;
  }
  // Fails when the caller was killed meanwhile, which is fine.
  [[maybe_unused]] const int ignored = ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  return moved;
}

}  // namespace lab_image
