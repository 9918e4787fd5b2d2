#include "net/http2.hpp"

#include <nghttp2/nghttp2.h>

#include "base/check.hpp"

namespace coracle::net {
namespace {

// Room for large answers, so that no server waits for us; what is read is used at once.
constexpr std::uint32_t kStreamWindow = 16u << 20, kFrameMax = 1u << 20;
constexpr std::int32_t kConnectionWindow = 64 << 20;
// At a server: a stream's share keeps what one client can make it hold within bounds.
constexpr std::uint32_t kRequestWindow = 1u << 20;
constexpr std::int32_t kRequestsWindow = 16 << 20;

std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

std::uint8_t* bytes(std::string_view view) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(view.data()));
}

Http2Stream* stream_of(nghttp2_session* session, std::int32_t id) {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

std::vector<nghttp2_nv> block_of(const Http2Fields& fields) {
  std::vector<nghttp2_nv> block;
  block.reserve(fields.size());
  for (const auto& [name, value] : fields) {
    block.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return block;
}

ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                  std::size_t length, std::uint32_t* flags, nghttp2_data_source*, void*) {
  Http2Stream* const stream = stream_of(session, id);
  if (stream == nullptr) return NGHTTP2_ERR_DEFERRED;  // forgotten; its reset is on the way
  bool end = false;
  const std::size_t got = stream->take_body(reinterpret_cast<char*>(buffer), length, &end);
  if (end) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    const std::vector<nghttp2_nv> trailers = block_of(stream->trailers());
    if (!trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      (void)nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
    }
  }
  return got == 0 && !end ? NGHTTP2_ERR_DEFERRED : static_cast<ssize_t>(got);
}

}  // namespace

struct Http2Session::Impl {
  nghttp2_session* session = nullptr;
  Accept accept;  // none at a client
  bool settled = false, going_away = false;

  static int on_begin(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    auto* const impl = static_cast<Impl*>(self);
    if (!impl->accept || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    Http2Stream* const stream = impl->accept(frame->hd.stream_id);
    if (stream == nullptr) {
      return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                       NGHTTP2_REFUSED_STREAM);
    }
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
  }
  static int on_header(nghttp2_session* session, const nghttp2_frame* frame,
                       const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                       std::size_t value_size, std::uint8_t, void*) {
    if (Http2Stream* const stream = stream_of(session, frame->hd.stream_id)) {
      stream->on_header(text(name, name_size), text(value, value_size));
    }
    return 0;
  }
  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                     const std::uint8_t* data, std::size_t size, void*) {
    if (Http2Stream* const stream = stream_of(session, id)) stream->on_data(text(data, size));
    return 0;
  }
  static int on_closed(nghttp2_session* session, std::int32_t id, std::uint32_t error, void*) {
    if (Http2Stream* const stream = stream_of(session, id)) stream->on_closed(error);
    return 0;
  }
  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    auto* const impl = static_cast<Impl*>(self);
    const bool headers = frame->hd.type == NGHTTP2_HEADERS;
    if (impl->accept && (headers || frame->hd.type == NGHTTP2_DATA)) {
      Http2Stream* const stream = stream_of(session, frame->hd.stream_id);
      if (stream == nullptr) return 0;
      if (headers && frame->headers.cat == NGHTTP2_HCAT_REQUEST) stream->on_head();
      if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) stream->on_request_end();
    }
    if (frame->hd.type == NGHTTP2_SETTINGS) impl->settled = true;
    if (frame->hd.type == NGHTTP2_GOAWAY) impl->going_away = true;
    return 0;
  }
  // An answer may be complete before its request is: the client need not send the rest.
  static int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    if (!static_cast<Impl*>(self)->accept) return 0;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    if (nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) != 0) return 0;
    (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                    NGHTTP2_NO_ERROR);
    return 0;
  }

  nghttp2_session_callbacks* callbacks();
  void settle(std::uint32_t stream_window, std::int32_t connection_window,
              std::vector<nghttp2_settings_entry> more);
};

