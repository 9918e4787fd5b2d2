#include "raft_sim/describe.hpp"

#include <sstream>

#include "raft/report.hpp"

namespace coracle::raft_sim {
namespace {

using namespace raft;

struct Describer {
  std::ostream& out;

  void operator()(const VoteReq& m) const {
    out << (m.pre ? "pre-vote?" : "vote?") << (m.transfer ? " transfer" : "")
        << " last=" << m.last_index << "/" << m.last_term;
  }
  void operator()(const VoteResp& m) const {
    out << (m.pre ? "pre-vote: " : "vote: ") << name_of(m.reason);
  }
  void operator()(const AppendReq& m) const {
    out << "append prev=" << m.prev_index << "/" << m.prev_term << " commit=" << m.commit << " [";
    for (const Entry& e : m.entries) out << " " << e.index << "/" << e.term;
    out << " ]";
  }
  void operator()(const AppendResp& m) const {
    out << (m.accepted ? "appended " : "refused ") << m.index;
    if (!m.accepted) out << " hint=" << m.hint_index << "/" << m.hint_term;
  }
  void operator()(const HeartbeatReq& m) const {
    out << "heartbeat commit=" << m.commit << " round=" << m.round;
  }
  void operator()(const HeartbeatResp& m) const { out << "alive round=" << m.round; }
  void operator()(const InstallSnapshot& m) const {
    out << "snapshot " << m.meta.index << "/" << m.meta.term;
  }
  void operator()(const ProposeReq& m) const { out << "propose #" << m.request; }
  void operator()(const ProposeResp& m) const {
    out << "proposed #" << m.request << " " << name_of(m.refusal) << " " << m.at_index;
  }
  void operator()(const ReadIndexReq& m) const { out << "read? #" << m.context; }
  void operator()(const ReadIndexResp& m) const {
    out << "read #" << m.context << " " << name_of(m.refusal) << " " << m.index;
  }
  void operator()(const TimeoutNow&) const { out << "campaign now"; }
};

}  // namespace

std::string describe(const Message& message) {
  std::ostringstream out;
  const Header& h = header_of(message);
  out << "n" << h.from << "->n" << h.to << " t" << h.term << " ";
  std::visit(Describer{out}, message);
  return out.str();
}

}  // namespace coracle::raft_sim
