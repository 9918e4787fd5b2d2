// The starter: a small process between kubelet-sim and a container's command. It makes the
// container's namespaces, waits for its end and dies with kubelet-sim, taking the container along.
//
//   start   descriptor 3: the order (config.hpp); descriptor 4: what happens, a line each:
//             P PID          the command's process runs (outside's number)
//             S       the command has been executed
//             M PORT  a port below 1024 was moved (sockets.hpp)
//             B CODE TEXT    it could not be started, and why
//             X CODE         it ended; 128 + N if by signal N
//             Q N udp|tcp ADDRESS PORT   may it connect there? The answer, on the same descriptor:
//                     "N PORT2": yes, to that port, or "N 0": it is dropped
//   enter   the same, for one more command in a running container
//   check   exit 0 if this user may make the namespaces of a container
//
// Signals: SIGTERM is handed on, SIGHUP and SIGINT too; in a namespace of its own the command is
// process 1, to which a signal it does not handle does nothing: then it is ended as the signal
// would.
#pragma once

namespace lab_image {

int start_container();
int enter_container();
int check_namespaces();

}  // namespace lab_image
