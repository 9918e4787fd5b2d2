// utf8: whether bytes are Unicode text. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace coracle {

// How many bytes the character has that `text` (not empty) begins with; 0: it begins with none.
std::size_t utf8_length(std::string_view text);
// Whether all of it is characters.
bool is_utf8(std::string_view text);

}  // namespace coracle
