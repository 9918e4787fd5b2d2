#include "bench_store/h2.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace coracle::bench {
namespace {

// Frame types and flags of RFC 9113.
constexpr std::uint8_t kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoAway = 7,
                       kWindow = 8;
constexpr std::uint8_t kEndStream = 1, kAck = 1, kEndHeaders = 4, kPadded = 8, kPriority = 32;
constexpr size_t kFrameHeader = 9, kGrpcPrefix = 5;
// Room for the largest answer there is, so that no server waits for us.
constexpr std::uint32_t kStreamWindow = 32u << 20, kConnectionWindow = 128u << 20;
// HPACK's static indices of names that we send with a value of our own.
constexpr std::string_view kAuthority = "\x01", kPath = "\x04", kContentType = "\x1f";

void put_u32(std::string* out, std::uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(char(v >> shift));
}

std::uint32_t get_u32(std::string_view in, size_t at = 0) {
  std::uint32_t v = 0;
  for (size_t i = 0; i < 4; ++i) v = v << 8 | static_cast<unsigned char>(in[at + i]);
  return v;
}

void put_frame(std::string* out, size_t length, std::uint8_t type, std::uint8_t flags,
               std::uint32_t stream) {
  out->push_back(char(length >> 16));
  out->push_back(char(length >> 8));
  out->push_back(char(length));
  out->push_back(char(type));
  out->push_back(char(flags));
  put_u32(out, stream);
}

void put_string(std::string* out, std::string_view text) {
  out->push_back(char(text.size()));  // below 127
  out->append(text);
}

void put_window(std::string* out, std::uint32_t stream, std::uint64_t bytes) {
  put_frame(out, 4, kWindow, 0, stream);
  put_u32(out, std::uint32_t(bytes));
}

// Looks for grpc-status in a block of header fields. We allow the server no dynamic table, so the
// field is there as a literal: in plain letters, or in HPACK's Huffman code as Go writes it.
Status status_in(std::string_view block) {
  using namespace std::string_view_literals;
  constexpr std::string_view kPlain = "\x0bgrpc-status"sv;
  constexpr std::string_view kHuffman = "\x88\x9a\xca\xc8\xb2\x12\x34\xda\x8f"sv;
  size_t at = block.find(kPlain);
  at = at == std::string_view::npos ? block.find(kHuffman) : at;
  if (at == std::string_view::npos) return internal_error("an answer without grpc-status");
  const std::string_view value =
      block.substr(at + (block[at] == '\x0b' ? kPlain.size() : kHuffman.size()));
  if (value.starts_with("\x01"
                        "0")) {
    return {};
  }
  return {Code::kUnknown, "the server answered with an error: " + std::string(block)};
}

}  // namespace

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

