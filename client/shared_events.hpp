// SharedEvents: what a client::Api may be as well, where clients of one process are sent the same
// bytes (the simulated cluster): then each text is parsed once, and all look at one tree.
//
// Strand: that of the Api. A tree is given for the very text it was parsed from, and nobody changes
// it.
#pragma once

#include <memory>
#include <string_view>

#include "base/json.hpp"

namespace coracle::client {

class SharedEvents {
 public:
  virtual ~SharedEvents() = default;
  // Of a watch's line, without its object's metadata.managedFields; null: it is not JSON.
  virtual std::shared_ptr<const json::value> event(std::string_view line) = 0;
};

}  // namespace coracle::client
