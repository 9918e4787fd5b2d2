#include "apiserver/chain/deadlines.hpp"

#include <algorithm>

namespace coracle::apiserver {

Deadlines::Guard& Deadlines::Guard::operator=(Guard&& other) noexcept {
  release();
  entries_ = std::move(other.entries_);
  at_ = other.at_;
  if (entries_) at_->second.guard = this;
  return *this;
}

void Deadlines::Guard::release() {
  if (entries_) entries_->erase(at_);
  entries_.reset();
}

Deadlines::~Deadlines() {
  while (!entries_->empty()) entries_->begin()->second.guard->release();
  if (timer_ != 0) executor_.cancel(timer_);
}

Deadlines::Guard Deadlines::watch(TimePoint when, std::function<void()> expired) {
  Guard guard;
  guard.entries_ = entries_;
  // Most come in order: the end is a good guess.
  guard.at_ = entries_->emplace_hint(entries_->end(), when, Entry{std::move(expired), &guard});
  if (timer_ == 0 || when < armed_) arm();
  return guard;
}

void Deadlines::arm() {
  if (timer_ != 0) executor_.cancel(timer_);
  armed_ = entries_->begin()->first;
  const Duration left = std::max(armed_ - executor_.now(), Duration::zero());
  timer_ = executor_.after(left, [this] {
    timer_ = 0;
    run_due();
    if (!entries_->empty()) arm();
  });
}

void Deadlines::run_due() {
  const TimePoint now = executor_.now();
  std::vector<std::function<void()>> due;
  while (!entries_->empty() && entries_->begin()->first <= now) {
    Entry& first = entries_->begin()->second;
    due.push_back(std::move(first.expired));
    first.guard->release();
  }
  for (const auto& expired : due) expired();
}

bool is_long_running(const RequestInfo& request) {
  if (request.verb == "watch") return true;
  const std::string& sub = request.subresource;
  return !sub.empty() && (sub == "log" || sub == "exec" || sub == "attach" ||
                          sub == "portforward" || sub == "proxy");
}

Outcome<Duration> time_limit(const net::Request& request, Duration longest) {
  if (request.query.empty()) return longest;
  const std::string_view text = request.query.get("timeout");
  if (text.empty()) return longest;
  const auto wanted = parse_duration(text);
  if (!wanted.ok()) {
    const bool bare = text.find_first_not_of("0123456789.+-") == std::string_view::npos &&
                      text.find_first_of("0123456789") != std::string_view::npos;
    return api::bad_request_error("invalid timeout specified in the request URL - time: " +
                                  (bare ? "missing unit in duration \"" + std::string(text) + "\""
                                        : wanted.status().message()));
  }
  return *wanted > Duration::zero() && *wanted < longest ? *wanted : longest;
}

}  // namespace coracle::apiserver
