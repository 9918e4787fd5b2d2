#include "net/asio_executor.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace coracle::net {
namespace asio = boost::asio;

// Run before others of the strand have their turn.
constexpr int kTimersATurn = 64;

// One Asio timer stands for the earliest of ours: arming a timer is a map insert.
struct AsioExecutor::Impl {
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           asio::io_context::executor_type>;
  using Signals = asio::basic_signal_set<asio::io_context::executor_type>;
  using Key = std::pair<TimePoint, TimerId>;

  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  Timer timer{context.get_executor()};
  TimePoint armed_for{};  // of `timer`; zero when it is not armed
  std::map<Key, std::function<void()>> timers;
  std::unordered_map<TimerId, TimePoint> deadlines;
  TimerId last_timer = 0;
  std::vector<std::unique_ptr<Signals>> signals;
  std::function<void(Duration)> on_timers;

  void arm() {
    if (timers.empty()) return;
    TimePoint first = timers.begin()->first.first;
    if (armed_for != TimePoint{} && armed_for <= first) return;
    armed_for = first;
    Duration delay = first - real_clock().now();
    timer.expires_after(std::max(delay, Duration{0}));
    timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) fire();
    });
  }

  void fire() {
    armed_for = TimePoint{};
    TimePoint now = real_clock().now();
    // Those that are due now; what they add runs at a later turn.
    TimerId newest = last_timer;
    if (on_timers && !timers.empty()) on_timers(now - timers.begin()->first.first);
    for (int run = 0; run < kTimersATurn && !timers.empty(); ++run) {
      auto first = timers.begin();
      if (first->first.first > now || first->first.second > newest) break;
      auto work = std::move(first->second);
      deadlines.erase(first->first.second);
      timers.erase(first);
      work();
    }
    arm();
  }

  void wait_signal(Signals& set, std::shared_ptr<std::function<void()>> fn) {
    set.async_wait([this, &set, fn](const boost::system::error_code& error, int) {
      if (error) return;
      wait_signal(set, fn);
      (*fn)();
    });
  }
};

AsioExecutor::AsioExecutor() : impl_(std::make_unique<Impl>()) {}
// Timers left are dropped while the rest is whole: what they own may still cancel others.
AsioExecutor::~AsioExecutor() {
  impl_->deadlines.clear();
  const auto timers = std::exchange(impl_->timers, {});
}

TimePoint AsioExecutor::now() const { return real_clock().now(); }
WallTime AsioExecutor::wall_now() const { return real_clock().wall_now(); }

void AsioExecutor::post(std::function<void()> work) { asio::post(impl_->context, std::move(work)); }

Executor::TimerId AsioExecutor::after(Duration delay, std::function<void()> work) {
  TimerId id = ++impl_->last_timer;
  TimePoint deadline = now() + std::max(delay, Duration{0});
  impl_->timers.emplace(Impl::Key{deadline, id}, std::move(work));
  impl_->deadlines.emplace(id, deadline);
  impl_->arm();
  return id;
}

void AsioExecutor::cancel(TimerId timer) {
  auto found = impl_->deadlines.find(timer);
  if (found == impl_->deadlines.end()) return;
  auto entry = impl_->timers.find({found->second, timer});
  // Keep the work until the maps are in order: destroying it may cancel others.
  auto work = std::move(entry->second);
  impl_->timers.erase(entry);
  impl_->deadlines.erase(found);
}

void AsioExecutor::run() {
  impl_->context.restart();
  impl_->context.run();
}

void AsioExecutor::run_until(const std::function<bool()>& done) {
  impl_->context.restart();
  while (!done()) {
    if (impl_->context.run_one() == 0) return;
  }
}

void AsioExecutor::stop() { impl_->context.stop(); }

void AsioExecutor::on_signal(int signal, std::function<void()> fn) {
  auto set = std::make_unique<Impl::Signals>(impl_->context.get_executor(), signal);
  impl_->wait_signal(*set, std::make_shared<std::function<void()>>(std::move(fn)));
  impl_->signals.push_back(std::move(set));
}

void AsioExecutor::on_timers(std::function<void(Duration)> fn) { impl_->on_timers = std::move(fn); }

asio::io_context& AsioExecutor::context() { return impl_->context; }

}  // namespace coracle::net
