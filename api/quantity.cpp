#include "api/quantity.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace coracle::api {

namespace {

constexpr std::string_view kFormatWrong =
    "quantities must match the regular expression "
    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
constexpr __int128 kNano = 1'000'000'000;
constexpr __int128 kMaxNano =
    static_cast<__int128>(std::numeric_limits<std::int64_t>::max()) * kNano;
constexpr int kNanoDigits = 9;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Suffix {
  int base = 10;
  int exponent = 0;
  QuantityFormat format = QuantityFormat::kDecimalSI;
};

std::optional<Suffix> interpret_suffix(std::string_view text) {
  static constexpr std::string_view kDecimal[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
  static constexpr std::string_view kBinary[] = {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  for (int i = 0; i < 10; ++i) {
    if (text == kDecimal[i]) return Suffix{10, 3 * (i - 3), QuantityFormat::kDecimalSI};
  }
  for (int i = 0; i < 6; ++i) {
    if (text == kBinary[i]) return Suffix{2, 10 * (i + 1), QuantityFormat::kBinarySI};
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  std::size_t pos = 1;
  const bool negative = text[pos] == '-';
  if (text[pos] == '-' || text[pos] == '+') ++pos;
  if (pos == text.size()) return std::nullopt;
  int exponent = 0;
  for (; pos < text.size(); ++pos) {
    if (!is_digit(text[pos])) return std::nullopt;
    exponent = std::min(exponent * 10 + (text[pos] - '0'), 1000);
  }
  return Suffix{10, negative ? -exponent : exponent, QuantityFormat::kDecimalExponent};
}

// A decimal number scaled to 1e-9 units; digits beyond that round up; capped at kMaxNano.
class NanoBuilder {
 public:
  explicit NanoBuilder(const Suffix& suffix) : suffix_(suffix) {}

  __int128 build(std::string_view whole, std::string_view fraction) {
    std::string digits(whole);
    digits += fraction;
    // value = digits * 10^-fraction * base^exponent; in nano another 10^9.
    int power10 = kNanoDigits - static_cast<int>(fraction.size());
    if (suffix_.base == 10) power10 += suffix_.exponent;
    std::size_t take = digits.size();
    if (power10 < 0 && suffix_.base == 10) {
      const std::size_t drop = std::min<std::size_t>(digits.size(), static_cast<size_t>(-power10));
      take = digits.size() - drop;
    }
    return suffix_.base == 10 ? decimal(digits, take, power10) : binary(digits, power10);
  }

 private:
  static __int128 capped(__int128 value) { return std::min(value, kMaxNano); }

  static __int128 decimal(std::string_view digits, std::size_t take, int power10) {
    __int128 value = 0;
    for (char c : digits.substr(0, take)) value = capped(value * 10 + (c - '0'));
    const bool rest = digits.find_first_not_of('0', take) != std::string_view::npos;
    if (value == 0 && !rest) return 0;
    for (int i = 0; i < power10 && value < kMaxNano; ++i) value = capped(value * 10);
    return capped(value + (rest ? 1 : 0));
  }

  __int128 binary(std::string_view digits, int power10) const {
    // Exact in long arithmetic: multiply first, then divide rounding up.
    unsigned __int128 value = 0;
    const auto limit = static_cast<unsigned __int128>(kMaxNano);
    int skipped = 0;
    for (char c : digits) {
      if (value > limit / 16) {
        ++skipped;  // digits beyond any amount we can hold
        continue;
      }
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    int power = power10 + skipped;
    bool rest = false;
    int shift = suffix_.exponent;
    while (power < 0) {
      while (shift > 0 && value < (~static_cast<unsigned __int128>(0) >> 5)) {
        value <<= 1;
        --shift;
      }
      rest = rest || value % 10 != 0;
      value /= 10;
      ++power;
    }
    for (; power > 0; --power) value = value > limit ? value : value * 10;
    for (; shift > 0; --shift) value = value > limit ? value : value << 1;
    if (value > limit) return kMaxNano;
    return capped(static_cast<__int128>(value) + (rest ? 1 : 0));
  }

  Suffix suffix_;
};

std::string int128_text(__int128 value) {
  if (value == 0) return "0";
  const bool negative = value < 0;
  if (negative) value = -value;
  std::string text;
  for (; value > 0; value /= 10) text += static_cast<char>('0' + static_cast<int>(value % 10));
  if (negative) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

std::int64_t scaled_up(__int128 nano, __int128 divisor) {
  __int128 value = nano / divisor;
  if (value * divisor != nano) value += nano < 0 ? -1 : 1;
  constexpr __int128 kMax = std::numeric_limits<std::int64_t>::max();
  constexpr __int128 kMin = std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(std::clamp(value, kMin, kMax));
}

Status bad(std::string_view text) { return invalid_argument(std::string(text)); }

}  // namespace

Result<Quantity> Quantity::parse(std::string_view text) {
  if (text.empty()) return bad(kFormatWrong);
  std::size_t pos = 0;
  const bool negative = text[0] == '-';
  if (text[0] == '-' || text[0] == '+') pos = 1;
  const std::size_t whole_start = pos;
  while (pos < text.size() && is_digit(text[pos])) ++pos;
  const std::string_view whole = text.substr(whole_start, pos - whole_start);
  std::string_view fraction;
  if (pos < text.size() && text[pos] == '.') {
    const std::size_t start = ++pos;
    while (pos < text.size() && is_digit(text[pos])) ++pos;
    fraction = text.substr(start, pos - start);
  }
  const std::string_view suffix_text = text.substr(pos);
  for (std::size_t i = 0; i < suffix_text.size(); ++i) {
    const char c = suffix_text[i];
    const bool sign_ok = (c == '-' || c == '+') && i > 0;
    if (!is_digit(c) && !sign_ok &&
        std::string_view("eEinumkKMGTP").find(c) == std::string_view::npos) {
      return bad(kFormatWrong);
    }
  }
  const auto suffix = interpret_suffix(suffix_text);
  if (!suffix) return bad("unable to parse quantity's suffix");
  if (whole.empty() && fraction.empty()) {
    return bad(pos == whole_start && suffix_text.empty()
                   ? kFormatWrong
                   : "unable to parse numeric part of quantity");
  }
  Quantity quantity;
  quantity.nano_ = NanoBuilder(*suffix).build(whole, fraction);
  quantity.format_ = suffix->format;
  const bool below_one = quantity.nano_ > 0 && quantity.nano_ < kNano;
  if (quantity.format_ == QuantityFormat::kBinarySI && below_one) {
    quantity.format_ = QuantityFormat::kDecimalSI;
  }
  if (negative) quantity.nano_ = -quantity.nano_;
  return quantity;
}

Quantity Quantity::from_units(std::int64_t units, QuantityFormat f) {
  Quantity quantity;
  quantity.nano_ = std::clamp(static_cast<__int128>(units) * kNano, -kMaxNano, kMaxNano);
  quantity.format_ = f;
  return quantity;
}

Quantity Quantity::from_milli(std::int64_t milli, QuantityFormat f) {
  Quantity quantity;
  quantity.nano_ = static_cast<__int128>(milli) * (kNano / 1000);
  quantity.format_ = f;
  return quantity;
}

std::string Quantity::text() const {
  if (nano_ == 0) return "0";
  const bool whole = nano_ % kNano == 0;
  const __int128 units = nano_ / kNano;
  if (format_ == QuantityFormat::kBinarySI && whole && (units >= 1024 || units <= -1024)) {
    static constexpr std::string_view kSuffix[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    __int128 amount = units;
    int step = 0;
    for (; step < 6 && amount % 1024 == 0; ++step) amount /= 1024;
    return int128_text(amount) + std::string(kSuffix[step]);
  }
  __int128 amount = nano_;
  int exponent = -kNanoDigits;
  for (; exponent < 18 && amount % 1000 == 0; exponent += 3) amount /= 1000;
  if (format_ == QuantityFormat::kDecimalExponent) {
    return int128_text(amount) + (exponent == 0 ? "" : "e" + std::to_string(exponent));
  }
  static constexpr std::string_view kSuffix[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
  return int128_text(amount) + std::string(kSuffix[exponent / 3 + 3]);
}

std::int64_t Quantity::value() const { return scaled_up(nano_, kNano); }
std::int64_t Quantity::milli_value() const { return scaled_up(nano_, kNano / 1000); }
double Quantity::as_double() const { return static_cast<double>(nano_) / 1e9; }

void Quantity::add(const Quantity& other) {
  if (nano_ == 0) format_ = other.format_;
  nano_ = std::clamp(nano_ + other.nano_, -kMaxNano, kMaxNano);
}

void Quantity::sub(const Quantity& other) {
  if (nano_ == 0) format_ = other.format_;
  nano_ = std::clamp(nano_ - other.nano_, -kMaxNano, kMaxNano);
}

}  // namespace coracle::api
