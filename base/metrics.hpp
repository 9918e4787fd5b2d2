// Metrics in Prometheus text format. Counters, gauges and histograms register once by name + labels
// and are then cheap, thread-safe numbers. Drivers and decorators count; cores do not.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void add(std::int64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);

 private:
  friend class Metrics;
  std::vector<double> bounds_;                       // ascending upper bounds, +Inf implied
  std::vector<std::atomic<std::uint64_t>> buckets_;  // one more than bounds
  std::atomic<std::uint64_t> count_{0};
  std::atomic<double> sum_{0};
};

// Of this process, now. Resident: 0 where there is no /proc.
double cpu_seconds();
double resident_bytes();

// Seconds from 100 us to 10 s, factor about 2.
std::vector<double> latency_buckets();

class Metrics {
 public:
  // The same name and labels give the same object, which lives as long as the registry.
  Counter& counter(const std::string& name, const std::string& help, const MetricLabels& = {});
  Gauge& gauge(const std::string& name, const std::string& help, const MetricLabels& = {});
  Histogram& histogram(const std::string& name, const std::string& help, const MetricLabels& = {},
                       std::vector<double> bounds = latency_buckets());
  // A gauge read when scraped. `read` must be safe on the scraping thread.
  void gauge_function(const std::string& name, const std::string& help,
                      std::function<double()> read);
  // The whole page, with process_resident_memory_bytes and process_cpu_seconds_total.
  std::string render() const;

 private:
  struct Family {
    std::string help, type;
    std::map<std::string, std::unique_ptr<Counter>> counters;
    std::map<std::string, std::unique_ptr<Gauge>> gauges;
    std::map<std::string, std::unique_ptr<Histogram>> histograms;
    std::function<double()> read;
  };
  Family& family(const std::string& name, const std::string& help, const char* type);

  mutable std::mutex mutex_;  // guards the maps, not the numbers
  std::map<std::string, Family> families_;
};

}  // namespace coracle
