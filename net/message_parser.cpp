#include "net/message_parser.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>

#include "base/check.hpp"
#include "base/strings.hpp"

namespace coracle::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

std::string text_of(string_view text) { return std::string(text.data(), text.size()); }

// What both directions collect.
struct Collected {
  std::string method, target;
  int status = 0;
  int version = 11;
  Headers headers;
  std::string body;
  std::uint64_t chunk_left = 0;
};

template <bool isRequest>
class Collector final : public http::basic_parser<isRequest> {
 public:
  explicit Collector(Collected& out) : out_(out) {}

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    out_.version = version;
    out_.method = text_of(method);
    out_.target = text_of(target);
  }
  void on_response_impl(int code, string_view, int version, error_code&) override {
    out_.status = code;
    out_.version = version;
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    out_.headers.add(text_of(name), text_of(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code&) override {
    // Not more than a peer must send anyway before it costs us anything.
    if (length)
      out_.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, 65536)));
  }
  std::size_t on_body_impl(string_view body, error_code&) override {
    out_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t size, string_view, error_code&) override {
    out_.chunk_left = size;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    out_.body.append(body.data(), body.size());
    out_.chunk_left -= body.size();
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  Collected& out_;
};

// What follows a chunk has so many bytes at least: "0\r\n\r\n". Beast takes for granted that it is
// shown all of it once it has seen "0\r\n".
constexpr std::size_t kChunkTailMin = 5;

ParseError classify(const error_code& error) {
  if (error == http::error::header_limit) return ParseError::kHeaderTooLarge;
  if (error == http::error::body_limit) return ParseError::kBodyTooLarge;
  return ParseError::kMalformed;
}

}  // namespace

struct MessageParser::Impl {
  Collected collected;
  std::optional<Collector<true>> request;
  std::optional<Collector<false>> response;
  ParseError error = ParseError::kNone;
  bool started = false;

  template <class F>
  auto with(F f) {
    return request ? f(static_cast<http::basic_parser<true>&>(*request))
                   : f(static_cast<http::basic_parser<false>&>(*response));
  }

  bool between_chunks() {
    return collected.chunk_left == 0 && with([](auto& parser) {
             return parser.is_header_done() && !parser.is_done() && parser.chunked();
           });
  }
};

MessageParser::MessageParser(Kind kind, const ParserLimits& limits)
    : impl_(std::make_unique<Impl>()) {
  if (kind == kRequest) {
    impl_->request.emplace(impl_->collected);
  } else {
    impl_->response.emplace(impl_->collected);
  }
  impl_->with([&](auto& parser) {
    parser.eager(true);
    parser.header_limit(static_cast<std::uint32_t>(limits.max_header));
    parser.body_limit(limits.max_body);
  });
}

MessageParser::~MessageParser() = default;
MessageParser::MessageParser(MessageParser&&) noexcept = default;
MessageParser& MessageParser::operator=(MessageParser&&) noexcept = default;

std::size_t MessageParser::feed(std::string_view data) {
  std::size_t used = 0;
  if (!data.empty()) impl_->started = true;
  // put() stops at boundaries of its own (after each chunk header): go on while it moves.
  while (used < data.size() && state() == ParseState::kMore) {
    if (impl_->between_chunks() && data.size() - used < kChunkTailMin) break;
    error_code error;
    std::size_t step = impl_->with([&](auto& parser) {
      return parser.put(boost::asio::const_buffer(data.data() + used, data.size() - used), error);
    });
    used += step;
    if (error == http::error::need_more) break;
    if (error) {
      impl_->error = classify(error);
      break;
    }
    if (step == 0) break;
  }
  return used;
}

void MessageParser::feed_end() {
  if (!started()) {
    impl_->error = ParseError::kMalformed;
    return;
  }
  error_code error;
  impl_->with([&](auto& parser) { parser.put_eof(error); });
  if (error && impl_->error == ParseError::kNone) impl_->error = ParseError::kMalformed;
}

void MessageParser::skip_body() { impl_->response->skip(true); }

ParseState MessageParser::state() const {
  if (impl_->error != ParseError::kNone) return ParseState::kFailed;
  bool done = impl_->with([](auto& parser) { return parser.is_done(); });
  return done ? ParseState::kDone : ParseState::kMore;
}

ParseError MessageParser::error() const { return impl_->error; }
bool MessageParser::started() const { return impl_->started; }

bool MessageParser::head_done() const {
  return impl_->with([](auto& parser) { return parser.is_header_done(); });
}

bool MessageParser::keep_alive() const {
  return impl_->with([](auto& parser) { return parser.keep_alive(); });
}

bool MessageParser::http_11() const { return impl_->collected.version >= 11; }
bool MessageParser::has_host() const { return impl_->collected.headers.has("Host"); }

bool MessageParser::expects_continue() const {
  return iequals(impl_->collected.headers.get("Expect"), "100-continue");
}

Request MessageParser::take_request() {
  Request request;
  Collected& from = impl_->collected;
  request.method = std::move(from.method);
  request.target = std::move(from.target);
  std::string_view target = request.target;
  if (auto scheme = target.find("://");
      !target.empty() && target[0] != '/' && scheme != target.npos) {
    auto slash = target.find('/', scheme + 3);  // the absolute form that proxies are sent
    target = slash == target.npos ? std::string_view("/") : target.substr(slash);
  }
  std::size_t question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (question != target.npos) request.query = Query::parse(target.substr(question + 1));
  request.headers = std::move(from.headers);
  request.body = std::move(from.body);
  return request;
}

Response MessageParser::take_head() {
  Response head;
  head.status = impl_->collected.status;
  head.headers = std::move(impl_->collected.headers);
  return head;
}

std::string MessageParser::take_body() { return std::exchange(impl_->collected.body, {}); }
std::size_t MessageParser::body_size() const { return impl_->collected.body.size(); }
int MessageParser::status() const { return impl_->collected.status; }

}  // namespace coracle::net
