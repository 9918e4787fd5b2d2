// Pods share the machine's loopback network; each has an address of its own there. A program that
// binds to 0.0.0.0 or 127.0.0.1 means its pod's address, so the kernel asks us (seccomp user
// notification) at every bind() and connect(), and we do it for the program, on its own socket:
//
//   bind     0.0.0.0, ::, 127.0.0.1, ::1  ->  the pod's address; a port below 1024 that this user
//            may not have  ->  that port + kLowPortShift
//   connect  0.0.0.0, 127.0.0.1, ::1  ->  the pod's address; others in 127.0.0.0/8 get the pod's
//            address as their source; a refused port below 1024 is tried with the shift
//
// Before a connection to elsewhere than the pod is made, `ask` says what becomes of it. One that is
// dropped is as one whose packets are: a TCP socket that does not block connects to a listener that
// takes nobody, for one that blocks the call is held until it is allowed, interrupted or over; a
// datagram socket connects to one that nobody reads.
//
// All else goes on as it came, also sendto() on a socket without connect(). No privilege is needed.
// Linux 5.6 or newer; where it is not allowed, programs bind what they say.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <vector>

namespace lab_image {

inline constexpr int kLowPortShift = 10000;

// In the program to be, before its exec; needs no_new_privs. The descriptor to listen on, or -1.
int watch_sockets();

struct Route {
  bool dropped = false;
  int port = 0;
};
using Ask = std::function<Route(bool udp, in_addr to, int port)>;

class SocketCalls {
 public:
  SocketCalls(in_addr pod, Ask ask) : pod_(pod), ask_(std::move(ask)) {}
  // Answers one notification of the listener. The port that was moved, or 0.
  int serve(int listener);
  // Connections that were dropped and wait: to be looked at every second.
  bool holding() const { return !held_.empty(); }
  void look_again(int listener);

 private:
  struct Held {
    std::uint64_t call;
    int socket;
    sockaddr_in6 address;  // large enough for both families
    std::time_t until;
    int error;  // what it ends with
  };
  static constexpr std::size_t kHeldMax = 64;

  int act(int listener, std::uint64_t call, int pid, bool binds, const std::uint64_t* arguments,
          int* moved);
  int connect(std::uint64_t call, int socket, const sockaddr_in6& address, bool to_self);
  int drop(std::uint64_t call, int socket, bool udp, const sockaddr_in6& address);
  const sockaddr_in* hole(bool udp);

  const in_addr pod_;
  const Ask ask_;
  std::vector<Held> held_;
  sockaddr_in holes_[2] = {};  // of TCP and UDP, once they are made
};

}  // namespace lab_image
