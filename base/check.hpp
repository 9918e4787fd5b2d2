// check: invariants of ours that hold in release builds too.
// A failed CHECK is a bug in this program, never bad input: it prints where and what, and aborts.
#pragma once

#include <sstream>
#include <string>

namespace coracle {

[[noreturn]] void check_failed(const char* file, int line, const char* expression,
                               const std::string& detail);

// Prints "NAME: WHAT" on standard error and exits with 2: a daemon or tool was started wrongly.
// `what` names the flag or the file.
[[noreturn]] void fail_startup(const std::string& what);

}  // namespace coracle

#define CORACLE_CHECK(condition)                                                   \
  do {                                                                             \
    if (!(condition)) ::coracle::check_failed(__FILE__, __LINE__, #condition, ""); \
  } while (false)

// Catch2 has a CHECK of its own: a test that includes catch.hpp first keeps that one.
#ifndef CHECK
#define CHECK(condition) CORACLE_CHECK(condition)
#endif

#define CHECK_MSG(condition, detail)                                               \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::ostringstream check_stream;                                             \
      check_stream << detail;                                                      \
      ::coracle::check_failed(__FILE__, __LINE__, #condition, check_stream.str()); \
    }                                                                              \
  } while (false)
