// The failover demo: a rolling update goes on while the store's leader is killed with SIGKILL; a
// client writes all the time, and every write that was acknowledged is looked for afterwards.
#pragma once

namespace coracle::lab {

int demo_failover(int argc, char** argv);

}  // namespace coracle::lab
