#include "scenario/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/strings.hpp"
#include "trace/fields.hpp"

namespace coracle::sim {
namespace {

std::string shown(const json::value& value) {
  std::string text = to_json(value);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace

void Problems::add(const std::string& path, const std::string& what) {
  const int line = line_of(path);
  told_.emplace_back(
      line, fmt::format("{}:{}: {}{}", file_, line, path.empty() ? "" : path + ": ", what));
}

int Problems::line_of(std::string_view path) const {
  while (!path.empty()) {
    const auto found = lines_.find(path);
    if (found != lines_.end()) return found->second;
    const size_t cut = path.find_last_of(".[");
    path = cut == std::string_view::npos ? std::string_view() : path.substr(0, cut);
  }
  return 1;
}

Status Problems::status() const {
  if (told_.empty()) return {};
  auto sorted = told_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> texts;
  for (const auto& [line, text] : sorted) {
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
  }
  return invalid_argument(join(texts, "\n"));
}

FieldReader::FieldReader(const json::value* value, std::string path, Problems& problems)
    : path_(std::move(path)), problems_(problems) {
  if (value == nullptr || value->is_null()) return;
  object_ = value->if_object();
  if (object_ == nullptr) {
    problems_.add(path_, fmt::format("want an object with named fields, not {}", shown(*value)));
  }
}

FieldReader::~FieldReader() {
  if (object_ == nullptr) return;
  for (const auto& member : *object_) {
    const std::string name(member.key());
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    std::vector<std::string> known = asked_;
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    wrong(name, fmt::format("unknown field (known here: {})", join(known, ", ")));
  }
}

std::string FieldReader::path(std::string_view name) const {
  if (name.empty()) return path_;  // the object itself
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

const json::value* FieldReader::find(std::string_view name) {
  asked_.emplace_back(name);
  if (object_ == nullptr) return nullptr;
  const json::value* value = object_->if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const json::value* FieldReader::need(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) wrong(name, "required");
  return value;
}

bool FieldReader::read(std::string_view name, std::string* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_string()) {
    wrong(name, fmt::format("want a text, not {}", shown(*value)));
    return false;
  }
  *out = std::string(value->get_string());
  return true;
}

bool FieldReader::read(std::string_view name, bool* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_bool()) {
    wrong(name, fmt::format("want true or false, not {}", shown(*value)));
    return false;
  }
  *out = value->get_bool();
  return true;
}

bool FieldReader::read(std::string_view name, std::int64_t* out, std::int64_t low,
                       std::int64_t high) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_int64() || value->get_int64() < low || value->get_int64() > high) {
    wrong(name, fmt::format("want a whole number from {} to {}, not {}", low, high, shown(*value)));
    return false;
  }
  *out = value->get_int64();
  return true;
}

bool FieldReader::read(std::string_view name, double* out, double low, double high) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  const double number = value->is_number() ? value->to_number<double>() : std::nan("");
  if (!(number >= low && number <= high)) {
    wrong(name, fmt::format("want a number from {} to {}, not {}", low, high, shown(*value)));
    return false;
  }
  *out = number;
  return true;
}

bool FieldReader::read(std::string_view name, Duration* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  const auto span = value->is_string() ? parse_span(value->get_string())
                                       : Result<Duration>(invalid_argument("no text"));
  if (!span.ok() || *span < Duration(0)) {
    wrong(name, fmt::format("want a duration like 90s, 1h30m or 2d, not {}", shown(*value)));
    return false;
  }
  if (*span > kLatest) {
    wrong(name, fmt::format("{} is more than 100 years", shown(*value)));
    return false;
  }
  *out = *span;
  return true;
}

bool FieldReader::read(std::string_view name, std::optional<Duration>* out) {
  Duration span{0};
  if (!read(name, &span)) return false;
  *out = span;
  return true;
}

bool FieldReader::read(std::string_view name, std::vector<std::string>* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  std::vector<std::string> texts;
  const json::array* array = value->if_array();
  for (size_t i = 0; array != nullptr && i < array->size(); ++i) {
    if (!(*array)[i].is_string()) {
      wrong(fmt::format("{}[{}]", name, i), fmt::format("want a text, not {}", shown((*array)[i])));
      return false;
    }
    texts.emplace_back((*array)[i].get_string());
  }
  if (array == nullptr) {
    wrong(name, fmt::format("want a list of texts, not {}", shown(*value)));
    return false;
  }
  *out = std::move(texts);
  return true;
}

bool FieldReader::read(std::string_view name, json::object* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_object()) {
    wrong(name, fmt::format("want an object with named fields, not {}", shown(*value)));
    return false;
  }
  *out = value->get_object();
  return true;
}

bool FieldReader::read(std::string_view name, json::array* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_array()) {
    wrong(name, fmt::format("want a list, not {}", shown(*value)));
    return false;
  }
  *out = value->get_array();
  return true;
}

std::optional<size_t> FieldReader::choice(std::string_view name,
                                          const std::vector<std::string>& words) {
  const json::value* value = find(name);
  if (value == nullptr) return {};
  const auto found = value->is_string()
                         ? std::find(words.begin(), words.end(), std::string(value->get_string()))
                         : words.end();
  if (found == words.end()) {
    wrong(name, fmt::format("want {}, not {}", one_of(words), shown(*value)));
    return {};
  }
  return static_cast<size_t>(found - words.begin());
}

std::vector<std::pair<const json::value*, std::string>> FieldReader::list(std::string_view name) {
  std::vector<std::pair<const json::value*, std::string>> elements;
  const json::value* value = find(name);
  if (value == nullptr) return elements;
  const json::array* array = value->if_array();
  if (array == nullptr) {
    wrong(name, fmt::format("want a list, not {}", shown(*value)));
    return elements;
  }
  for (size_t i = 0; i < array->size(); ++i) {
    elements.emplace_back(&(*array)[i], fmt::format("{}[{}]", path(name), i));
  }
  return elements;
}

Result<Duration> parse_span(std::string_view text) {
  const size_t day = text.find('d');
  if (day == std::string_view::npos) return parse_duration(text);
  long long days = 0;
  const auto bad = [&] { return invalid_argument(fmt::format("\"{}\" is no duration", text)); };
  constexpr long long kDaysMax = 36500;
  if (!parse_int(text.substr(0, day), &days) || days < 0 || days > kDaysMax) return bad();
  Duration rest{0};
  if (day + 1 < text.size()) {
    ASSIGN_OR_RETURN(rest, parse_duration(text.substr(day + 1)));
  }
  if (rest > kLatest) return bad();  // the sum might be no Duration
  return std::chrono::hours(24 * days) + rest;
}

std::string one_of(const std::vector<std::string>& words) {
  if (words.size() < 2) return words.empty() ? "nothing" : words[0];
  const std::vector<std::string> first(words.begin(), words.end() - 1);
  return join(first, ", ") + " or " + words.back();
}

}  // namespace coracle::sim
