#include "web/site.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"
#include "member/errors.hpp"
#include "member/version.hpp"
#include "web/health.hpp"
#include "web/lessons.hpp"
#include "web/metrics_page.hpp"
#include "web/raft_page.hpp"

namespace coracle::store {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(100);

net::Response text(int status, std::string body) {
  return net::make_response(status, std::move(body) + "\n", "text/plain; charset=utf-8");
}

net::Response json_page(json::object body) {
  return net::make_response(200, to_pretty_json(json::value(std::move(body))) + "\n",
                            "application/json");
}

net::Response version_page() {
  json::object body;
  body["etcdserver"] = kServerVersion;
  body["etcdcluster"] = kStorageVersion;
  return net::make_response(200, to_json(json::value(std::move(body))), "application/json");
}

int http_status(const Status& status) {
  switch (status.code()) {
    case Code::kOk:
      return 200;
    case Code::kFailedPrecondition:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kInvalidArgument:
      return 400;
    default:
      return 503;
  }
}

HealthFacts facts_of(Member& member) {
  HealthFacts facts;
  facts.nospace = member.machine().has_alarm(pb::NOSPACE);
  facts.corrupt = member.machine().has_alarm(pb::CORRUPT);
  facts.has_leader = member.core().leader() != NodeId(0);
  facts.learner = member.core().membership().is_learner(member.id());
  return facts;
}

// `page` of the facts, after a linearizable read if it needs one.
void with_facts(Member& member, bool read, std::function<void(const HealthFacts&)> page) {
  HealthFacts facts = facts_of(member);
  if (!read || !facts.has_leader) {
    if (!facts.has_leader) facts.linearizable = err_no_leader();
    return page(facts);
  }
  member.read([facts, page = std::move(page)](const Status& status) mutable {
    facts.linearizable = status;
    page(facts);
  });
}

}  // namespace

void Site::ask(Work work, Then then) {
  const std::uint64_t ticket = ++last_ticket_;
  waiting_.emplace(ticket, std::move(then));
  const auto done = [this, ticket](net::Response response) {
    home_.post([this, ticket, response = std::move(response)]() mutable {
      const auto found = waiting_.find(ticket);
      if (found == waiting_.end()) return;
      const Then then = std::move(found->second);
      waiting_.erase(found);
      then(std::move(response));
    });
  };
  const bool taken =
      member_.loop().try_post([this, work = std::move(work), done] { work(member_, done); });
  if (!taken) done(text(503, "the member has too much to do, or stops"));
}

void Site::answer(std::shared_ptr<net::Exchange> exchange, Work work) {
  ask(std::move(work),
      [exchange](net::Response response) { exchange->respond(std::move(response)); });
}

void Site::handle(net::Request request, std::shared_ptr<net::Exchange> exchange) {
  const bool knob = is_lesson(request.path);
  if (request.method != (knob ? "POST" : "GET")) {
    auto refusal = text(405, "Method Not Allowed");
    refusal.headers.add("Allow", knob ? "POST" : "GET");
    return exchange->respond(std::move(refusal));
  }
  return knob ? post(request, std::move(exchange)) : get(request, std::move(exchange));
}

void Site::get(const net::Request& request, std::shared_ptr<net::Exchange> exchange) {
  const net::Query query = request.query;
  if (request.path == "/version") return exchange->respond(version_page());
  if (request.path == "/debug/raft/events") return open_stream(request, std::move(exchange));
  if (request.path == "/metrics") {
    return answer(std::move(exchange), [](Member& member, const Done& done) {
      done(net::make_response(200, metrics_page(member), "text/plain; version=0.0.4"));
    });
  }
  if (request.path == "/debug/raft") {
    return answer(std::move(exchange),
                  [](Member& member, const Done& done) { done(json_page(raft_page(member))); });
  }
  if (request.path == "/health") {
    return answer(std::move(exchange), [query](Member& member, const Done& done) {
      with_facts(member, health_needs_read(query),
                 [done, query](const HealthFacts& facts) { done(health_page(facts, query)); });
    });
  }
  if (const auto checks = checks_of(request.path); !checks.empty()) {
    return answer(std::move(exchange), [query, checks](Member& member, const Done& done) {
      with_facts(member, checks_need_read(checks, query),
                 [done, query, checks](const HealthFacts& facts) {
                   done(checks_page(checks, facts, query));
                 });
    });
  }
  exchange->respond(text(404,
                         "there is no such page: /version /health /livez /readyz /metrics "
                         "/debug/raft /debug/raft/events"));
}

void Site::post(const net::Request& request, std::shared_ptr<net::Exchange> exchange) {
  answer(std::move(exchange),
         [path = request.path, query = request.query](Member& member, const Done& done) {
           const Status status = turn_knob(member, path, query);
           if (!status.ok()) return done(text(http_status(status), status.message()));
           done(json_page(raft_page(member)));
         });
}

void Site::open_stream(const net::Request& request, std::shared_ptr<net::Exchange> exchange) {
  if (streams_.size() >= kStreamsMax) return exchange->respond(text(503, "too many streams"));
  std::string after(request.headers.get("Last-Event-ID"));
  if (request.query.has("after")) after = request.query.get("after");
  long long number = 0;
  if (!after.empty() && (!parse_int(after, &number) || number < 0)) {
    return exchange->respond(text(400, "after: must be the number of an event"));
  }
  exchange->begin_stream(200,
                         {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}});
  const std::uint64_t id = ++last_ticket_;
  streams_[id] = {std::move(exchange), std::uint64_t(number), ""};
  feed_stream(id);
}

void Site::feed_stream(std::uint64_t id) {
  const auto found = streams_.find(id);
  Stream& stream = found->second;
  if (stream.exchange->closed() || stream.exchange->queued_bytes() > kQueuedMax) {
    if (!stream.exchange->closed()) stream.exchange->abort();
    streams_.erase(found);
    return;
  }
  // The position crosses with the question, and comes back in the answer's headers of our own.
  ask(
      [number = stream.number, state = stream.last_state](Member& member,
                                                          const Done& done) mutable {
        net::Response news;
        news.body = raft_events(member, &number, &state);
        news.headers.add("number", std::to_string(number));
        news.headers.add("state", std::move(state));
        done(std::move(news));
      },
      [this, id](net::Response news) {
        const auto found = streams_.find(id);
        if (found == streams_.end()) return;
        long long number = 0;
        if (news.status == 200 && parse_int(news.headers.get("number"), &number)) {
          found->second.number = std::uint64_t(number);
          found->second.last_state = news.headers.get("state");
          if (!news.body.empty()) found->second.exchange->write(net::make_bytes(news.body));
        }
        home_.after(kLookEvery, [this, id] {
          if (streams_.contains(id)) feed_stream(id);
        });
      });
}

}  // namespace coracle::store
