// ApiCall: a request under way, seen by its client. ApiExchange: the same, seen by its server.
// Between them only the network carries anything.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cluster_sim/api_end.hpp"

namespace coracle::cluster_sim {

class ApiExchange;

class ApiCall final : public Session, public std::enable_shared_from_this<ApiCall> {
 public:
  using Done = std::function<void(Result<client::ApiResponse>)>;
  ApiCall(SimApi& api, std::uint64_t number, std::shared_ptr<const net::Request> request, Done done)
      : api_(&api), number_(number), request_(std::move(request)), done_(std::move(done)) {}
  ApiCall(SimApi& api, std::uint64_t number, std::shared_ptr<const net::Request> request,
          client::ApiStreamSink sink)
      : api_(&api),
        number_(number),
        request_(std::move(request)),
        streams_(true),
        sink_(std::move(sink)) {}

  std::uint64_t number() const { return number_; }
  void begin(Duration timeout);
  // The client wants it no more, or is gone.
  void give_up();

  // Arrived, on the client's strand.
  void on_answer(net::Response response);
  void on_head(int status, net::Headers headers);
  void on_data(const net::Bytes& bytes);
  void on_end(Status status);

  void broken(const Status& why) override;

 private:
  void attempt();
  void on_refused();
  void fail(const Status& why);
  // Whom to tell, once; the call is over.
  bool finish();

  SimApi* api_;  // null: over
  const std::uint64_t number_;
  const std::shared_ptr<const net::Request> request_;
  const bool streams_ = false;
  Done done_;
  client::ApiStreamSink sink_;
  bool has_head_ = false;
  std::string error_body_;  // unused unless a stream is answered whole
  std::size_t tried_ = 0;
  ApiServerPort* server_ = nullptr;
  std::uint64_t server_life_ = 0;
  Executor::TimerId timer_ = 0;
  std::weak_ptr<ApiExchange> exchange_;
};

class ApiExchange final : public net::Exchange, public std::enable_shared_from_this<ApiExchange> {
 public:
  ApiExchange(Network& network, Machine& server, Machine& client, std::weak_ptr<ApiCall> call);
  ~ApiExchange() override;

  void respond(net::Response response) override;
  void begin_stream(int status, net::Headers headers) override;
  void write(net::Bytes bytes) override;
  std::size_t queued_bytes() const override { return queued_; }
  void end() override;
  void abort() override;
  std::shared_ptr<net::ByteStream> upgrade(int status, net::Headers headers) override;
  void on_close(std::function<void()> fn) override;
  void on_drain(std::function<void()> fn) override { on_drain_.push_back(std::move(fn)); }
  bool closed() const override { return over_ || peer_gone_; }

  // The client went away; on the server's strand.
  void leave();

 private:
  bool server_lives() const { return server_.life == server_life_ && server_.reachable(); }
  // Something for the client, if both are still there.
  void tell(std::function<void(ApiCall&)> what);
  void drained(std::size_t bytes);

  Network& network_;
  Machine &server_, &client_;
  const std::uint64_t server_life_, client_life_;
  const std::weak_ptr<ApiCall> call_;
  bool begun_ = false, over_ = false, peer_gone_ = false;
  std::size_t queued_ = 0;
  std::vector<std::function<void()>> on_close_, on_drain_;
};

}  // namespace coracle::cluster_sim
