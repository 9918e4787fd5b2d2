#include "storectl/arguments.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/strings.hpp"

namespace coracle::store {
namespace {

const std::set<std::string> kFormatFlags = {"-w", "--write-out", "--output"};

}  // namespace

Arguments::Arguments(std::string command, const std::vector<std::string>& arguments,
                     const Known& known)
    : command_(std::move(command)) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!argument.starts_with('-') || argument == "-") {
      words_.push_back(argument);
      continue;
    }
    const size_t equals = argument.find('=');
    const std::string flag = argument.substr(0, equals);
    if (known.switches.contains(flag)) {
      if (equals != std::string::npos) refuse(flag + " takes no value");
      flags_[flag] = "true";
      continue;
    }
    if (!known.valued.contains(flag) && !kFormatFlags.contains(flag)) {
      refuse("unknown flag " + quoted(flag));
    }
    if (equals != std::string::npos) {
      flags_[flag] = argument.substr(equals + 1);
    } else if (i + 1 < arguments.size()) {
      flags_[flag] = arguments[++i];
    } else {
      refuse(flag + " needs a value");
    }
  }
}

void Arguments::want_words(size_t count, const std::string& what) const {
  if (words_.size() != count) refuse("needs " + what + ", and only that");
}

std::string Arguments::value(const std::string& flag, const std::string& fallback) const {
  const auto found = flags_.find(flag);
  return found == flags_.end() ? fallback : found->second;
}

std::string Arguments::needed(const std::string& flag, const std::string& why) const {
  if (!has(flag)) refuse(flag + " is needed (" + why + ")");
  return value(flag);
}

std::string Arguments::format(const std::vector<std::string>& formats) const {
  for (const std::string& flag : kFormatFlags) {
    if (!has(flag)) continue;
    const std::string chosen = value(flag);
    if (std::find(formats.begin(), formats.end(), chosen) != formats.end()) return chosen;
    refuse(flag + " is one of " + join(formats, ", "));
  }
  return formats.front();
}

void Arguments::refuse(const std::string& why) const { fail_startup(command_ + ": " + why); }

}  // namespace coracle::store
