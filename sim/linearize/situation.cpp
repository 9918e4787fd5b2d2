#include "linearize/situation.hpp"

#include <algorithm>

#include "linearize/history_json.hpp"

namespace coracle::linearize {
namespace {

std::uint64_t token(std::size_t op) {
  std::uint64_t z = (op + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// Whether an answered transaction changed something for sure.
bool changed_surely(const std::vector<mvcc::RequestOp>& ops, const Answer& answer) {
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (std::holds_alternative<mvcc::PutRequest>(ops[i].request)) return true;
    if (answer.responses && i < answer.responses->size() &&
        (*answer.responses)[i].deleted.value_or(0) > 0) {
      return true;
    }
  }
  return false;
}

bool changed_surely(const Operation& operation) {
  const Answer& answer = *operation.answer;
  if (!answer.error.empty() || !answer.revision) return false;
  if (std::holds_alternative<mvcc::PutRequest>(operation.request)) return true;
  if (std::holds_alternative<mvcc::DeleteRequest>(operation.request)) {
    return answer.deleted.value_or(0) > 0;
  }
  const auto* txn = std::get_if<mvcc::TxnRequest>(&operation.request);
  return txn != nullptr && answer.succeeded &&
         changed_surely(*answer.succeeded ? txn->success : txn->failure, answer);
}

// Operations about the past.
bool looks_back(const Operation& operation) {
  if (std::holds_alternative<ObserveRequest>(operation.request)) return true;
  const auto* range = std::get_if<mvcc::RangeRequest>(&operation.request);
  return range != nullptr && range->serializable;
}

}  // namespace

void Situation::note(const SeenKv& kv) {
  if (!kv.mod || *kv.mod < 2) return;
  SeenKv& noted = seen_[*kv.mod].emplace_back(kv);
  if (noted.value == "") noted.value.reset();  // it may have been left out on request
}

void Situation::note(const Answer& answer) {
  for (const auto* list : {&answer.kvs, &answer.prev_kvs, &answer.events}) {
    if (!*list) continue;
    for (const SeenKv& kv : **list) note(kv);
  }
  if (!answer.responses) return;
  for (const Answer& inner : *answer.responses) note(inner);
}

void Situation::expect(std::size_t op, const Operation& operation) {
  if (changed_surely(operation)) {
    owners_.emplace(*operation.answer->revision, op);
    claims_.emplace(op, *operation.answer->revision);
  }
  if (operation.answer->revision && !looks_back(operation)) {
    pins_.emplace(op, *operation.answer->revision);
    ++pinned_[*operation.answer->revision];
  }
  note(*operation.answer);
}

void Situation::expect_unknown(std::size_t op, const Operation& operation) {
  Operation bare{.request = operation.request};
  if (auto* put = std::get_if<mvcc::PutRequest>(&bare.request)) put->prev_kv = false;
  if (auto* del = std::get_if<mvcc::DeleteRequest>(&bare.request)) del->prev_kv = false;
  const std::string text = coracle::to_json(to_json_line(bare));
  const std::size_t kind = kinds_.try_emplace(text, kinds_.size()).first->second;
  known_.resize(kinds_.size());
  used_.resize(kinds_.size());
  ranks_[op] = {kind, known_[kind]++};
}

Situation::Outcome Situation::look_back(const Operation& operation) const {
  const Answer& answer = *operation.answer;
  if (const auto* seen = std::get_if<ObserveRequest>(&operation.request)) {
    if (seen->revision > model_.revision()) return Outcome::kMisfit;
    return matches(answer, model_.observe(*seen)) ? Outcome::kTaken : Outcome::kMisfit;
  }
  // Which past it shows is not known without a revision, and what is compacted there neither.
  if (!answer.revision || answer.error == kCompacted) return Outcome::kTaken;
  if (*answer.revision > model_.revision() || *answer.revision < 1) return Outcome::kMisfit;
  const auto& range = std::get<mvcc::RangeRequest>(operation.request);
  return matches(answer, model_.range_as_of(range, *answer.revision)) ? Outcome::kTaken
                                                                      : Outcome::kMisfit;
}

Situation::Outcome Situation::take_known(std::size_t op, const Operation& operation) {
  if (looks_back(operation)) {
    const Outcome outcome = look_back(operation);
    if (outcome == Outcome::kTaken) mark(op, true);
    return outcome;
  }
  const auto claim = claims_.find(op);
  if (claim != claims_.end() && claim->second != model_.revision() + 1) return Outcome::kMisfit;
  const std::int64_t before = model_.revision();
  const Model::Applied applied = model_.apply(operation.request);
  if (!matches(*operation.answer, applied.answer)) {
    if (applied.changed) model_.undo();
    return Outcome::kMisfit;
  }
  if (applied.changed) return settle(op, before);
  mark(op, true);
  return Outcome::kTaken;
}

Situation::Outcome Situation::take_unknown(std::size_t op, const Operation& operation) {
  // Of equal requests the one called first can do all the others can.
  const Rank rank = ranks_.at(op);
  if (used_[rank.kind] != rank.place) return Outcome::kMisfit;
  const std::int64_t before = model_.revision();
  const Model::Applied applied = model_.apply(operation.request);
  if (!applied.changed) return Outcome::kMisfit;  // as good as never
  return settle(op, before);
}

void Situation::mark(std::size_t op, bool taken) {
  taken_ ^= token(op);
  if (const auto rank = ranks_.find(op); rank != ranks_.end()) {
    std::size_t& used = used_[rank->second.kind];
    taken ? ++used : --used;
  }
  const auto pin = pins_.find(op);
  if (pin == pins_.end()) return;
  std::size_t& waiting = pinned_[pin->second];
  taken ? --waiting : ++waiting;
  if (waiting == 0) pinned_.erase(pin->second);
}

bool Situation::fits(std::size_t op, bool made_revision) {
  if (made_revision) {
    const std::int64_t revision = model_.revision();
    if (!pinned_.empty() && pinned_.begin()->first < revision) return false;
    const auto owner = owners_.find(revision);
    if (owner != owners_.end() && owner->second != op) return false;
    const auto& events = model_.events(revision);
    for (const SeenKv& kv : seen_[revision]) {
      const bool written = std::any_of(events.begin(), events.end(),
                                       [&](const SeenKv& e) { return matches(kv, e); });
      if (!written) return false;
    }
  }
  return visited_.insert({taken_, model_.hash()}).second;
}

Situation::Outcome Situation::settle(std::size_t op, std::int64_t before) {
  mark(op, true);
  if (fits(op, model_.revision() != before)) return Outcome::kChanged;
  take_back(op, true);
  return Outcome::kMisfit;
}

void Situation::take_back(std::size_t op, bool changed) {
  mark(op, false);
  if (changed) model_.undo();
}

}  // namespace coracle::linearize
