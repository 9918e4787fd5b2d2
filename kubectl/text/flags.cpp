#include "text/flags.hpp"

#include "base/strings.hpp"

namespace coracle::text {
namespace {

const FlagSpec kHelp{
    .name = "help", .shorthand = 'h', .type = FlagType::kBool, .fallback = "false"};

Status bad_value(const FlagSpec& spec, std::string_view value, const std::string& why) {
  const std::string shown =
      spec.shorthand ? "-" + std::string(1, spec.shorthand) + ", --" + spec.name : "--" + spec.name;
  return invalid_argument("invalid argument " + quoted(value) + " for " + quoted(shown) +
                          " flag: " + why);
}

bool as_bool(std::string_view value, bool* out) {
  for (const char* yes : {"true", "TRUE", "True", "t", "T", "1"}) {
    if (value == yes) return *out = true, true;
  }
  for (const char* no : {"false", "FALSE", "False", "f", "F", "0"}) {
    if (value == no) return *out = false, true;
  }
  return false;
}

// The value in the form it is kept in.
Result<std::string> checked(const FlagSpec& spec, const std::string& value) {
  if (spec.type == FlagType::kBool) {
    bool on = false;
    if (!as_bool(value, &on)) {
      return bad_value(spec, value,
                       "strconv.ParseBool: parsing " + quoted(value) + ": invalid syntax");
    }
    return std::string(on ? "true" : "false");
  }
  if (spec.type == FlagType::kInt) {
    long long number = 0;
    if (!parse_int(value, &number)) {
      return bad_value(spec, value,
                       "strconv.ParseInt: parsing " + quoted(value) + ": invalid syntax");
    }
  }
  if (spec.type == FlagType::kDuration) {
    const auto duration = parse_duration(value);
    if (!duration.ok()) return bad_value(spec, value, duration.status().message());
  }
  return value;
}

class Parser {
 public:
  explicit Parser(const std::map<std::string, FlagSpec, std::less<>>& specs) : specs_(specs) {}

  Status long_flag(const std::vector<std::string>& words, size_t& at) {
    const std::string& word = words[at];
    const size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == word.npos ? word.npos : equals - 2);
    if (name.empty() || name.front() == '-') {
      return invalid_argument("bad flag syntax: " + word);
    }
    const FlagSpec* spec = by_name(name);
    if (!spec) return invalid_argument("unknown flag: --" + name);
    if (equals != word.npos) return keep(*spec, word.substr(equals + 1));
    if (auto bare = bare_value(*spec)) return keep(*spec, *bare);
    if (at + 1 >= words.size()) return invalid_argument("flag needs an argument: --" + name);
    return keep(*spec, words[++at]);
  }

  Status short_flags(const std::vector<std::string>& words, size_t& at) {
    const std::string& word = words[at];
    for (size_t i = 1; i < word.size(); ++i) {
      const FlagSpec* spec = by_letter(word[i]);
      if (!spec) {
        return invalid_argument(std::string("unknown shorthand flag: '") + word[i] + "' in " +
                                word);
      }
      std::string rest = word.substr(i + 1);
      if (!rest.empty() && rest.front() == '=') return keep(*spec, rest.substr(1));
      if (auto bare = bare_value(*spec)) {
        if (Status status = keep(*spec, *bare); !status.ok()) return status;
        continue;
      }
      if (!rest.empty()) return keep(*spec, rest);
      if (at + 1 >= words.size()) {
        return invalid_argument(std::string("flag needs an argument: '") + word[i] + "' in " +
                                word);
      }
      return keep(*spec, words[++at]);
    }
    return {};
  }

  std::map<std::string, std::vector<std::string>, std::less<>> given;
  std::vector<std::string> order;

 private:
  const FlagSpec* by_name(const std::string& name) const {
    const auto found = specs_.find(name);
    if (found != specs_.end()) return &found->second;
    return name == kHelp.name ? &kHelp : nullptr;
  }
  const FlagSpec* by_letter(char letter) const {
    for (const auto& [name, spec] : specs_) {
      if (spec.shorthand == letter) return &spec;
    }
    return letter == kHelp.shorthand ? &kHelp : nullptr;
  }
  static std::optional<std::string> bare_value(const FlagSpec& spec) {
    if (spec.bare) return spec.bare;
    if (spec.type == FlagType::kBool) return "true";
    return std::nullopt;
  }
  Status keep(const FlagSpec& spec, const std::string& value) {
    ASSIGN_OR_RETURN(std::string kept, checked(spec, value));
    order.push_back("--" + spec.name + "=" + value);
    auto& values = given[spec.name];
    if (spec.type != FlagType::kList && spec.type != FlagType::kArray) values.clear();
    values.push_back(std::move(kept));
    return {};
  }

  const std::map<std::string, FlagSpec, std::less<>>& specs_;
};

}  // namespace

std::string ParsedFlags::get(std::string_view name) const {
  if (const auto found = given_.find(name); found != given_.end()) return found->second.back();
  if (const auto spec = specs_.find(name); spec != specs_.end()) return spec->second.fallback;
  return {};
}

std::int64_t ParsedFlags::get_int(std::string_view name) const {
  long long value = 0;
  return parse_int(get(name), &value) ? value : 0;
}

Duration ParsedFlags::get_duration(std::string_view name) const {
  const auto value = parse_duration(get(name));
  return value.ok() ? *value : Duration::zero();
}

std::vector<std::string> ParsedFlags::list(std::string_view name) const {
  const auto found = given_.find(name);
  if (found == given_.end()) return {};
  const auto spec = specs_.find(name);
  if (spec == specs_.end() || spec->second.type != FlagType::kList) return found->second;
  std::vector<std::string> out;
  for (const std::string& value : found->second) {
    for (std::string& part : split(value, ',')) out.push_back(std::move(part));
  }
  return out;
}

Result<ParsedFlags> parse_flags(const std::vector<FlagSpec>& specs,
                                const std::vector<std::string>& words) {
  ParsedFlags out;
  for (const FlagSpec& spec : specs) out.specs_.emplace(spec.name, spec);
  Parser parser(out.specs_);
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      out.dash_args = out.args.size();
      out.args.insert(out.args.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                      words.end());
      break;
    }
    if (word.size() < 2 || word.front() != '-') {
      out.args.push_back(word);
    } else if (word[1] == '-') {
      RETURN_IF_ERROR(parser.long_flag(words, i));
    } else {
      RETURN_IF_ERROR(parser.short_flags(words, i));
    }
  }
  out.given_ = std::move(parser.given);
  out.given = std::move(parser.order);
  return out;
}

std::string flag_help(const std::vector<FlagSpec>& specs) {
  std::map<std::string, const FlagSpec*> sorted;
  for (const FlagSpec& spec : specs) sorted[spec.name] = &spec;
  std::string out;
  for (const auto& [name, spec] : sorted) {
    const bool quoted_default = spec->type == FlagType::kString || spec->type == FlagType::kList ||
                                spec->type == FlagType::kArray;
    const bool is_list = spec->type == FlagType::kList || spec->type == FlagType::kArray;
    out += spec->shorthand ? std::string("    -") + spec->shorthand + ", --" : "    --";
    out += name + "=" +
           (is_list          ? "[]"
            : quoted_default ? "'" + spec->fallback + "'"
                             : spec->fallback) +
           ":\n\t" + spec->help + "\n\n";
  }
  return out;
}

}  // namespace coracle::text