nghttp2_session_callbacks* Http2Session::Impl::callbacks() {
  nghttp2_session_callbacks* callbacks = nullptr;
  CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Impl::on_begin);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Impl::on_sent);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Impl::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Impl::on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Impl::on_closed);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Impl::on_frame);
  return callbacks;
}

void Http2Session::Impl::settle(std::uint32_t stream_window, std::int32_t connection_window,
                                std::vector<nghttp2_settings_entry> more) {
  more.push_back({NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window});
  more.push_back({NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kFrameMax});
  CHECK(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, more.data(), more.size()) == 0);
  CHECK(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, connection_window) ==
        0);
}

Http2Session::Http2Session() : impl_(std::make_unique<Impl>()) {
  nghttp2_session_callbacks* const callbacks = impl_->callbacks();
  CHECK(nghttp2_session_client_new(&impl_->session, callbacks, impl_.get()) == 0);
  nghttp2_session_callbacks_del(callbacks);
  impl_->settle(kStreamWindow, kConnectionWindow, {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}});
}

Http2Session::Http2Session(Accept accept) : impl_(std::make_unique<Impl>()) {
  impl_->accept = std::move(accept);
  nghttp2_session_callbacks* const callbacks = impl_->callbacks();
  // Etcd's client of 3.4 names a URL as its authority, which nghttp2's own look at requests
  // refuses.
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_http_messaging(option, 1);
  CHECK(nghttp2_session_server_new2(&impl_->session, callbacks, impl_.get(), option) == 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  impl_->settle(kRequestWindow, kRequestsWindow,
                {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kRequestsMax}});
}

Http2Session::~Http2Session() { nghttp2_session_del(impl_->session); }

std::int32_t Http2Session::request(const Http2Fields& fields, Http2Stream* stream) {
  const std::vector<nghttp2_nv> block = block_of(fields);
  nghttp2_data_provider body{};
  body.read_callback = read_body;
  const std::int32_t id =
      nghttp2_submit_request(impl_->session, nullptr, block.data(), block.size(), &body, stream);
  return id < 0 ? -1 : id;
}

void Http2Session::respond(std::int32_t id, const Http2Fields& fields, bool with_body) {
  const std::vector<nghttp2_nv> block = block_of(fields);
  nghttp2_data_provider body{};
  body.read_callback = read_body;
  // An error says that the stream is over, which it is told by itself.
  (void)nghttp2_submit_response(impl_->session, id, block.data(), block.size(),
                                with_body ? &body : nullptr);
}

void Http2Session::say_goodbye() {
  (void)nghttp2_submit_goaway(impl_->session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(impl_->session),
                              NGHTTP2_NO_ERROR, nullptr, 0);
}

void Http2Session::wake(std::int32_t id) {
  // An error only says that the stream is not waiting.
  (void)nghttp2_session_resume_data(impl_->session, id);
}

void Http2Session::forget(std::int32_t id) {
  // A request that has not left yet has no stream to set it on; nghttp2 drops it with the reset.
  (void)nghttp2_session_set_stream_user_data(impl_->session, id, nullptr);
  (void)nghttp2_submit_rst_stream(impl_->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

void Http2Session::ping() {
  CHECK(nghttp2_submit_ping(impl_->session, NGHTTP2_FLAG_NONE, nullptr) == 0);
}

Status Http2Session::receive(std::string_view data) {
  const ssize_t used = nghttp2_session_mem_recv(impl_->session, bytes(data), data.size());
  if (used >= 0) return {};
  return unavailable(std::string("http2: ") + nghttp2_strerror(static_cast<int>(used)));
}

bool Http2Session::produce(std::string* out, std::size_t limit) {
  while (out->size() < limit) {
    const std::uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(impl_->session, &data);
    if (size < 0) return false;
    if (size == 0) return true;
    out->append(text(data, static_cast<std::size_t>(size)));
  }
  return true;
}

bool Http2Session::settled() const { return impl_->settled; }
bool Http2Session::going_away() const { return impl_->going_away; }
bool Http2Session::finished() const {
  return nghttp2_session_want_read(impl_->session) == 0 &&
         nghttp2_session_want_write(impl_->session) == 0;
}

}  // namespace coracle::net
