// The two works of apiload: what wrk cannot do to an apiserver.
//
//   fill    creates objects 0..count-1, `clients` at a time, and stops.
//   watch   opens `watchers` watches, each on a connection of its own, then writes `count` objects
//           at `rate` a second, and times from each request to its arrival at each watcher.
//
// Thread: one AsioExecutor. Errors: a refused write, a watch that ends or is not answered 200, or
// events that do not come within kPatience end the program: such a load measures nothing.
#pragma once

#include <functional>
#include <string>

#include "net/asio_executor.hpp"
#include "net/client.hpp"

namespace coracle::bench {

inline constexpr Duration kPatience = std::chrono::seconds(120);

struct LoadOptions {
  std::string path;    // objects are posted there; {i} is their number
  std::string object;  // JSON; {n} is the number of the watcher it is meant for
  std::int64_t count = 1000;
  std::int64_t first = 0;  // number of the first object
  int clients = 32;        // fill: posts under way
  std::string watch;       // what watcher {n} asks for
  std::int64_t watchers = 1000;
  bool one_each = false;  // an object goes to watcher number % watchers alone, else to all
  double rate = 20;       // writes a second
};

struct LoadNumbers {
  double seconds = 0;  // from the first write to the last arrival (fill: answer)
  std::uint64_t writes = 0;
  std::uint64_t events = 0;
  double p50_ms = 0, p99_ms = 0;
};

LoadNumbers run_fill(net::AsioExecutor& executor, net::Client& client, const LoadOptions& options);
// `on_phase(true)` when all watches are open, (false) when all events came.
LoadNumbers run_watch(net::AsioExecutor& executor, net::Client& client, const LoadOptions& options,
                      const std::function<void(bool)>& on_phase);

}  // namespace coracle::bench
