// kvstore: a member of the replicated store.
#include <absl/synchronization/mutex.h>
#include <signal.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "base/check.hpp"
#include "base/log.hpp"
#include "server/event_loop.hpp"
#include "server/member.hpp"
#include "server/options.hpp"
#include "server/server.hpp"

namespace {

// Waits for SIGTERM or SIGINT on a thread of its own; all others have them blocked.
class SignalWaiter {
 public:
  SignalWaiter() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGTERM);
    ::sigaddset(&set_, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);  // a file size limit shows as a failed write
  }
  int wait() const {
    int number = 0;
    ::sigwait(&set_, &number);
    return number;
  }

 private:
  sigset_t set_;
};

}  // namespace

int main(int argc, char** argv) {
  // Debian's abseil looks for deadlock cycles inside gRPC, at 6 % of the CPU.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  using namespace coracle;
  log::init("kvstore");
  const store::Options options = store::parse_options(argc, argv);
  log::init("kvstore", options.log_level);
  const SignalWaiter signals;

  store::EventLoop loop;
  auto member = store::Member::open(options, loop);
  if (!member.ok())
    fail_startup("--data-dir " + options.data_dir + ": " + member.status().message());
  store::Server server(**member);
  if (const Status status = server.start(); !status.ok()) fail_startup(status.message());
  std::thread waiter([&] {
    const int number = signals.wait();
    log::info("signal {}: stopping", number);
    loop.post([&] { (*member)->stop_gracefully(); });
  });
  (*member)->run();
  waiter.join();
  // The state is on the disk. A call that does not end in time must not keep the process.
  auto stopped = std::async(std::launch::async, [&] { server.stop(); });
  const bool in_time = stopped.wait_for(std::chrono::seconds(1)) == std::future_status::ready;
  log::info("stopped");
  log::flush();
  if (!in_time) ::_exit(0);
  return 0;
}
