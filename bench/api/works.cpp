#include "bench_api/works.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "bench_api/text.hpp"

namespace coracle::bench {
namespace {

double ms(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// Creates objects; `done` is told how long each took.
class Writer {
 public:
  Writer(net::AsioExecutor& executor, net::Client& client, const LoadOptions& options)
      : executor_(executor), client_(client), options_(options) {}

  void write(std::uint64_t number, std::function<void()> done) {
    const std::uint64_t target =
        options_.one_each ? number % static_cast<std::uint64_t>(options_.watchers) : 0;
    net::ClientRequest request;
    request.method = "POST";
    request.target = filled(options_.path, number, target);
    request.headers.add("Content-Type", "application/json");
    request.body = filled(options_.object, number, target);
    const TimePoint began = executor_.now();
    client_.request(std::move(request), [this, began, done = std::move(done)](auto answer) {
      if (!answer.ok()) fail_startup("a write failed: " + answer.status().to_string());
      if (answer->status != 201) fail_startup("a write was refused: " + answer->body);
      latencies.push_back(ms(executor_.now() - began));
      done();
    });
  }
  std::vector<double> latencies;

 private:
  net::AsioExecutor& executor_;
  net::Client& client_;
  const LoadOptions& options_;
};

void run_within(net::AsioExecutor& executor, const char* what, const std::function<bool()>& done) {
  const TimePoint end = executor.now() + kPatience;
  bool late = false;
  const auto timer = executor.after(kPatience, [&] { late = true; });
  executor.run_until([&] { return done() || late || executor.now() > end; });
  executor.cancel(timer);
  if (!done()) fail_startup(std::string("not in time: ") + what);
}

// Watches, each with a stream of its own, and when what arrived where.
class Watchers {
 public:
  Watchers(net::AsioExecutor& executor, net::Client& client, const LoadOptions& options)
      : executor_(executor), client_(client), options_(options) {}

  void open() {
    const auto count = static_cast<std::size_t>(options_.watchers);
    for (std::size_t n = 0; n < count; ++n) {
      open_one(n);
      // A few handshakes at a time: a server's backlog is bounded.
      run_within(executor_, "opening the watches", [&] { return n < open_ + kOpening; });
    }
    run_within(executor_, "opening the watches", [&] { return open_ == count; });
  }
  void sent(std::uint64_t number, TimePoint when) {
    if (sent_.size() <= number) sent_.resize(number + 1);
    sent_[number] = when;
  }
  std::vector<double> latencies;

 private:
  static constexpr std::size_t kOpening = 64;

  void open_one(std::size_t n) {
    auto scanner = std::make_shared<EventScanner>("\"name\":\"w-");
    net::ClientRequest request;
    request.target = filled(options_.watch, 0, n);
    net::StreamSink sink;
    sink.on_headers = [this](const net::Response& head) {
      if (head.status != 200) fail_startup("a watch was answered " + std::to_string(head.status));
      ++open_;
    };
    sink.on_data = [this, scanner](std::string_view bytes) {
      const TimePoint now = executor_.now();
      scanner->feed(bytes, [&](std::uint64_t number) {
        if (number < sent_.size()) latencies.push_back(ms(now - sent_[number]));
      });
    };
    sink.on_end = [](const Status& status) {
      fail_startup("a watch ended: " + status.to_string());
    };
    streams_.push_back(client_.start_stream(std::move(request), std::move(sink)));
  }

  net::AsioExecutor& executor_;
  net::Client& client_;
  const LoadOptions& options_;
  std::size_t open_ = 0;
  std::vector<TimePoint> sent_;
  std::vector<std::unique_ptr<net::StreamHandle>> streams_;
};

LoadNumbers numbers_of(Duration time, std::uint64_t writes, std::vector<double>& latencies) {
  LoadNumbers out;
  out.seconds = std::chrono::duration<double>(time).count();
  out.writes = writes;
  out.p50_ms = percentile(latencies, 0.50);
  out.p99_ms = percentile(latencies, 0.99);
  return out;
}

}  // namespace

LoadNumbers run_fill(net::AsioExecutor& executor, net::Client& client, const LoadOptions& options) {
  Writer writer(executor, client, options);
  const auto count = static_cast<std::uint64_t>(options.count);
  const auto first = static_cast<std::uint64_t>(options.first);
  std::uint64_t next = 0, answered = 0;
  const TimePoint began = executor.now();
  std::function<void()> more = [&] {
    if (next == count) return;
    writer.write(first + next++, [&] {
      ++answered;
      more();
    });
  };
  for (int i = 0; i < options.clients; ++i) more();
  executor.run_until([&] { return answered == count; });
  return numbers_of(executor.now() - began, answered, writer.latencies);
}

LoadNumbers run_watch(net::AsioExecutor& executor, net::Client& client, const LoadOptions& options,
                      const std::function<void(bool)>& on_phase) {
  Watchers watchers(executor, client, options);
  watchers.open();
  on_phase(true);
  Writer writer(executor, client, options);
  const auto count = static_cast<std::uint64_t>(options.count);
  const std::uint64_t expected =
      count * (options.one_each ? 1 : static_cast<std::uint64_t>(options.watchers));
  const TimePoint began = executor.now();
  const auto pause = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(1 / std::max(options.rate, 0.1)));
  std::uint64_t answered = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    executor.after(pause * static_cast<std::int64_t>(i), [&, i] {
      watchers.sent(i, executor.now());
      writer.write(i, [&] { ++answered; });
    });
  }
  const TimePoint last_write = began + pause * static_cast<std::int64_t>(count);
  executor.run_until([&] { return answered == count || executor.now() > last_write + kPatience; });
  run_within(executor, "the events",
             [&] { return answered == count && watchers.latencies.size() >= expected; });
  on_phase(false);
  LoadNumbers out = numbers_of(executor.now() - began, answered, watchers.latencies);
  out.events = watchers.latencies.size();
  return out;
}

}  // namespace coracle::bench
