#include "scenario/distribution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "api/quantity.hpp"

namespace coracle::sim {
namespace {

// Index by weight; a draw each.
template <class T>
size_t pick(const std::vector<std::pair<T, double>>& choices, Rng& rng) {
  double sum = 0;
  for (const auto& [value, weight] : choices) sum += weight;
  double at = rng.unit() * sum;
  for (size_t i = 0; i + 1 < choices.size(); ++i) {
    at -= choices[i].second;
    if (at < 0) return i;
  }
  return choices.size() - 1;
}

std::optional<double> amount(const json::value& value, Unit unit) {
  if (unit == Unit::kNumber || (unit == Unit::kQuantity && value.is_number())) {
    if (!value.is_number()) return {};
    return value.to_number<double>();
  }
  if (!value.is_string()) return {};
  const std::string_view text = value.get_string();
  if (unit == Unit::kSeconds) {
    const auto span = parse_span(text);
    if (!span.ok()) return {};
    return std::chrono::duration<double>(*span).count();
  }
  const auto quantity = api::Quantity::parse(text);
  if (!quantity.ok()) return {};
  return quantity->as_double();
}

const char* want(Unit unit) {
  switch (unit) {
    case Unit::kNumber:
      return "a number";
    case Unit::kSeconds:
      return "a duration like 90s, 1h30m or 2d";
    case Unit::kQuantity:
      return "a quantity like 500m, 2 or 1Gi";
  }
  return "";
}

class Reader {
 public:
  Reader(Unit unit, AmountRange range, Problems& problems)
      : unit_(unit), range_(range), problems_(problems) {}

  double read(const json::value& value, const std::string& path) {
    const auto number = amount(value, unit_);
    if (!number) {
      problems_.add(path, fmt::format("want {}, not {}", want(unit_), to_json(value)));
      return range_.least;
    }
    const char* second = unit_ == Unit::kSeconds ? "s" : "";
    if (*number < range_.least) {
      problems_.add(path, fmt::format("{} is too little: at least {}{}", to_json(value),
                                      range_.least, second));
    }
    if (*number > range_.most) {
      problems_.add(path, fmt::format("{} is too much: at most {:.0f}{}", to_json(value),
                                      range_.most, second));
    }
    return *number;
  }
  double need(FieldReader& in, std::string_view name) {
    const json::value* value = in.need(name);
    return value == nullptr ? range_.least : read(*value, in.path(name));
  }
  void limits(FieldReader& in, Distribution* out) {
    if (const json::value* value = in.find("min")) out->min = read(*value, in.path("min"));
    if (const json::value* value = in.find("max")) out->max = read(*value, in.path("max"));
    if (out->min && *out->min > *out->max) in.wrong("max", "is less than min");
  }
  void choices(FieldReader& in, Distribution* out) {
    out->kind = Distribution::Kind::kChoice;
    for (const auto& [element, path] : in.list("choice")) {
      FieldReader one(element, path, problems_);
      double weight = 1;
      const double value = need(one, "value");
      one.read("weight", &weight, 0, 1e12);
      out->choices.emplace_back(value, weight);
    }
    double sum = 0;
    for (const auto& [value, weight] : out->choices) sum += weight;
    if (sum <= 0) in.wrong("choice", "want at least one value with a weight above 0");
    if (out->choices.empty()) out->choices.emplace_back(range_.least, 1);
  }

