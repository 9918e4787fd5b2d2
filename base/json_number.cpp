#include "base/json_number.hpp"

#include <charconv>
#include <cstdlib>
#include <string>

namespace coracle {

double json_double(std::string_view text) {
  double out = 0;
  const auto done = std::from_chars(text.data(), text.data() + text.size(), out);
  // Too large or too small: which of them, this one says.
  if (done.ec != std::errc()) out = std::strtod(std::string(text).c_str(), nullptr);
  return out;
}

}  // namespace coracle
