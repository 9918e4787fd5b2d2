#include "raft_sim/machine.hpp"

#include "base/check.hpp"
#include "raft/membership.hpp"

namespace coracle::raft_sim {

std::string encode(const Put& put) {
  return std::to_string(put.id) + " " + std::to_string(put.key);
}

std::optional<Put> decode_put(const std::string& data) {
  const std::size_t space = data.find(' ');
  if (space == std::string::npos) return std::nullopt;
  return Put{std::stoull(data.substr(0, space)), std::stoull(data.substr(space + 1))};
}

std::optional<Revision> Machine::apply(const raft::Entry& entry) {
  CHECK_MSG(entry.index == applied.next(), entry.index << " after " << applied);
  applied = entry.index;
  applied_term = entry.term;
  if (entry.kind == raft::EntryKind::kConfig) {
    membership = raft::decode_config_entry(entry.data).value().after;
  }
  if (entry.kind != raft::EntryKind::kNormal) return std::nullopt;
  const Put put = decode_put(entry.data).value();
  revision = revision.next();
  registers[put.key] = put.id;
  return revision;
}

}  // namespace coracle::raft_sim
