// The calls of the client port: messages of protobuf in, messages out, wholly on the strand.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "member/errors.hpp"
#include "member/member.hpp"
#include "net/grpc_server.hpp"

namespace coracle::store {

inline Status err_unreadable() { return internal_error("grpc: the request cannot be read"); }

// The client wants to be told when this member has no leader.
inline bool requires_leader(const net::GrpcReply& reply) {
  return reply.metadata("hasleader") == "true";
}

template <class Message>
net::GrpcMessage wire_of(const Message& message) {
  return {net::make_bytes(message.SerializeAsString())};
}

// One unary call; copies are the same call. The response is sent by done(Ok).
template <class Request, class Response>
class Call {
 public:
  Call(Request request, std::shared_ptr<net::GrpcReply> reply)
      : state_(std::make_shared<State>(std::move(request), std::move(reply))) {}

  const Request& request() const { return state_->request; }
  Request* mutable_request() const { return &state_->request; }
  Response* response() const { return &state_->response; }
  const net::GrpcReply& reply() const { return *state_->reply; }
  void done(const Status& status) const {
    if (status.ok()) state_->reply->send(wire_of(state_->response));
    state_->reply->finish(status);
  }
  void operator()(const Status& status) const { done(status); }

 private:
  struct State {
    State(Request asked, std::shared_ptr<net::GrpcReply> to)
        : request(std::move(asked)), reply(std::move(to)) {}
    Request request;
    Response response;
    std::shared_ptr<net::GrpcReply> reply;
  };
  std::shared_ptr<State> state_;
};

// What a learner answers: it may be far behind, so little.
enum class ForLearner { kRefused, kServed };

// Why this member takes no such call now; Ok if it does.
inline Status check_served(Member& member, const net::GrpcReply& reply,
                           ForLearner learner = ForLearner::kRefused) {
  if (learner == ForLearner::kRefused && member.machine().is_learner(member.id())) {
    return err_not_for_learner();
  }
  if (requires_leader(reply) && member.core().leader() == NodeId(0)) return err_no_leader();
  return {};
}

// Gives `path` to a member function that takes a Call.
template <class Service, class Request, class Response>
void add_call(net::GrpcServer& server, const std::string& path, Service* service,
              void (Service::*method)(Call<Request, Response>)) {
  server.add_unary(
      path, [service, method](const std::string& bytes, std::shared_ptr<net::GrpcReply> reply) {
        Request request;
        if (!request.ParseFromString(bytes)) return reply->finish(err_unreadable());
        (service->*method)(Call<Request, Response>(std::move(request), std::move(reply)));
      });
}

// Proposes, and lets `fill(Outcome&)` make the response of what was applied.
template <class Request, class Response, class Fill>
void propose_call(Member& member, const Call<Request, Response>& call, Proposal proposal,
                  Fill fill) {
  const std::uint64_t request = member.next_request();
  proposal.set_member(member.id().value);
  proposal.set_request(request);
  if (proposal.ByteSizeLong() > kRequestBytesMax) return call.done(err_request_too_large());
  if (const Status status = check_served(member, call.reply()); !status.ok()) {
    return call.done(status);
  }
  member.propose(request, proposal.SerializeAsString(),
                 [call, fill = std::move(fill)](Outcome outcome) mutable {
                   if (outcome.status.ok()) fill(outcome);
                   call.done(outcome.status);
                 });
}

// Waits until this member's state is as new as any, if that is asked for; then `serve()` fills the
// response.
template <class Request, class Response, class Serve>
void read_call(Member& member, const Call<Request, Response>& call, bool linearizable,
               Serve serve) {
  auto answer = [call, serve = std::move(serve)](const Status& fresh) {
    if (!fresh.ok()) return call.done(fresh);
    call.done(serve());
  };
  linearizable ? member.read(std::move(answer)) : answer({});
}

}  // namespace coracle::store
