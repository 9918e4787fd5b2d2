// Site: the pages of a member's HTTP port, docs/store/http.md.
//
// Thread: the HTTP strand; questions cross to the member's strand and their answers come back.
// Bound:  kStreamsMax event streams, each with kQueuedMax bytes that wait to be read; a slower
//         reader is cut off. A question that finds the member's inbox full is answered 503.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "member/member.hpp"
#include "net/server.hpp"

namespace coracle::store {

class Site {
 public:
  static constexpr size_t kStreamsMax = 32;
  static constexpr size_t kQueuedMax = 1 << 20;

  // Both outlive the site; `member` may stop running before.
  Site(Member& member, Executor& home) : member_(member), home_(home) {}

  void handle(net::Request request, std::shared_ptr<net::Exchange> exchange);

 private:
  using Done = std::function<void(net::Response)>;  // called on the member's strand, once
  using Work = std::function<void(Member&, Done)>;  // runs there
  using Then = std::function<void(net::Response)>;  // runs here
  struct Stream {
    std::shared_ptr<net::Exchange> exchange;
    std::uint64_t number = 0;
    std::string last_state;
  };

  void ask(Work work, Then then);
  void get(const net::Request& request, std::shared_ptr<net::Exchange> exchange);
  void post(const net::Request& request, std::shared_ptr<net::Exchange> exchange);
  void answer(std::shared_ptr<net::Exchange> exchange, Work work);
  void open_stream(const net::Request& request, std::shared_ptr<net::Exchange> exchange);
  void feed_stream(std::uint64_t id);

  Member& member_;
  Executor& home_;
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, Then> waiting_;  // what an exchange is held by never leaves this strand
  std::map<std::uint64_t, Stream> streams_;
};

}  // namespace coracle::store
