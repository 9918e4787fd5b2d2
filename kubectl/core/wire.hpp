// Wire: how a command reaches the server: one call after another, no strands to think of. Ends: the
// HTTPS Api run by an executor of its own (https_wire), and scripted answers in tests.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "client/api.hpp"
#include "client/kubeconfig.hpp"

namespace coracle::kubectl {

class Wire {
 public:
  virtual ~Wire() = default;
  virtual Result<client::ApiResponse> call(client::ApiRequest request) = 0;
  // Gives the bytes of a long answer to `on_data` until it says false, the server ends it, or
  // `limit` is over (zero: no limit). The head; an answer of 400 or more has its body instead.
  virtual Result<client::ApiResponse> stream(client::ApiRequest request,
                                             std::function<bool(std::string_view)> on_data,
                                             Duration limit) = 0;
  virtual void pause(Duration duration) = 0;
  virtual TimePoint now() const = 0;
  virtual WallTime wall_now() const = 0;
};

// InvalidArgument: as make_https_api.
Result<std::unique_ptr<Wire>> make_https_wire(client::ClientConfig config);

}  // namespace coracle::kubectl
