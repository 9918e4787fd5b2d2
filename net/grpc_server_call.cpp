#include "net/grpc_server_call.hpp"

#include <algorithm>
#include <cstring>

#include "base/encoding.hpp"

namespace coracle::net {
namespace {

constexpr std::string_view kContentType = "application/grpc";

// What no method asks for.
bool is_transport(std::string_view name) {
  return name.starts_with(':') || name.starts_with("grpc-") || name.starts_with("accept") ||
         name == "te" || name == "user-agent" || name == "content-type";
}

// As gRPC puts a message into a header: printable ASCII but '%'.
std::string header_text(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '%') {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace

std::string_view GrpcServerCall::metadata(std::string_view name) const {
  for (const auto& [known, value] : metadata_) {
    if (known == name) return value;
  }
  return {};
}

void GrpcServerCall::on_header(std::string_view name, std::string_view value) {
  if (name == ":method") method_ = value;
  if (name == ":path") path_ = value;
  if (name == "content-type") content_type_ = value;
  if (name == "grpc-encoding") encoding_ = value;
  if (!is_transport(name)) metadata_.emplace_back(name, value);
}

void GrpcServerCall::on_head() {
  head_done_ = true;
  carrier_->touch(id_);
}

void GrpcServerCall::on_data(std::string_view bytes) {
  if (finished_) return;
  reader_.add(bytes, &messages_);
  carrier_->touch(id_);
}

void GrpcServerCall::on_request_end() {
  request_ended_ = true;
  carrier_->touch(id_);
}

void GrpcServerCall::on_closed(std::uint32_t) {
  closed_ = true;
  carrier_->touch(id_);
}

std::size_t GrpcServerCall::take_body(char* buffer, std::size_t size, bool* end) {
  std::size_t got = 0;
  while (!out_.empty() && got < size) {
    const std::string_view left = out_.front().view().substr(taken_);
    const std::size_t part = std::min(left.size(), size - got);
    std::memcpy(buffer + got, left.data(), part);
    got += part;
    taken_ += part;
    if (part < left.size()) break;
    if (out_.front().ends_message && sent_++ == 0) carrier_->touch(id_);
    out_.pop_front();
    taken_ = 0;
  }
  carrier_->pending(-static_cast<std::ptrdiff_t>(got));
  *end = finished_ && out_.empty();
  return got;
}

Http2Fields GrpcServerCall::status_fields() const {
  Http2Fields fields = {{"grpc-status", code_}};
  if (!message_.empty()) fields.emplace_back("grpc-message", message_);
  return fields;
}

Http2Fields GrpcServerCall::trailers() const { return status_fields(); }

void GrpcServerCall::begin_answer(bool with_body) {
  answering_ = true;
  Http2Fields fields = {{":status", "200"}, {"content-type", kContentType}};
  if (!with_body) {
    for (const auto& field : status_fields()) fields.push_back(field);
  }
  carrier_->respond(id_, fields, with_body);
}

void GrpcServerCall::send(GrpcMessage message) {
  if (over()) return;
  std::size_t size = 0;
  for (const Bytes& part : message) size += part->size();
  const auto prefix = grpc_prefix(size);
  if (!carrier_->pending(static_cast<std::ptrdiff_t>(size + prefix.size()))) {
    carrier_->pending(-static_cast<std::ptrdiff_t>(size + prefix.size()));
    finish({Code::kResourceExhausted, "the client does not take its answers"});
    cut_off_ = true;
    return carrier_->touch(id_);
  }
  out_.push_back({nullptr, std::string(prefix.data(), prefix.size())});
  for (Bytes& part : message) {
    if (!part->empty()) out_.push_back({std::move(part), {}});
  }
  out_.back().ends_message = true;
  if (!answering_) return begin_answer(true);
  carrier_->wake(id_);
}

void GrpcServerCall::finish(const Status& status) {
  if (over()) return;
  finished_ = true;
  code_ = std::to_string(static_cast<int>(status.code()));
  message_ = header_text(status.message());
  if (!answering_) return begin_answer(false);
  carrier_->wake(id_);
}

void GrpcServerCall::open() {
  opened_ = true;
  if (method_ != "POST" || !content_type_.starts_with(kContentType)) {
    finished_ = answering_ = true;
    return carrier_->respond(id_, {{":status", method_ == "POST" ? "415" : "405"}}, false);
  }
  if (!encoding_.empty() && encoding_ != "identity") {
    return finish(unimplemented("grpc: Decompressor is not installed for grpc-encoding \"" +
                                encoding_ + "\""));
  }
  unary_ = carrier_->unary(path_);
  if (unary_ != nullptr) return;
  if (const GrpcServer::Open* const method = carrier_->stream(path_)) {
    stream_ = (*method)(shared_from_this());
    return;
  }
  const std::size_t slash = path_.rfind('/');
  if (slash == 0 || slash == path_.npos) {
    return finish(unimplemented("malformed method name: \"" + path_ + "\""));
  }
  const std::string service = path_.substr(1, slash - 1);
  if (!carrier_->knows_service(service)) return finish(unimplemented("unknown service " + service));
  finish(unimplemented("unknown method " + path_.substr(slash + 1) + " for service " + service));
}

void GrpcServerCall::deliver_unary() {
  if (!request_ended_) return;
  if (messages_.size() != 1 || !reader_.between_messages()) {
    return finish(internal_error("grpc: a request of one message was expected"));
  }
  const GrpcServer::Unary* const method = std::exchange(unary_, nullptr);
  (*method)(std::exchange(messages_, {}).front(), shared_from_this());
}

void GrpcServerCall::deliver_stream() {
  const auto stream = stream_;
  if (const std::size_t sent = std::exchange(sent_, 0); sent > 0) stream->on_sent(sent);
  for (std::string& message : std::exchange(messages_, {})) {
    if (over()) return;
    stream->on_message(std::move(message));
  }
  if (request_ended_ && !over() && !std::exchange(end_told_, true)) stream->on_input_end();
}

void GrpcServerCall::let_go() {
  closed_ = true;
  out_.clear();
  if (stream_ && !finished_ && !std::exchange(gone_told_, true)) stream_->on_gone();
  stream_.reset();
  unary_ = nullptr;
}

bool GrpcServerCall::deliver() {
  if (head_done_ && !opened_ && !closed_) open();
  if (reader_.failed() && !over()) {
    finish(
        reader_.compressed()
            ? unimplemented("grpc: compressed flag set with identity or empty encoding")
            : Status{Code::kResourceExhausted, "grpc: received message larger than max (" +
                                                   std::to_string(reader_.too_large()) + " vs. " +
                                                   std::to_string(carrier_->message_max()) + ")"});
    cut_off_ = true;
  }
  if (cut_off_ && stream_ && !std::exchange(gone_told_, true)) stream_->on_gone();
  if (unary_ != nullptr && !over()) deliver_unary();
  if (stream_ && !over()) deliver_stream();
  if (!closed_) return false;
  std::ptrdiff_t left = -static_cast<std::ptrdiff_t>(taken_);
  for (const Chunk& chunk : out_) left += static_cast<std::ptrdiff_t>(chunk.view().size());
  carrier_->pending(-left);
  let_go();
  carrier_ = nullptr;
  return true;
}

void GrpcServerCall::drop() {
  let_go();
  carrier_ = nullptr;
}

}  // namespace coracle::net