Status Connection::open() {
  const size_t colon = target_.rfind(':');
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(target_.substr(0, colon).c_str(),
                                    target_.substr(colon + 1).c_str(), &hints, &found);
  if (failure != 0) return unavailable(target_ + ": " + ::gai_strerror(failure));
  fd_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int error = ::connect(fd_, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  ::freeaddrinfo(found);
  if (error != 0) return unavailable(target_ + ": " + std::strerror(error));
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  out_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  constexpr std::uint16_t kTableSize = 1, kInitialWindow = 4;
  put_frame(&out_, 12, kSettings, 0, 0);
  for (const auto& [id, value] : {std::pair(kTableSize, 0u), {kInitialWindow, kStreamWindow}}) {
    out_.push_back(char(id >> 8));
    out_.push_back(char(id));
    put_u32(&out_, value);
  }
  put_window(&out_, 0, kConnectionWindow - 65535);
  return {};
}

// Sends a field once as a literal that both sides remember, later as its index.
void Connection::header_field(std::string* block, std::string_view name, std::string_view value) {
  const std::string key = std::string(name) + '\0' + std::string(value);
  const auto known = std::find(table_.begin(), table_.end(), key);
  if (known != table_.end()) {
    block->push_back(char(0x80 | (62 + (known - table_.begin()))));
    return;
  }
  table_.push_front(key);
  if (name.size() == 1) {
    block->push_back(char(0x40 | name[0]));  // the index of the name
  } else {
    block->push_back(0x40);
    put_string(block, name);
  }
  put_string(block, value);
}

std::uint32_t Connection::start(std::string_view path, Call* call, bool ends) {
  const std::uint32_t id = next_stream_;
  next_stream_ += 2;
  streams_[id].call = call;
  std::string block("\x83\x86");  // :method POST, :scheme http
  header_field(&block, kPath, path);
  header_field(&block, kAuthority, target_);
  header_field(&block, kContentType, "application/grpc");
  header_field(&block, "te", "trailers");
  put_frame(&out_, block.size(), kHeaders, kEndHeaders, id);
  out_ += block;
  return id;
}

void Connection::unary(std::string_view path, std::string_view message, Call* call) {
  put_data(start(path, call, true), message, true);
}

std::uint32_t Connection::open_stream(std::string_view path, Call* call) {
  return start(path, call, false);
}

void Connection::send(std::uint32_t stream, std::string_view message) {
  put_data(stream, message, false);
}

void Connection::put_data(std::uint32_t stream, std::string_view message, bool ends) {
  if (!waiting_.empty() || window_ < std::int64_t(message.size() + kGrpcPrefix)) {
    waiting_.push_back({stream, std::string(message), ends});
  } else {
    append_data(stream, message, ends);
  }
}

void Connection::append_data(std::uint32_t stream, std::string_view message, bool ends) {
  CORACLE_CHECK(message.size() + kGrpcPrefix <= 16384);
  window_ -= std::int64_t(message.size() + kGrpcPrefix);
  put_frame(&out_, message.size() + kGrpcPrefix, kData, ends ? kEndStream : 0, stream);
  out_.push_back(0);  // not compressed
  put_u32(&out_, std::uint32_t(message.size()));
  out_ += message;
}

void Connection::drain_waiting() {
  while (!waiting_.empty() &&
         window_ >= std::int64_t(waiting_.front().message.size() + kGrpcPrefix)) {
    append_data(waiting_.front().stream, waiting_.front().message, waiting_.front().ends);
    waiting_.pop_front();
  }
}

bool Connection::flush() {
  while (out_at_ < out_.size()) {
    const ssize_t n =
        ::send(fd_, out_.data() + out_at_, out_.size() - out_at_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    out_at_ += size_t(n);
  }
  out_.clear();
  out_at_ = 0;
  return true;
}

void Connection::on_readable() {
  thread_local std::vector<char> buffer(512 << 10);
  const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return fail(unavailable(target_ + ": the connection ended"));
  const std::string_view fresh(buffer.data(), size_t(n));
  if (in_.empty()) {
    in_ = fresh.substr(parse(fresh));
  } else {
    in_ += fresh;
    in_.erase(0, parse(in_));
  }
  drain_waiting();
}

size_t Connection::parse(std::string_view bytes) {
  size_t at = 0;
  while (bytes.size() - at >= kFrameHeader) {
    const size_t length = get_u32(bytes, at) >> 8;
    if (bytes.size() - at < kFrameHeader + length) break;
    const auto type = std::uint8_t(bytes[at + 3]), flags = std::uint8_t(bytes[at + 4]);
    frame(type, flags, get_u32(bytes, at + 5), bytes.substr(at + kFrameHeader, length));
    at += kFrameHeader + length;
  }
  return at;
}

void Connection::frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                       std::string_view payload) {
  if ((flags & kPadded) != 0 && (type == kData || type == kHeaders)) {
    payload = payload.substr(1, payload.size() - 1 - std::uint8_t(payload[0]));
  }
  switch (type) {
    case kData:
      data(stream, payload);
      break;
    case kHeaders:
      if ((flags & kPriority) != 0) payload.remove_prefix(5);
      if ((flags & kEndStream) != 0) finish(stream, status_in(payload));
      break;
    case kReset:
      finish(stream, unavailable(target_ + ": the server reset a call"));
      break;
    case kSettings:
      if ((flags & kAck) == 0) put_frame(&out_, 0, kSettings, kAck, 0);
      break;
    case kPing:
      if ((flags & kAck) != 0) break;
      put_frame(&out_, 8, kPing, kAck, 0);
      out_ += payload;
      break;
    case kWindow:
      if (stream == 0) window_ += get_u32(payload);
      break;
    case kGoAway:
      fail(unavailable(target_ + ": the server closes the connection"));
      break;
    default:
      break;
  }
}

void Connection::data(std::uint32_t id, std::string_view payload) {
  unreturned_ += payload.size();
  if (unreturned_ > kConnectionWindow / 4) {
    put_window(&out_, 0, unreturned_);
    unreturned_ = 0;
  }
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  Stream& stream = found->second;
  stream.unreturned += payload.size();
  if (stream.unreturned > kStreamWindow / 4) {
    put_window(&out_, id, stream.unreturned);
    stream.unreturned = 0;
  }
  consume(stream, payload);
}

void Connection::consume(Stream& stream, std::string_view bytes) {
  while (!bytes.empty()) {
    if (stream.have < kGrpcPrefix) {
      const size_t take = std::min(kGrpcPrefix - stream.have, bytes.size());
      stream.head.append(bytes.substr(0, take));
      stream.have += take;
      bytes.remove_prefix(take);
      if (stream.have < kGrpcPrefix) return;
      stream.length = get_u32(stream.head, 1);
      stream.head.clear();
    }
    const size_t take = std::min(stream.length + kGrpcPrefix - stream.have, bytes.size());
    if (stream.head.size() < kHeadBytes) stream.head.append(bytes.substr(0, take));
    stream.have += take;
    bytes.remove_prefix(take);
    if (stream.have < stream.length + kGrpcPrefix) return;
    stream.call->on_message(stream.head, stream.length);
    stream.head.clear();
    stream.have = 0;
  }
}

void Connection::finish(std::uint32_t id, const Status& status) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  Call* const call = found->second.call;
  streams_.erase(found);
  call->on_end(status);
}

void Connection::fail(const Status& status) {
  while (!streams_.empty()) finish(streams_.begin()->first, status);
}

}  // namespace coracle::bench
