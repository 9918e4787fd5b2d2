#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

#include "base/log.hpp"

namespace coracle {

void check_failed(const char* file, int line, const char* expression, const std::string& detail) {
  log::flush();
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed%s%s\n", file, line, expression,
               detail.empty() ? "" : ": ", detail.c_str());
  std::fflush(stderr);
  std::abort();
}

void fail_startup(const std::string& what) {
  log::flush();
  std::fprintf(stderr, "%s: %s\n", log::program_name().c_str(), what.c_str());
  std::exit(2);
}

}  // namespace coracle
