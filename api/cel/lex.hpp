// Tokens of CEL. Pure; errors name their place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace coracle::api::cel {

enum class Tok : std::uint8_t { kEnd, kIdent, kInt, kUint, kDouble, kString, kBytes, kSign };

struct Token {
  Tok kind = Tok::kEnd;
  std::string text;  // of strings: what they mean; of numbers: digits without the u
  std::uint32_t offset = 0;
  bool quoted = false;  // an identifier in backticks
};

struct LexError {
  std::uint32_t offset;
  std::string message;
};

// The last token is kEnd. Returns false and sets `error` at the first bad one.
bool lex(std::string_view text, std::vector<Token>& out, LexError& error);

}  // namespace coracle::api::cel
