#include "raft/membership.hpp"

#include <algorithm>
#include <optional>

namespace coracle::raft {
namespace {

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

// Reads little-endian numbers off the front; remembers whether there was too little.
class Reader {
 public:
  explicit Reader(std::string_view data) : rest_(data) {}

  std::uint64_t number(int bytes) {
    const std::string_view raw = text(static_cast<std::size_t>(bytes));
    std::uint64_t value = 0;
    for (std::size_t i = raw.size(); i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(raw[i]);
    return value;
  }
  std::string_view text(std::size_t length) {
    if (length > rest_.size()) {
      bad_ = true;
      return {};
    }
    const std::string_view out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }
  bool bad() const { return bad_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool bad_ = false;
};

void put_set(std::string& out, const std::set<NodeId>& ids) {
  put(out, ids.size(), 4);
  for (const NodeId id : ids) put(out, id.value, 8);
}

std::set<NodeId> read_set(Reader& in) {
  std::set<NodeId> out;
  const std::uint64_t count = in.number(4);
  for (std::uint64_t i = 0; i < count && !in.bad(); ++i) out.insert(NodeId{in.number(8)});
  return out;
}

std::optional<MembershipChange> read_change(Reader& in) {
  MembershipChange change;
  const std::uint64_t kind = in.number(1);
  change.node = NodeId{in.number(8)};
  change.context = std::string(in.text(in.number(4)));
  if (in.bad() || kind < 1 || kind > 4 || change.node == NodeId{}) return std::nullopt;
  change.kind = static_cast<ChangeKind>(kind);
  return change;
}

std::string name(NodeId id) { return "member " + std::to_string(id.value); }

}  // namespace

std::string encode(const MembershipChange& change) {
  std::string out;
  put(out, static_cast<std::uint64_t>(change.kind), 1);
  put(out, change.node.value, 8);
  put(out, change.context.size(), 4);
  return out + change.context;
}

std::string encode(const ConfigEntry& entry) {
  std::string out = encode(entry.change);
  put_set(out, entry.after.voters);
  put_set(out, entry.after.learners);
  return out;
}

Result<MembershipChange> decode_change(std::string_view data) {
  Reader in(data);
  const auto change = read_change(in);
  if (!change) return invalid_argument("not a membership change");
  if (in.at_end()) return *change;
  ASSIGN_OR_RETURN(ConfigEntry entry, decode_config_entry(data));
  return entry.change;
}

Result<ConfigEntry> decode_config_entry(std::string_view data) {
  Reader in(data);
  const auto change = read_change(in);
  if (!change) return invalid_argument("not a membership entry");
  Membership after{read_set(in), read_set(in)};
  if (in.bad() || !in.at_end() || after.voters.empty()) {
    return invalid_argument("not a membership entry");
  }
  return ConfigEntry{*change, std::move(after)};
}

Result<Membership> apply(const Membership& before, const MembershipChange& change) {
  if (change.node == NodeId{}) return invalid_argument("member 0 does not exist");
  Membership after = before;
  switch (change.kind) {
    case ChangeKind::kAddVoter:
    case ChangeKind::kAddLearner:
      if (before.contains(change.node)) return already_exists(name(change.node) + " exists");
      (change.kind == ChangeKind::kAddVoter ? after.voters : after.learners).insert(change.node);
      return after;
    case ChangeKind::kPromote:
      if (before.is_voter(change.node)) {
        return failed_precondition(name(change.node) + " is not a learner");
      }
      if (after.learners.erase(change.node) == 0)
        return not_found(name(change.node) + " not found");
      after.voters.insert(change.node);
      return after;
    case ChangeKind::kRemove:
      if (after.voters.erase(change.node) + after.learners.erase(change.node) == 0) {
        return not_found(name(change.node) + " not found");
      }
      if (after.voters.empty()) return failed_precondition("the last voter cannot be removed");
      return after;
  }
  return invalid_argument("unknown kind of membership change");
}

const Membership& MembershipHistory::at(Index i) const {
  CHECK_MSG(i >= steps_.front().first, i << " is before " << steps_.front().first);
  auto it =
      std::find_if(steps_.rbegin(), steps_.rend(), [&](const auto& s) { return s.first <= i; });
  return it->second;
}

void MembershipHistory::add(Index index, Membership after) {
  CHECK_MSG(index > latest_index(), index << " after " << latest_index());
  steps_.emplace_back(index, std::move(after));
}

void MembershipHistory::truncate_from(Index index) {
  CHECK_MSG(index > steps_.front().first,
            "cut at " << index << ", applied " << steps_.front().first);
  while (steps_.back().first >= index) steps_.pop_back();
}

void MembershipHistory::applied_to(Index index) {
  while (steps_.size() > 1 && steps_[1].first <= index) steps_.erase(steps_.begin());
}

void MembershipHistory::reset(Index index, Membership membership) {
  steps_.clear();
  steps_.emplace_back(index, std::move(membership));
}

}  // namespace coracle::raft
