// Distributions of amounts and of words, and how they are drawn. Values. Pure: chance is an
// argument, and one draw takes the same numbers of it whatever the result.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "scenario/fields.hpp"

namespace coracle::sim {

// What a number in the file means, and how it may be written there.
enum class Unit : std::uint8_t {
  kNumber,    // 3, 0.5
  kSeconds,   // "90s", "1h30m"
  kQuantity,  // "500m", 2, "1Gi": in whole units
};

struct Distribution {
  enum class Kind : std::uint8_t {
    kConstant,     // a
    kUniform,      // [a, b)
    kExponential,  // mean a
    kLognormal,    // median a, sigma b of the logarithm
    kPareto,       // from a on, with shape b
    kChoice,       // of `choices`, by weight
  };
  Kind kind = Kind::kConstant;
  double a = 0, b = 0;
  std::optional<double> min, max;                  // what is drawn beyond them counts as them
  std::vector<std::pair<double, double>> choices;  // value, weight

  double draw(Rng& rng) const;
  double least() const;  // no draw is below it
};

// A scalar is a constant; else one of {constant: V}, {uniform: {from, to}}, {exponential: {mean}},
// {lognormal: {median, sigma}}, {pareto: {from, shape}}, {choice: [{value, weight}]}; the middle
// four take min and max. Values outside `range` are problems; what is drawn above it counts as its
// end.
struct AmountRange {
  double least, most;
};
Distribution read_distribution(const json::value& value, const std::string& path, Unit unit,
                               AmountRange range, Problems& problems);

// One word, or {choice: [{value, weight}]}.
struct WordChoice {
  std::vector<std::pair<std::string, double>> words;
  const std::string& draw(Rng& rng) const;
};
// `allowed`: empty: any.
WordChoice read_words(const json::value& value, const std::string& path,
                      const std::vector<std::string>& allowed, Problems& problems);

}  // namespace coracle::sim
