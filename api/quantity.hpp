// quantity: resource.Quantity. Exact: an integer of 128 bits times a power of ten down to 1e-9.
// Value type, 32 bytes. Texts finer than 1n are rounded up (away from zero), as upstream does;
// amounts beyond 2^63-1 units are capped to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.hpp"

namespace coracle::api {

enum class QuantityFormat : std::uint8_t { kDecimalSI, kBinarySI, kDecimalExponent };

class Quantity {
 public:
  Quantity() = default;
  // InvalidArgument: upstream's texts (`quantities must match the regular expression '...'`).
  static Result<Quantity> parse(std::string_view text);
  static Quantity from_units(std::int64_t units, QuantityFormat f = QuantityFormat::kDecimalSI);
  static Quantity from_milli(std::int64_t milli, QuantityFormat f = QuantityFormat::kDecimalSI);

  // Canonical: "500m", "1Gi", "1e3"; parse(text()) == *this.
  std::string text() const;
  // Rounded up (away from zero), saturating at the limits of int64.
  std::int64_t value() const;
  std::int64_t milli_value() const;
  double as_double() const;
  QuantityFormat format() const { return format_; }
  bool is_zero() const { return nano_ == 0; }
  int sign() const { return nano_ < 0 ? -1 : nano_ > 0 ? 1 : 0; }

  void add(const Quantity& other);  // a zero takes the format of the other
  void sub(const Quantity& other);
  void negate() { nano_ = -nano_; }

  friend bool operator==(const Quantity& a, const Quantity& b) { return a.nano_ == b.nano_; }
  friend bool operator<(const Quantity& a, const Quantity& b) { return a.nano_ < b.nano_; }
  friend bool operator<=(const Quantity& a, const Quantity& b) { return a.nano_ <= b.nano_; }
  friend bool operator>(const Quantity& a, const Quantity& b) { return a.nano_ > b.nano_; }
  friend bool operator>=(const Quantity& a, const Quantity& b) { return a.nano_ >= b.nano_; }

 private:
  __int128 nano_ = 0;  // amount in 1e-9; |nano_| <= (2^63-1) * 1e9
  QuantityFormat format_ = QuantityFormat::kDecimalSI;
};

}  // namespace coracle::api
