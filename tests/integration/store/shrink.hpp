// Shrinks a failing list: drops pieces, from halves down to single elements, while what is left
// still fails. Pure but for `fails`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace coracle::differential {

// `list` fails. `fails` is asked at most `max_tries` times.
template <class T>
std::vector<T> shrink(std::vector<T> list, const std::function<bool(const std::vector<T>&)>& fails,
                      std::size_t max_tries) {
  std::size_t piece = list.size() / 2;
  while (piece > 0 && max_tries > 0) {
    bool dropped = false;
    // From the end, where what does not matter any more is found soonest.
    for (std::size_t end = list.size(); end > 0 && max_tries > 0;) {
      const std::size_t begin = end - std::min(piece, end);
      std::vector<T> rest(list.begin(), list.begin() + std::ptrdiff_t(begin));
      rest.insert(rest.end(), list.begin() + std::ptrdiff_t(end), list.end());
      --max_tries;
      if (!rest.empty() && fails(rest)) {
        list = std::move(rest);
        dropped = true;
      }
      end = begin;
    }
    if (piece == 1 && !dropped) break;
    if (!dropped || piece > list.size()) piece = std::max<std::size_t>(piece / 2, 1);
    if (list.size() == 1) break;
  }
  return list;
}

}  // namespace coracle::differential
