#include "apiserver/server/gzip_thread.hpp"

namespace coracle::apiserver {

GzipThread::GzipThread(Executor& executor)
    : executor_(executor), thread_([this] { thread_main(); }) {}

GzipThread::~GzipThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void GzipThread::compress(std::vector<net::Bytes> parts, std::function<void(std::string)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() < kJobsMax) {
      jobs_.push_back({std::move(parts), std::move(done)});
      changed_.notify_one();
      return;
    }
  }
  executor_.post([done = std::move(done)] { done({}); });
}

// What `done` holds belongs to the strand: it goes back there whole, and dies there.
void GzipThread::thread_main() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    std::string packed = gzip(job.parts);
    executor_.post([done = std::move(job.done), packed = std::move(packed)]() mutable {
      done(std::move(packed));
    });
  }
}

}  // namespace coracle::apiserver
