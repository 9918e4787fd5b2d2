// Load: a closed loop of clients over a few connections. Each client has one call under way; when
// it is answered, the work says what comes next. Counts and times what is answered while measuring.
//
// Thread:    one owner.
// Errors:    the first call that fails ends the program: a load that fails measures nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "bench_store/h2.hpp"

namespace coracle::bench {

struct Request {
  std::string_view path;
  std::string message;
};

// What one client does. Its state is its own.
class Work {
 public:
  virtual ~Work() = default;
  virtual Request next() = 0;
  // The answer to the last next(). False if it is not what it must be.
  virtual bool accept(std::string_view head, std::size_t length) = 0;
};
using MakeWork = std::function<std::unique_ptr<Work>(int client)>;

struct Numbers {
  double seconds = 0;
  std::uint64_t calls = 0;       // answered
  std::uint64_t operations = 0;  // what was counted: the calls, or what count() was told of
  double p50_ms = 0, p99_ms = 0;
  double server_cpu_seconds = 0, client_cpu_seconds = 0;
};

class Load {
 public:
  Load(std::vector<std::string> endpoints, int connections, std::vector<std::int64_t> server_pids);
  ~Load();

  // Runs `clients` of them until `enough(operations)`; nothing is measured.
  void run_until(int clients, const MakeWork& make, const std::function<bool()>& enough);
  // Warms up, then measures. `on_phase(true)` at the begin of measuring, (false) at its end.
  // Unless count_calls, only what count() is told of has a latency.
  Numbers measure(int clients, const MakeWork& make, Duration warm_up, Duration time,
                  bool count_calls, const std::function<void(bool)>& on_phase);

  Connection& connection(size_t i) { return *connections_[i % connections_.size()]; }
  // Waits at most `wait` for the network and runs what came.
  void turn(Duration wait);
  // For streams: what they saw counts like an answer that took `latency`.
  void count(Duration latency);
  double server_cpu_seconds() const;
  // Resident memory of each server, in MB.
  std::vector<double> resident_mb() const;

 private:
  struct Client;

  const std::vector<std::int64_t> server_pids_;
  std::vector<std::unique_ptr<Connection>> connections_;
  int epoll_ = -1;
  std::vector<bool> blocked_;  // by connection: the socket is full
  bool measuring_ = false;
  bool count_calls_ = true;
  std::uint64_t calls_ = 0;
  std::uint64_t operations_ = 0;
  std::vector<std::uint32_t> latencies_us_;
};

}  // namespace coracle::bench
