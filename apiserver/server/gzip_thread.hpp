// GzipThread: compresses answers on a thread of its own, one after the other.
//
// compress() on the executor's strand; the executor outlives it. Bound: kJobsMax waiting jobs, more
// are handed back uncompressed.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "apiserver/chain/compression.hpp"
#include "base/executor.hpp"

namespace coracle::apiserver {

class GzipThread final : public GzipPort {
 public:
  static constexpr std::size_t kJobsMax = 8;

  explicit GzipThread(Executor& executor);
  ~GzipThread() override;

  void compress(std::vector<net::Bytes> parts, std::function<void(std::string)> done) override;

 private:
  struct Job {
    std::vector<net::Bytes> parts;
    std::function<void(std::string)> done;
  };
  void thread_main();

  Executor& executor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;   // guarded
  bool stopping_ = false;  // guarded
  std::thread thread_;
};

}  // namespace coracle::apiserver
