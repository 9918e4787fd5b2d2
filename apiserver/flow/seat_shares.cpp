#include "apiserver/flow/seat_shares.hpp"

#include <algorithm>
#include <cmath>

namespace coracle::apiserver {

namespace {

int rounded(double value) { return static_cast<int>(std::lround(value)); }

// What every level gets when its wish is multiplied by `factor` and cut to its bounds.
std::vector<double> cut(const std::vector<double>& floor, const std::vector<double>& wish,
                        const std::vector<SeatShare>& shares, double factor) {
  std::vector<double> out(wish.size());
  for (std::size_t i = 0; i < wish.size(); ++i) {
    out[i] = std::clamp(factor * wish[i], floor[i],
                        std::max(floor[i], static_cast<double>(shares[i].most)));
  }
  return out;
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

}  // namespace

std::vector<SeatShare> nominal_shares(const std::vector<PriorityLevel>& levels, int total_seats) {
  double all = 0;
  for (const PriorityLevel& level : levels) all += level.shares;
  std::vector<SeatShare> out;
  for (const PriorityLevel& level : levels) {
    SeatShare share;
    if (all > 0) {
      share.nominal = static_cast<int>(std::ceil(total_seats * level.shares / all));
    }
    share.least = share.nominal - rounded(share.nominal * level.lendable_percent / 100.0);
    share.most =
        level.exempt || !level.borrowing_limit_percent
            ? std::max(total_seats, share.nominal)
            : share.nominal + rounded(share.nominal * *level.borrowing_limit_percent / 100.0);
    out.push_back(share);
  }
  return out;
}

std::vector<int> shared_out(const std::vector<SeatShare>& shares, const std::vector<int>& demand,
                            int total_seats) {
  constexpr int kHalvings = 60;
  std::vector<double> floor, wish;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const int wanted = std::min(shares[i].nominal, demand[i]);
    floor.push_back(std::max(shares[i].least, wanted));
    wish.push_back(std::max<double>(floor.back(), demand[i]));
  }
  // The largest factor with which all fit: by halving, the sum grows with it.
  double low = 0, high = 1;
  while (sum(cut(floor, wish, shares, high)) < total_seats && high < total_seats) high *= 2;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (sum(cut(floor, wish, shares, middle)) <= total_seats ? low : high) = middle;
  }
  std::vector<int> out;
  for (const double seats : cut(floor, wish, shares, low))
    out.push_back(std::max(1, rounded(seats)));
  return out;
}

}  // namespace coracle::apiserver
