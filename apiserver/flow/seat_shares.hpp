// seat_shares: how many of the server's seats each priority level has, and how those that are not
// in use are lent for a while. Pure arithmetic.
//
// nominal = ceil(seats * shares / sum of all shares); a level may always have nominal minus what is
// lendable, and at the most nominal plus what it may borrow.
#pragma once

#include <vector>

#include "apiserver/flow/flow_schema.hpp"

namespace coracle::apiserver {

struct SeatShare {
  int nominal = 0, least = 0, most = 0;
};

// One for each level, in order. total_seats > 0.
std::vector<SeatShare> nominal_shares(const std::vector<PriorityLevel>& levels, int total_seats);

// The seats each may use until the next round. `demand`: the most seats its requests wanted at once
// in the round before. Everybody gets what he wanted when there is enough of it; else his share of
// what is left grows with his demand. Never below min(least or nominal, as demanded), nor above
// `most`. At least 1.
std::vector<int> shared_out(const std::vector<SeatShare>& shares, const std::vector<int>& demand,
                            int total_seats);

}  // namespace coracle::apiserver
