// Arguments: what stands behind a command of storectl: words, and flags with or without a value.
// A flag that the command does not know, or that lacks its value, ends the program (exit 2), named.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace coracle::store {

class Arguments {
 public:
  // Flags with their dashes; both "--flag value" and "--flag=value" are taken.
  struct Known {
    std::set<std::string> valued;
    std::set<std::string> switches;
  };
  Arguments(std::string command, const std::vector<std::string>& arguments, const Known& known);

  const std::vector<std::string>& words() const { return words_; }
  // Exactly so many words, or the program ends saying what they should be ("FILE").
  void want_words(size_t count, const std::string& what) const;
  bool has(const std::string& flag) const { return flags_.contains(flag); }
  std::string value(const std::string& flag, const std::string& fallback = {}) const;
  // The value, or the program ends.
  std::string needed(const std::string& flag, const std::string& why) const;
  // -w or --write-out (or --output): one of `formats`, the first of which is the default.
  std::string format(const std::vector<std::string>& formats) const;
  [[noreturn]] void refuse(const std::string& why) const;

 private:
  const std::string command_;
  std::vector<std::string> words_;
  std::map<std::string, std::string> flags_;
};

}  // namespace coracle::store
