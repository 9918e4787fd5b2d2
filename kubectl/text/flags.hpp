// The flags of a command line as kubectl (pflag) reads them: --name=value, --name value, -n value,
// -nvalue, -abc, flags after arguments, `--` ends the flags. Pure.
//
// Errors are InvalidArgument with pflag's texts: `unknown flag: --x`, `unknown shorthand flag: 'z'
// in -z`, `flag needs an argument: --x`, `invalid argument "x" for "--replicas" flag: ...`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/status.hpp"

namespace coracle::text {

enum class FlagType {
  kBool,
  kString,
  kInt,
  kDuration,
  kList,   // comma separated, and repeatable
  kArray,  // repeatable; commas are part of the value
};

struct FlagSpec {
  std::string name;
  char shorthand = 0;
  FlagType type = FlagType::kString;
  std::string fallback;  // the default, as text
  std::string help;
  std::optional<std::string> bare;  // the value of `--name` without one (a bool's is "true")
};

class ParsedFlags {
 public:
  // Given on the command line.
  bool has(std::string_view name) const { return given_.find(name) != given_.end(); }
  // The last value given, else the default; empty for an unknown name.
  std::string get(std::string_view name) const;
  bool is_set(std::string_view name) const { return get(name) == "true"; }
  std::int64_t get_int(std::string_view name) const;
  Duration get_duration(std::string_view name) const;
  // All values; kList splits at commas.
  std::vector<std::string> list(std::string_view name) const;
  // As if it had not been given.
  void forget(const std::string& name) { given_.erase(name); }

  std::vector<std::string> args;    // without flags
  std::optional<size_t> dash_args;  // how many args stood before `--`
  std::vector<std::string> given;   // "--name=value", in the order of the command line

 private:
  friend Result<ParsedFlags> parse_flags(const std::vector<FlagSpec>& specs,
                                         const std::vector<std::string>& words);
  std::map<std::string, std::vector<std::string>, std::less<>> given_;
  std::map<std::string, FlagSpec, std::less<>> specs_;
};

// A flag the specs do not know fails, but --help and -h, which read as the bool "help".
Result<ParsedFlags> parse_flags(const std::vector<FlagSpec>& specs,
                                const std::vector<std::string>& words);

// The table that --help prints.
std::string flag_help(const std::vector<FlagSpec>& specs);

}  // namespace coracle::text
