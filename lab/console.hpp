// What a person sees: steps with their times, colours only on a terminal.
#pragma once

#include <string>

namespace coracle::lab {

class Console {
 public:
  Console();  // looks once whether standard output is a terminal (and NO_COLOR is not set)

  void say(const std::string& line) const;
  void step(const std::string& line, double seconds) const;  // "ok  line (0.4 s)"
  void fail(const std::string& line) const;                  // to standard error
  // A line that the next one overwrites; nothing when not on a terminal.
  void progress(const std::string& line) const;
  std::string bold(const std::string& text) const;

 private:
  bool colours_;
};

}  // namespace coracle::lab
