// How a unary call of the peer port crosses to the strand and back.
#pragma once

#include <grpcpp/grpcpp.h>

#include "member/errors.hpp"
#include "member/member.hpp"
#include "server/grpc_status.hpp"

namespace coracle::store {

inline grpc::ServerUnaryReactor* finish(grpc::CallbackServerContext* context,
                                        const Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(to_grpc(status));
  return reactor;
}

inline bool requires_leader(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find("hasleader");
  return found != context.client_metadata().end() && found->second == "true";
}

// What a learner answers: it may be far behind, so little.
enum class ForLearner { kRefused, kServed };

// Runs `work(done)` on the strand; it calls done(Status) once, there. The response is filled
// before.
template <class Work>
grpc::ServerUnaryReactor* on_strand(Member& member, grpc::CallbackServerContext* context, Work work,
                                    ForLearner learner = ForLearner::kRefused) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool leader_needed = requires_leader(*context);
  const bool taken = member.loop().try_post(
      [&member, reactor, leader_needed, learner, work = std::move(work)]() mutable {
        auto done = [reactor](const Status& status) { reactor->Finish(to_grpc(status)); };
        if (learner == ForLearner::kRefused && member.machine().is_learner(member.id())) {
          return done(err_not_for_learner());
        }
        if (leader_needed && member.core().leader() == NodeId(0)) return done(err_no_leader());
        work(done);
      });
  if (!taken) reactor->Finish(to_grpc(err_too_many_requests()));
  return reactor;
}

}  // namespace coracle::store
