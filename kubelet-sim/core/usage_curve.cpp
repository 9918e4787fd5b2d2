#include "kubelet/usage_curve.hpp"

#include <algorithm>

#include "api/quantity.hpp"

namespace coracle::kubelet {
namespace {

double seconds_of(Duration d) { return std::chrono::duration<double>(d).count(); }

Result<double> amount(const json::value& value) {
  const Status bad = invalid_argument("must be a quantity, or a map of times to quantities");
  if (!value.is_string() && !value.is_number()) return bad;
  const auto quantity =
      api::Quantity::parse(value.is_string() ? std::string(value.get_string()) : to_json(value));
  if (!quantity.ok() || quantity->sign() < 0) return bad;
  return quantity->as_double();
}

}  // namespace

Result<UsageCurve> UsageCurve::parse(const json::value& value) {
  UsageCurve curve;
  if (!value.is_object()) {
    ASSIGN_OR_RETURN(const double constant, amount(value));
    curve.points_.push_back({0, constant});
    return curve;
  }
  for (const auto& member : value.get_object()) {
    const auto age = parse_duration(member.key());
    if (!age.ok() || *age < Duration(0)) {
      return invalid_argument("must name times like 30s since the start");
    }
    ASSIGN_OR_RETURN(const double v, amount(member.value()));
    curve.points_.push_back({seconds_of(*age), v});
  }
  std::stable_sort(curve.points_.begin(), curve.points_.end(),
                   [](const Point& a, const Point& b) { return a.seconds < b.seconds; });
  if (!curve.points_.empty() && curve.points_.front().seconds > 0) {
    curve.points_.insert(curve.points_.begin(), {0, curve.points_.front().value});
  }
  return curve;
}

double UsageCurve::at(Duration age) const {
  const double t = seconds_of(age);
  if (points_.empty() || t < 0) return 0;
  for (size_t i = 1; i < points_.size(); ++i) {
    const Point &a = points_[i - 1], &b = points_[i];
    if (t >= b.seconds) continue;
    return a.value + (b.value - a.value) * (t - a.seconds) / (b.seconds - a.seconds);
  }
  return points_.back().value;
}

double UsageCurve::sum_until(Duration age) const {
  const double t = seconds_of(age);
  if (points_.empty() || t <= 0) return 0;
  double sum = 0;
  for (size_t i = 1; i < points_.size() && points_[i - 1].seconds < t; ++i) {
    const Point &a = points_[i - 1], &b = points_[i];
    const double end = std::min(t, b.seconds);
    const double value_there =
        end >= b.seconds
            ? b.value
            : a.value + (b.value - a.value) * (end - a.seconds) / (b.seconds - a.seconds);
    sum += (a.value + value_there) / 2 * (end - a.seconds);
  }
  return sum + points_.back().value * std::max(0.0, t - points_.back().seconds);
}

std::optional<Duration> UsageCurve::first_above(double limit) const {
  for (size_t i = 0; i < points_.size(); ++i) {
    if (points_[i].value <= limit) continue;
    double at = points_[i].seconds;
    if (i > 0) {
      const Point &a = points_[i - 1], &b = points_[i];
      at = a.seconds + (b.seconds - a.seconds) * (limit - a.value) / (b.value - a.value);
    }
    return Duration(static_cast<std::int64_t>(at * 1e9));
  }
  return std::nullopt;
}

UsageCurve UsageCurve::capped(double limit) const {
  UsageCurve out;
  for (size_t i = 0; i < points_.size(); ++i) {
    if (i > 0) {
      const Point &a = points_[i - 1], &b = points_[i];
      if ((a.value > limit) != (b.value > limit)) {  // it crosses the limit on the way
        const double part = (limit - a.value) / (b.value - a.value);
        out.points_.push_back({a.seconds + (b.seconds - a.seconds) * part, limit});
      }
    }
    out.points_.push_back({points_[i].seconds, std::min(points_[i].value, limit)});
  }
  return out;
}

}  // namespace coracle::kubelet
