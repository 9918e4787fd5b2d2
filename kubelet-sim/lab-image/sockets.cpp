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

Address address_of(const sockaddr_in6& from) {
  Address out{};
  std::memcpy(&out, &from, sizeof from);
  return out;
}

bool still_asked(int listener, std::uint64_t call) {
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call) == 0;
}

// -1: let the kernel do what was asked. As large as the kernel's idea of the answer may be.
void answer_call(int listener, std::uint64_t call, int result) {
  alignas(seccomp_notif_resp) char bytes[512] = {};
  auto& answer = *reinterpret_cast<seccomp_notif_resp*>(bytes);
  answer.id = call;
  if (result < 0) {
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else {
    answer.error = -result;
  }
  // Fails when the caller was killed meanwhile, which is fine.
  [[maybe_unused]] const int ignored = ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

constexpr int kContinue = -1, kHold = -2;
constexpr int kGivesUpAfter = 127;  // seconds: as long as Linux sends SYNs

}  // namespace

// A listener whose queue is full takes nobody: the kernel drops what comes, and those who connect
// wait. It is full with one connection of our own. The descriptors stay open as long as we live.
const sockaddr_in* SocketCalls::hole(bool udp) {
  sockaddr_in& at = holes_[udp ? 1 : 0];
  if (at.sin_family != 0) return &at;
  const int type = (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const int fd = socket(AF_INET, type, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr = pod_;
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, any, size) != 0 || getsockname(fd, any, &size) != 0) return nullptr;
  if (!udp) {
    if (listen(fd, 0) != 0) return nullptr;
    const int filler = socket(AF_INET, type, 0);
    if (filler < 0 || (::connect(filler, any, size) != 0 && errno != EINPROGRESS)) return nullptr;
  }
  at = address;
  return &at;
}

int SocketCalls::drop(std::uint64_t call, int socket, bool udp, const sockaddr_in6& address) {
  const bool blocks = (fcntl(socket, F_GETFL) & O_NONBLOCK) == 0;
  if (udp || !blocks) {
    const sockaddr_in* at = hole(udp);
    if (at == nullptr) return ENETUNREACH;
    Address to = address_of(address);
    put(&to, at->sin_addr.s_addr);
    put_port(&to, ntohs(at->sin_port));
    return ::connect(socket, &to.any, size_of(to)) == 0 ? 0 : errno;
  }
  if (held_.size() >= kHeldMax) return ETIMEDOUT;
  timeval limit{};
  socklen_t size = sizeof limit;
  getsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, &size);
  const bool limited = limit.tv_sec > 0 || limit.tv_usec > 0;
  const std::time_t wait = limited ? limit.tv_sec + (limit.tv_usec > 0 ? 1 : 0) : kGivesUpAfter;
  held_.push_back(
      {call, dup(socket), address, std::time(nullptr) + wait, limited ? EINPROGRESS : ETIMEDOUT});
  return kHold;
}

int SocketCalls::connect(std::uint64_t call, int socket, const sockaddr_in6& wanted, bool to_self) {
  Address address = address_of(wanted);
  in_addr to{};
  meant(address, &to.s_addr);
  int type = 0;
  socklen_t size = sizeof type;
  getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size);
  const bool loopback = (ntohl(to.s_addr) >> 24) == 127;
  if (!to_self && (type == SOCK_STREAM || type == SOCK_DGRAM)) {
    const Route route = ask_(type == SOCK_DGRAM, to, port_of(address));
    if (route.dropped) return drop(call, socket, type == SOCK_DGRAM, wanted);
    put_port(&address, route.port);
  }
  if (!loopback) return kContinue;
  give_source(socket, address, pod_.s_addr);
  return connect_for(socket, address);
}

// 0 or an errno to answer with, kContinue or kHold.
int SocketCalls::act(int listener, std::uint64_t call, int pid, bool binds,
                     const std::uint64_t* arguments, int* moved) {
  Address address{};
  const size_t size = arguments[2];
  if (size < sizeof(sockaddr_in)) return kContinue;
  iovec mine{&address, size < sizeof address ? size : sizeof address};
  iovec theirs{reinterpret_cast<void*>(arguments[1]), mine.iov_len};
  if (process_vm_readv(pid, &mine, 1, &theirs, 1, 0) < 0) return kContinue;
  in_addr_t to = 0;
  if (!meant(address, &to)) return kContinue;
  if (binds && !local(to)) return kContinue;
  const int socket = borrow(pid, static_cast<int>(arguments[0]));
  if (socket < 0) return kContinue;
  int answer = kContinue;
  // Is it still the call we were told of?
  if (still_asked(listener, call)) {
    const bool to_self = local(to) || to == pod_.s_addr;
    if (binds) {
      answer = bind_for(socket, address, pod_.s_addr, moved);
    } else {
      if (local(to)) put(&address, pod_.s_addr);
      answer = connect(call, socket, address.v6, to_self);
    }
  }
  close(socket);
  return answer;
}

void SocketCalls::look_again(int listener) {
  std::vector<Held> before;
  before.swap(held_);
  for (const Held& one : before) {
    int answer = kContinue;
    const bool asked = still_asked(listener, one.call);
    if (asked && std::time(nullptr) >= one.until) answer = one.error;
    if (asked && answer == kContinue) {
      const std::size_t held = held_.size();
      answer = connect(one.call, one.socket, one.address, false);
      if (held_.size() > held) {
        held_.back().until = one.until;
        held_.back().error = one.error;
      }
    }
    if (asked && answer != kHold) answer_call(listener, one.call, answer);
    close(one.socket);
  }
}

int SocketCalls::serve(int listener) {
  alignas(seccomp_notif) char call_bytes[512] = {};
  auto& call = *reinterpret_cast<seccomp_notif*>(call_bytes);
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return 0;
  int moved = 0;
  std::uint64_t arguments[3] = {call.data.args[0], call.data.args[1], call.data.args[2]};
  const int answer = act(listener, call.id, static_cast<int>(call.pid), call.data.nr == SYS_bind,
                         arguments, &moved);
  if (answer != kHold) answer_call(listener, call.id, answer);
  return moved;
}

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

}  // namespace lab_image