 private:
  const Unit unit_;
  const AmountRange range_;
  Problems& problems_;
};

}  // namespace

double Distribution::draw(Rng& rng) const {
  double value = a;
  const auto positive_unit = [&] { return 1.0 - rng.unit(); };  // (0, 1]
  switch (kind) {
    case Kind::kConstant:
      break;
    case Kind::kUniform:
      value = a + (b - a) * rng.unit();
      break;
    case Kind::kExponential:
      value = -a * std::log(positive_unit());
      break;
    case Kind::kLognormal: {  // Box and Muller; the second number is thrown away, so draws are
                              // apart
      const double radius = std::sqrt(-2.0 * std::log(positive_unit()));
      value = a * std::exp(b * radius * std::cos(2.0 * std::numbers::pi * rng.unit()));
      break;
    }
    case Kind::kPareto:
      value = a / std::pow(positive_unit(), 1.0 / b);
      break;
    case Kind::kChoice:
      value = choices[pick(choices, rng)].first;
      break;
  }
  if (min) value = std::max(value, *min);
  if (max) value = std::min(value, *max);
  return value;
}

double Distribution::least() const {
  double value = a;
  if (kind == Kind::kUniform) value = std::min(a, b);
  if (kind == Kind::kExponential || kind == Kind::kLognormal) value = 0;
  if (kind == Kind::kChoice) {
    value = std::numeric_limits<double>::max();
    for (const auto& [choice, weight] : choices) value = std::min(value, choice);
  }
  return min ? std::max(value, *min) : value;
}

Distribution read_distribution(const json::value& value, const std::string& path, Unit unit,
                               AmountRange range, Problems& problems) {
  Distribution out;
  Reader reader(unit, range, problems);
  out.max = range.most;
  if (!value.is_object()) {
    out.a = reader.read(value, path);
    return out;
  }
  FieldReader in(&value, path, problems);
  using Kind = Distribution::Kind;
  struct Form {
    const char* name;
    Kind kind;
    const char* first;
    const char* second;  // null: none
    bool second_is_plain;
  };
  static constexpr Form kForms[] = {
      {"uniform", Kind::kUniform, "from", "to", false},
      {"exponential", Kind::kExponential, "mean", nullptr, false},
      {"lognormal", Kind::kLognormal, "median", "sigma", true},
      {"pareto", Kind::kPareto, "from", "shape", true},
  };
  int said = 0;
  for (const Form& form : kForms) {
    const json::value* inner = in.find(form.name);
    if (inner == nullptr) continue;
    ++said;
    FieldReader of(inner, in.path(form.name), problems);
    out.kind = form.kind;
    const size_t before = problems.count();
    out.a = reader.need(of, form.first);
    // Of these, nothing but 0 could be drawn.
    if (form.kind != Kind::kUniform && out.a == 0 && problems.count() == before) {
      of.wrong(form.first, "want more than 0");
    }
    if (form.second != nullptr && form.second_is_plain) {
      out.b = 1;
      if (of.need(form.second) != nullptr) of.read(form.second, &out.b, 1e-6, 1e6);
    } else if (form.second != nullptr) {
      out.b = reader.need(of, form.second);
      if (out.b < out.a) of.wrong(form.second, fmt::format("is less than {}", form.first));
    }
    reader.limits(of, &out);
  }
  if (const json::value* constant = in.find("constant")) {
    ++said;
    out.a = reader.read(*constant, in.path("constant"));
  }
  if (in.has("choice")) {
    ++said;
    reader.choices(in, &out);
  }
  if (said != 1) {
    problems.add(path,
                 "want one value, or one of constant, uniform, exponential, lognormal, "
                 "pareto and choice");
  }
  return out;
}

const std::string& WordChoice::draw(Rng& rng) const { return words[pick(words, rng)].first; }

WordChoice read_words(const json::value& value, const std::string& path,
                      const std::vector<std::string>& allowed, Problems& problems) {
  WordChoice out;
  const auto add = [&](const json::value& word, const std::string& at, double weight) {
    const std::string text = word.is_string() ? std::string(word.get_string()) : "";
    const bool known =
        allowed.empty() || std::find(allowed.begin(), allowed.end(), text) != allowed.end();
    if (!word.is_string() || !known) {
      problems.add(at, fmt::format("want {}, not {}", allowed.empty() ? "a text" : one_of(allowed),
                                   to_json(word)));
    }
    out.words.emplace_back(text, weight);
  };
  if (!value.is_object()) {
    add(value, path, 1);
    return out;
  }
  FieldReader in(&value, path, problems);
  double sum = 0;
  for (const auto& [element, at] : in.list("choice")) {
    FieldReader one(element, at, problems);
    double weight = 1;
    one.read("weight", &weight, 0, 1e12);
    sum += weight;
    if (const json::value* word = one.need("value")) add(*word, one.path("value"), weight);
  }
  if (sum <= 0) problems.add(path, "want a text, or a choice of some with a weight above 0");
  if (out.words.empty()) out.words.emplace_back("", 1);
  return out;
}

}  // namespace coracle::sim
