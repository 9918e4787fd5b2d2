// kvstore: a member of the replicated store.
#include <absl/synchronization/mutex.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "member/data_folder.hpp"
#include "member/member.hpp"
#include "net/asio_executor.hpp"
#include "server/join.hpp"
#include "server/options.hpp"
#include "server/peer_transport.hpp"
#include "server/polled_strand.hpp"
#include "server/server.hpp"
#include "web/web_server.hpp"

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
  store::Options options = store::parse_options(argc, argv);
  log::init("kvstore", options.log_level);
  const SignalWaiter signals;  // before any other thread
  if (const Status status = store::find_identity(&options); !status.ok()) {
    fail_startup(status.message());
  }

  net::AsioExecutor executor;
  store::PolledStrand loop(executor);
  store::DataFolder folder(options.data_dir, loop);
  store::PeerTransport transport(store::identity_of(options), options.advertise_peer,
                                 options.peer_tls, loop);
  auto member = store::Member::open(
      options, {loop, folder, transport, secure_random_seed(), [&loop] { loop.stop(); }});
  if (!member.ok())
    fail_startup("--data-dir " + options.data_dir + ": " + member.status().message());
  store::Server server(executor, **member, transport, options);
  if (const Status status = server.start(); !status.ok()) fail_startup(status.message());
  std::atomic<bool> ended = false;
  store::WebServer web(**member);
  if (const Status status = web.start(options.listen_metrics); !status.ok()) {
    fail_startup("--listen-metrics-urls: " + status.message());
  }
  std::thread waiter([&] {
    const int number = signals.wait();
    if (ended) return;
    log::info("signal {}: stopping", number);
    loop.post([&] { (*member)->stop_gracefully(); });
  });
  ::malloc_trim(0);  // reading the log took far more memory than running does
  (*member)->start();
  loop.run([&] { (*member)->end_of_turn(); });
  (*member)->finish();
  ended = true;  // by itself, if no signal came
  ::pthread_kill(waiter.native_handle(), SIGTERM);
  waiter.join();
  web.stop();
  // The state is on the disk. A call that does not end in time must not keep the process.
  auto stopped = std::async(std::launch::async, [&] { server.stop(); });
  const bool in_time = stopped.wait_for(std::chrono::seconds(1)) == std::future_status::ready;
  log::info("stopped");
  log::flush();
  if (!in_time) ::_exit(0);
  return 0;
}
