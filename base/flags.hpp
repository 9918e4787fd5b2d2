// Command-line flags of a daemon (over CLI11, which only flags.cpp includes).
//
//   Flags flags("kvstore", "A member of the replicated store.", "kvstore --name m1 --data-dir d");
//   flags.add("--data-dir", &dir, "where the log and the state live").required();
//   flags.parse(argc, argv);      // --help prints and exits 0; a bad flag is named and exits 2
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace coracle {

class Flags {
 public:
  // Errors and log lines carry the program's name from here on.
  Flags(std::string program, std::string summary, std::string examples);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  class Flag {
   public:
    Flag& required();
    // An error that names the flag when the value is none of these.
    Flag& one_of(std::vector<std::string> choices);

   private:
    friend class Flags;
    explicit Flag(void* option) : option_(option) {}
    void* option_;
  };

  // The value the variable holds before parse() is the default, and shown by --help. "-v,--verbose"
  // names both forms. Durations take Go's form ("500ms"); the plain bool is a switch.
  Flag add(const std::string& name, std::string* value, const std::string& help);
  Flag add(const std::string& name, std::int64_t* value, const std::string& help);
  Flag add(const std::string& name, int* value, const std::string& help);
  Flag add(const std::string& name, double* value, const std::string& help);
  Flag add(const std::string& name, Duration* value, const std::string& help);
  Flag add(const std::string& name, bool* value, const std::string& help);
  Flag add(const std::string& name, std::vector<std::string>* values, const std::string& help);

  void parse(int argc, char** argv);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The content of the file a flag names; a file that cannot be read ends the program by
// fail_startup, which names the flag and says why.
std::string read_flag_file(const std::string& flag, const std::string& path);

}  // namespace coracle
