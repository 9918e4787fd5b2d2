#include "cluster_sim/api_exchange.hpp"

#include <utility>

#include "base/strings.hpp"

namespace coracle::cluster_sim {
namespace {

client::HeaderList to_api(const net::Headers& headers) {
  client::HeaderList out;
  for (const auto& [name, value] : headers) out.emplace_back(to_lower(name), value);
  return out;
}

}  // namespace

// ---- the client's side ----

void ApiCall::begin(Duration timeout) {
  timer_ = api_->strand_->after(timeout, [self = weak_from_this()] {
    if (const auto call = self.lock(); call && !call->has_head_) {
      call->fail(deadline_exceeded("context deadline exceeded"));
    }
  });
  attempt();
}

void ApiCall::attempt() {
  server_ = api_->servers_[api_->current_];
  Machine &client = api_->machine_, &server = *server_->machine;
  server_life_ = server.life;
  api_->network_.enter(this, client, server);
  api_->network_.send(
      client, server,
      [self = weak_from_this(), port = server_, request = request_, &client, &server,
       network = &api_->network_] {
        const auto call = self.lock();
        if (!call || call->api_ == nullptr) return;  // it will never be known
        call->server_life_ = server.life;
        const auto exchange = std::make_shared<ApiExchange>(*network, server, client, call);
        call->exchange_ = exchange;
        port->handle(*request, exchange);
      },
      [self = weak_from_this()] {
        if (const auto call = self.lock()) call->on_refused();
      });
}

void ApiCall::on_refused() {
  if (api_ == nullptr) return;
  api_->network_.leave(this, api_->machine_, *server_->machine);
  api_->current_ = (api_->current_ + 1) % api_->servers_.size();
  if (++tried_ < api_->servers_.size()) return attempt();
  fail(unavailable("dial tcp " + server_->machine->name + ": connect: connection refused"));
}

bool ApiCall::finish() {
  if (api_ == nullptr) return false;
  SimApi& api = *std::exchange(api_, nullptr);
  api.network_.leave(this, api.machine_, *server_->machine);
  api.strand_->cancel(timer_);
  api.calls_.erase(number_);
  return true;
}

void ApiCall::give_up() {
  if (api_ == nullptr) return;
  const auto self = shared_from_this();
  Network& network = api_->network_;
  Machine &client = api_->machine_, &server = *server_->machine;
  (void)finish();
  // Its owner's, who is done with them.
  const Done done = std::exchange(done_, nullptr);
  const client::ApiStreamSink sink = std::exchange(sink_, {});
  network.send_to_life(client, server, server_life_, [exchange = exchange_] {
    if (const auto there = exchange.lock()) there->leave();
  });
}

void ApiCall::fail(const Status& why) {
  const auto self = shared_from_this();
  if (api_ == nullptr) return;
  Network& network = api_->network_;
  Machine &client = api_->machine_, &server = *server_->machine;
  // A server that broke off may be on its way out: begin elsewhere next time.
  api_->current_ = (api_->current_ + 1) % api_->servers_.size();
  (void)finish();
  network.send_to_life(client, server, server_life_, [exchange = exchange_] {
    if (const auto there = exchange.lock()) there->leave();
  });
  if (streams_) {
    const auto on_end = std::exchange(sink_, {}).on_end;
    return on_end(why);
  }
  std::exchange(done_, nullptr)(why);
}

void ApiCall::broken(const Status& why) {
  if (api_ == nullptr) return;
  api_->strand_->post([self = weak_from_this(), why] {
    if (const auto call = self.lock()) call->fail(why);
  });
}

void ApiCall::on_answer(net::Response response) {
  if (api_ == nullptr) return;
  const auto self = shared_from_this();
  client::ApiResponse out;
  out.status = response.status;
  out.headers = to_api(response.headers);
  out.body = std::move(response.body);
  for (const net::Bytes& chunk : response.chunks) out.body += *chunk;
  if (!streams_) {
    (void)finish();
    return std::exchange(done_, nullptr)(std::move(out));
  }
  has_head_ = true;
  client::ApiResponse head;
  head.status = out.status;
  head.headers = out.headers;
  // Each of them may end the stream.
  if (const auto fn = sink_.on_head; api_ != nullptr) fn(head);
  if (const auto fn = sink_.on_data; api_ != nullptr && !out.body.empty()) fn(out.body);
  on_end({});
}

void ApiCall::on_head(int status, net::Headers headers) {
  if (api_ == nullptr) return;
  CHECK_MSG(streams_, "an ordinary call is answered by a stream: " << request_->target);
  const auto self = shared_from_this();
  has_head_ = true;
  api_->strand_->cancel(timer_);
  client::ApiResponse head;
  head.status = status;
  head.headers = to_api(headers);
  const auto fn = sink_.on_head;
  fn(head);
}

void ApiCall::on_data(const net::Bytes& bytes) {
  if (api_ == nullptr) return;
  const auto self = shared_from_this();
  const auto fn = sink_.on_data;
  fn(*bytes);
}

void ApiCall::on_end(Status status) {
  const auto self = shared_from_this();
  if (!finish()) return;
  if (!streams_) return std::exchange(done_, nullptr)(std::move(status));
  const auto fn = std::exchange(sink_, {}).on_end;
  fn(std::move(status));
}

// ---- the server's side ----

ApiExchange::ApiExchange(Network& network, Machine& server, Machine& client,
                         std::weak_ptr<ApiCall> call)
    : network_(network),
      server_(server),
      client_(client),
      server_life_(server.life),
      client_life_(client.life),
      call_(std::move(call)) {}

ApiExchange::~ApiExchange() {
  if (!server_lives() || closed()) return;
  if (begun_) {
    abort();
  } else {
    respond(net::make_response(500, "no answer\n", "text/plain"));
  }
}

void ApiExchange::tell(std::function<void(ApiCall&)> what) {
  if (!server_lives()) return;
  network_.send_to_life(server_, client_, client_life_, [call = call_, what = std::move(what)] {
    if (const auto there = call.lock()) what(*there);
  });
}

void ApiExchange::respond(net::Response response) {
  CHECK_MSG(!begun_, "answered twice");
  begun_ = over_ = true;
  on_close_.clear();
  // One copy, however often the closure is copied.
  const auto answer = std::make_shared<net::Response>(std::move(response));
  tell([answer](ApiCall& call) { call.on_answer(std::move(*answer)); });
}

void ApiExchange::begin_stream(int status, net::Headers headers) {
  CHECK_MSG(!begun_, "answered twice");
  begun_ = true;
  tell([status, headers = std::move(headers)](ApiCall& call) { call.on_head(status, headers); });
}

void ApiExchange::write(net::Bytes bytes) {
  if (closed() || bytes->empty()) return;
  queued_ += bytes->size();
  if (!server_lives()) return;
  network_.send_to_life(server_, client_, client_life_,
                        [call = call_, self = weak_from_this(), bytes = std::move(bytes)] {
                          // What has arrived is queued no more; the server learns so without delay.
                          if (const auto exchange = self.lock()) exchange->drained(bytes->size());
                          if (const auto there = call.lock()) there->on_data(bytes);
                        });
}

void ApiExchange::drained(std::size_t bytes) {
  queued_ -= bytes;
  if (queued_ != 0 || on_drain_.empty() || !server_lives()) return;
  server_.strand->post([self = weak_from_this()] {
    const auto exchange = self.lock();
    if (!exchange || exchange->queued_ != 0) return;
    const auto all = exchange->on_drain_;
    for (const auto& fn : all) fn();
  });
}

void ApiExchange::end() {
  if (closed()) return;
  over_ = true;
  on_close_.clear();
  on_drain_.clear();
  tell([](ApiCall& call) { call.on_end({}); });
}

void ApiExchange::abort() {
  if (closed()) return;
  over_ = true;
  on_close_.clear();
  on_drain_.clear();
  tell([](ApiCall& call) { call.on_end(unavailable("unexpected EOF")); });
}

// Nobody upgrades a connection in this world.
std::shared_ptr<net::ByteStream> ApiExchange::upgrade(int, net::Headers) {
  abort();
  return nullptr;
}

void ApiExchange::on_close(std::function<void()> fn) {
  if (over_) return;
  if (!peer_gone_) return on_close_.push_back(std::move(fn));
  if (server_lives()) server_.strand->post(std::move(fn));
}

void ApiExchange::leave() {
  if (closed()) return;
  peer_gone_ = true;
  on_drain_.clear();
  const auto all = std::exchange(on_close_, {});
  for (const auto& fn : all) fn();
}

}  // namespace coracle::cluster_sim
