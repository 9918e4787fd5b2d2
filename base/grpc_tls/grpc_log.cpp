#include "grpc_tls/grpc_log.hpp"

#include <grpc/support/log.h>

#include <map>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle {
namespace {

constexpr Duration kSilence = std::chrono::minutes(1);
constexpr size_t kSentencesMax = 100;

// gRPC's threads meet here.
class Said {
 public:
  bool lately(const std::string& sentence) {
    const std::lock_guard lock(mutex_);
    const TimePoint now = real_clock().now();
    std::erase_if(when_, [now](const auto& item) { return now - item.second >= kSilence; });
    if (when_.size() >= kSentencesMax) return true;
    return !when_.emplace(sentence, now).second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, TimePoint> when_;
};

void write(gpr_log_func_args* line) {
  static Said& said = *new Said;  // gRPC's threads may outlive everything else
  const std::string sentence(trim(line->message));
  if (line->severity != GPR_LOG_SEVERITY_ERROR) {
    log::debug("gRPC: {}", sentence);
  } else if (!said.lately(sentence)) {
    log::warn("gRPC: {}", sentence);
  }
}

}  // namespace

void adopt_grpc_log() { gpr_set_log_function(write); }

}  // namespace coracle
