// Internal to net: one call at a GrpcServer. What arrives is written down here, inside the session;
// deliver() acts on it afterwards.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/grpc_frames.hpp"
#include "net/grpc_server.hpp"
#include "net/http2.hpp"

namespace coracle::net {

class GrpcServerCall;

// The connection a call is on, as the call sees it.
class GrpcCarrier {
 public:
  virtual ~GrpcCarrier() = default;
  // The method of this path; false when there is none.
  virtual const GrpcServer::Unary* unary(std::string_view path) const = 0;
  virtual const GrpcServer::Open* stream(std::string_view path) const = 0;
  virtual bool knows_service(std::string_view service) const = 0;
  virtual std::size_t message_max() const = 0;
  // There is something to deliver.
  virtual void touch(std::int32_t id) = 0;
  virtual void respond(std::int32_t id, const Http2Fields& fields, bool with_body) = 0;
  virtual void wake(std::int32_t id) = 0;
  // Bytes that wait to be sent came or went; false: too many.
  virtual bool pending(std::ptrdiff_t change) = 0;
};

class GrpcServerCall final : public GrpcReply,
                             public Http2Stream,
                             public std::enable_shared_from_this<GrpcServerCall> {
 public:
  GrpcServerCall(GrpcCarrier& carrier, std::int32_t id)
      : carrier_(&carrier), id_(id), reader_(carrier.message_max()) {}

  // Outside the session: tells the method what has come. True when the call is over for good.
  bool deliver();
  // The connection is lost.
  void drop();

  std::string_view metadata(std::string_view name) const override;
  void send(GrpcMessage message) override;
  void finish(const Status& status) override;
  bool over() const override { return finished_ || closed_; }

  void on_header(std::string_view name, std::string_view value) override;
  void on_head() override;
  void on_data(std::string_view bytes) override;
  void on_request_end() override;
  void on_closed(std::uint32_t error) override;
  std::size_t take_body(char* buffer, std::size_t size, bool* end) override;
  Http2Fields trailers() const override;

 private:
  // Of what is to be sent: a message's prefix is its own, the rest shared.
  struct Chunk {
    Bytes shared;
    std::string own;
    bool ends_message = false;
    std::string_view view() const { return shared ? std::string_view(*shared) : own; }
  };

  void open();
  void begin_answer(bool with_body);
  void deliver_unary();
  void deliver_stream();
  void let_go();
  Http2Fields status_fields() const;

  GrpcCarrier* carrier_;  // null: the connection is gone
  const std::int32_t id_;
  std::string method_, path_, content_type_, encoding_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  GrpcReader reader_;
  std::deque<std::string> messages_;
  bool head_done_ = false, request_ended_ = false, end_told_ = false;
  bool opened_ = false, closed_ = false, gone_told_ = false;

  const GrpcServer::Unary* unary_ = nullptr;
  std::shared_ptr<GrpcServerStream> stream_;

  bool answering_ = false;                   // the head has been given
  bool finished_ = false, cut_off_ = false;  // cut off: by us, not by its method
  std::string code_, message_;
  std::deque<Chunk> out_;
  std::size_t taken_ = 0;  // of the first chunk
  std::size_t sent_ = 0;   // messages the stream does not know of yet
};

}  // namespace coracle::net
