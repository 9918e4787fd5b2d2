// ImagePolicy: what a policy server says of the images of pods (plugin ImagePolicyWebhook): asks it
// by an ImageReview and keeps its answers for a while.
//
// Thread: apiserver strand. Bound: kKeptMax answers; the one unused for longest goes.
#pragma once

#include <map>
#include <string>

#include "apiserver/admission/admission_config.hpp"
#include "apiserver/admission/plugin.hpp"

namespace coracle::apiserver {

class ImagePolicy {
 public:
  static constexpr std::size_t kKeptMax = 1024;
  static constexpr int kTriesMax = 5;
  static constexpr Duration kTimeout = std::chrono::seconds(30);

  explicit ImagePolicy(ImagePolicyConfig config) : config_(std::move(config)) {}
  const ImagePolicyConfig& config() const { return config_; }

  // The `status` of the review of this `spec`. Errors are what the call failed by.
  Task<Result<json::value>> review(Machinery& m, json::value spec);

 private:
  struct Kept {
    json::value status;
    TimePoint until{};
    std::uint64_t used = 0;
  };
  Task<Result<json::value>> ask(Machinery& m, const json::value& spec) const;
  void keep(const std::string& key, const json::value& status, TimePoint now);

  const ImagePolicyConfig config_;
  std::map<std::string, Kept> kept_;  // by the text of the spec
  std::uint64_t clock_ = 0;
};

}  // namespace coracle::apiserver
