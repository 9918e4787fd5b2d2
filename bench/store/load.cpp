#include "bench_store/load.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/metrics.hpp"

namespace coracle::bench {
namespace {

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

double percentile_ms(std::vector<std::uint32_t>& us, double part) {
  if (us.empty()) return 0;
  const auto at = us.begin() + std::ptrdiff_t(double(us.size() - 1) * part);
  std::nth_element(us.begin(), at, us.end());
  return *at / 1000.0;
}

}  // namespace

struct Load::Client final : Call {
  Client(Load& load, Connection& connection, std::unique_ptr<Work> work)
      : load_(load), connection_(connection), work_(std::move(work)) {}

  void start() {
    const Request request = work_->next();
    began_ = real_clock().now();
    connection_.unary(request.path, request.message, this);
  }
  void on_message(std::string_view head, std::size_t length) override {
    if (!work_->accept(head, length)) fail_startup("an answer is not what it must be");
  }
  void on_end(const Status& status) override {
    if (!status.ok()) fail_startup("a call failed: " + status.message());
    if (load_.measuring_) ++load_.calls_;
    if (load_.count_calls_) load_.count(real_clock().now() - began_);
    if (stopping_) {
      idle_ = true;
    } else {
      start();
    }
  }

  Load& load_;
  Connection& connection_;
  const std::unique_ptr<Work> work_;
  TimePoint began_;
  bool stopping_ = false;
  bool idle_ = false;
};

Load::Load(std::vector<std::string> endpoints, int connections,
           std::vector<std::int64_t> server_pids)
    : server_pids_(std::move(server_pids)), blocked_(size_t(connections)) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < connections; ++i) {
    auto made = std::make_unique<Connection>(endpoints[size_t(i) % endpoints.size()]);
    if (const Status status = made->open(); !status.ok()) fail_startup(status.message());
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = std::uint32_t(i);
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, made->fd(), &event);
    connections_.push_back(std::move(made));
  }
}

Load::~Load() { ::close(epoll_); }

void Load::count(Duration latency) {
  if (!measuring_) return;
  ++operations_;
  latencies_us_.push_back(std::uint32_t(latency.count() / 1000));
}

void Load::turn(Duration wait) {
  for (size_t i = 0; i < connections_.size(); ++i) {
    const bool blocked = !connections_[i]->flush();
    if (blocked == blocked_[i]) continue;
    blocked_[i] = blocked;
    epoll_event event{};
    event.events = EPOLLIN | (blocked ? EPOLLOUT : 0u);
    event.data.u32 = std::uint32_t(i);
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connections_[i]->fd(), &event);
  }
  std::array<epoll_event, 64> events;
  const int n =
      ::epoll_wait(epoll_, events.data(), int(events.size()),
                   int(std::chrono::duration_cast<std::chrono::milliseconds>(wait).count()));
  for (int i = 0; i < n; ++i) {
    if ((events[size_t(i)].events & ~std::uint32_t(EPOLLOUT)) == 0) continue;
    connections_[events[size_t(i)].data.u32]->on_readable();
  }
}

void Load::run_until(int clients, const MakeWork& make, const std::function<bool()>& enough) {
  std::vector<std::unique_ptr<Client>> all;
  for (int i = 0; i < clients; ++i) {
    all.push_back(std::make_unique<Client>(*this, connection(size_t(i)), make(i)));
    all.back()->start();
  }
  while (!enough()) turn(std::chrono::milliseconds(10));
  for (auto& client : all) client->stopping_ = true;
  const auto idle = [](const auto& client) { return client->idle_; };
  while (!std::all_of(all.begin(), all.end(), idle)) turn(std::chrono::milliseconds(10));
}

Numbers Load::measure(int clients, const MakeWork& make, Duration warm_up, Duration time,
                      bool count_calls, const std::function<void(bool)>& on_phase) {
  Numbers out;
  count_calls_ = count_calls;
  const TimePoint begin = real_clock().now();
  TimePoint measured;
  double servers = 0, self = 0;
  run_until(clients, make, [&] {
    const TimePoint now = real_clock().now();
    if (!measuring_) {
      if (now - begin < warm_up) return false;
      on_phase(true);
      measuring_ = true;
      measured = real_clock().now();
      servers = server_cpu_seconds();
      self = cpu_seconds();
      return false;
    }
    if (now - measured < time) return false;
    measuring_ = false;  // what is still under way does not count
    out.seconds = seconds(now - measured);
    out.server_cpu_seconds = server_cpu_seconds() - servers;
    out.client_cpu_seconds = cpu_seconds() - self;
    on_phase(false);
    return true;
  });
  out.calls = std::exchange(calls_, 0);
  out.operations = std::exchange(operations_, 0);
  out.p50_ms = percentile_ms(latencies_us_, 0.50);
  out.p99_ms = percentile_ms(latencies_us_, 0.99);
  latencies_us_.clear();
  return out;
}

double Load::server_cpu_seconds() const {
  const double ticks = double(::sysconf(_SC_CLK_TCK));
  double total = 0;
  for (const std::int64_t pid : server_pids_) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string text((std::istreambuf_iterator<char>(file)), {});
    std::istringstream rest(text.substr(text.rfind(')') + 1));
    std::string skipped;
    for (int i = 0; i < 11; ++i) rest >> skipped;  // up to field 13
    double user = 0, system = 0;
    rest >> user >> system;
    total += (user + system) / ticks;
  }
  return total;
}

std::vector<double> Load::resident_mb() const {
  std::vector<double> out;
  for (const std::int64_t pid : server_pids_) {
    std::ifstream file(fmt::format("/proc/{}/status", pid));
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("VmRSS:")) out.push_back(std::stod(line.substr(6)) / 1024);
    }
  }
  return out;
}

}  // namespace coracle::bench
