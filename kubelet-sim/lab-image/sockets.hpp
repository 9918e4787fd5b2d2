// Pods share the machine's loopback network; each has an address of its own there. A program that
// binds to 0.0.0.0 or 127.0.0.1 means its pod's address, so the kernel asks us (seccomp user
// notification) at every bind() and connect(), and we do it for the program, on its own socket:
//
//   bind     0.0.0.0, ::, 127.0.0.1, ::1  ->  the pod's address; a port below 1024 that this user
//   may
//            not have  ->  that port + kLowPortShift
//   connect  0.0.0.0, 127.0.0.1, ::1  ->  the pod's address; others in 127.0.0.0/8 get the pod's
//            address as their source; a refused port below 1024 is tried with the shift
//
// All else goes on as it came. No privilege is needed. Linux 5.6 or newer; where it is not
// allowed, programs bind what they say.
#pragma once

#include <netinet/in.h>

namespace lab_image {

inline constexpr int kLowPortShift = 10000;

// In the program to be, before its exec; needs no_new_privs. The descriptor to listen on, or -1.
int watch_sockets();
// Answers one notification of the listener. The port that was moved, or 0.
int serve_socket_call(int listener, in_addr pod);

}  // namespace lab_image
