// AsioWorld: a StoreWorld on real time, for the live ends. Header only: who includes it links net.
#pragma once

#include <memory>

#include "client_testing/store_conformance.hpp"
#include "net/asio_executor.hpp"

namespace coracle::client {

class AsioWorld : public StoreWorld {
 public:
  Store& store() override { return *store_; }
  bool run_until(const std::function<bool()>& done, Duration limit) override {
    const TimePoint end = executor.now() + limit;
    std::function<void()> tick = [&] {
      ticker_ = executor.after(std::chrono::milliseconds(20), tick);
    };
    tick();
    executor.run_until([&] { return done() || executor.now() >= end; });
    executor.cancel(ticker_);
    return done();
  }
  void open(Result<std::unique_ptr<Store>> made) {
    INFO(made.status().to_string());
    REQUIRE(made.ok());
    store_ = std::move(*made);
  }
  void close() { store_.reset(); }

  net::AsioExecutor executor;

 private:
  Executor::TimerId ticker_ = 0;
  std::unique_ptr<Store> store_;
};

}  // namespace coracle::client
