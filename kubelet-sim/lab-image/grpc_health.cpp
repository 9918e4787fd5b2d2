// agnhost grpc-health-checking: the gRPC health service (grpc.health.v1) for one service name, and
// an HTTP server that makes it tell SERVING or NOT_SERVING.
#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <new>

#include "agnhost.hpp"

namespace lab_image {
namespace {

constexpr size_t kSessionsMax = 256, kBodyMax = 4096;
constexpr std::uint32_t kCallsMax = 100;
constexpr int kNotFound = 5, kUnimplemented = 12;

struct Health {
  std::string service;
  long delay_seconds = -1;  // negative: it stays healthy
  timespec started{};
  std::atomic<bool>* unhealthy = nullptr;  // as was said over HTTP; both processes have it

  double age() const {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec - started.tv_sec) +
           static_cast<double>(now.tv_nsec - started.tv_nsec) / 1e9;
  }
  bool serving() const {
    if (*unhealthy) return false;
    return delay_seconds < 0 || age() < static_cast<double>(delay_seconds);
  }
};

void log_line(const std::string& what) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char time[32];
  std::strftime(time, sizeof time, "%Y/%m/%d %H:%M:%S", &parts);
  std::fprintf(stderr, "%s %s\n", time, what.c_str());
}

struct Call {
  std::string path, body, answer;
  size_t sent = 0;
};

// HealthCheckRequest {string service = 1} in a frame of gRPC; false: it is none.
bool read_service(const std::string& body, std::string* service) {
  if (body.size() < 5 || body[0] != 0) return false;
  const std::string message = body.substr(5);
  if (message.empty()) return true;
  if (message[0] != 0x0a) return false;
  size_t length = 0, at = 1;
  for (int shift = 0; at < message.size() && shift < 28; shift += 7) {
    const auto byte = static_cast<unsigned char>(message[at++]);
    length |= static_cast<size_t>(byte & 127) << shift;
    if (byte < 128) break;
  }
  if (at + length > message.size()) return false;
  *service = message.substr(at, length);
  return true;
}

nghttp2_nv field(const char* name, const std::string& value) {
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name)),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), std::strlen(name),
          value.size(), NGHTTP2_NV_FLAG_NONE};
}

class Session {
 public:
  Session(int fd, const Health& health) : fd_(fd), health_(health) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_server_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry bound{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kCallsMax};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &bound, 1);
  }
  ~Session() {
    nghttp2_session_del(session_);
    close(fd_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int fd() const { return fd_; }
  bool has_output() const { return !out_.empty() || nghttp2_session_want_write(session_) != 0; }

  // False: the connection is over.
  bool turn(short ready) {
    char buffer[16384];
    if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(buffer);
      if (n > 0 && nghttp2_session_mem_recv(session_, bytes, static_cast<size_t>(n)) < 0) {
        return false;
      }
    }
    const std::uint8_t* data = nullptr;
    for (ssize_t n = 0; (n = nghttp2_session_mem_send(session_, &data)) > 0;) {
      out_.append(reinterpret_cast<const char*>(data), static_cast<size_t>(n));
    }
    while (!out_.empty()) {
      const ssize_t n = send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (n <= 0) return errno == EAGAIN || errno == EINTR;
      out_.erase(0, static_cast<size_t>(n));
    }
    return nghttp2_session_want_read(session_) != 0 || nghttp2_session_want_write(session_) != 0;
  }

 private:
  static Session& self(void* user) { return *static_cast<Session*>(user); }

  static int on_begin(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    self(user).calls_[frame->hd.stream_id];
    return 0;
  }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       size_t name_size, const std::uint8_t* value, size_t value_size, std::uint8_t,
                       void* user) {
    if (name_size != 5 || std::memcmp(name, ":path", 5) != 0) return 0;
    self(user).calls_[frame->hd.stream_id].path.assign(reinterpret_cast<const char*>(value),
                                                       value_size);
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     size_t size, void* user) {
    std::string& body = self(user).calls_[id].body;
    if (body.size() + size > kBodyMax) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    const bool carries = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      self(user).answer(frame->hd.stream_id);
    }
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    self(user).calls_.erase(id);
    return 0;
  }

  void refuse(std::int32_t id, int code, const std::string& why) {
    const std::string ok = "200", type = "application/grpc", number = std::to_string(code);
    const nghttp2_nv fields[] = {field(":status", ok), field("content-type", type),
                                 field("grpc-status", number), field("grpc-message", why)};
    nghttp2_submit_response(session_, id, fields, 4, nullptr);
  }

  void answer(std::int32_t id) {
    Call& call = calls_[id];
    if (call.path == "/grpc.health.v1.Health/Watch") {
      return refuse(id, kUnimplemented, "unimplemented");
    }
    if (call.path != "/grpc.health.v1.Health/Check") {
      return refuse(id, kUnimplemented, "unknown method " + call.path);
    }
    log_line("Serving the Check request for health check");
    std::string service;
    if (!read_service(call.body, &service) || service != health_.service) {
      return refuse(id, kNotFound, "unknown service");
    }
    // HealthCheckResponse {ServingStatus status = 1}.
    const char status = health_.serving() ? 1 : 2;
    call.answer = std::string("\0\0\0\0\2\x08", 6) + status;
    nghttp2_data_provider body{};
    body.source.ptr = &call;
    body.read_callback = read_answer;
    const std::string ok = "200", type = "application/grpc";
    const nghttp2_nv fields[] = {field(":status", ok), field("content-type", type)};
    nghttp2_submit_response(session_, id, fields, 2, &body);
  }

  static ssize_t read_answer(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                             size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                             void*) {
    Call& call = *static_cast<Call*>(source->ptr);
    const size_t n = std::min(size, call.answer.size() - call.sent);
    std::memcpy(buffer, call.answer.data() + call.sent, n);
    call.sent += n;
    if (call.sent < call.answer.size()) return static_cast<ssize_t>(n);
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const std::string ok = "0";
    const nghttp2_nv trailer = field("grpc-status", ok);
    nghttp2_submit_trailer(session, id, &trailer, 1);
    return static_cast<ssize_t>(n);
  }

  const int fd_;
  const Health& health_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Call> calls_;
  std::string out_;
};

[[noreturn]] void serve_grpc(int listener, const Health& health) {
  std::vector<std::unique_ptr<Session>> sessions;
  while (true) {
    std::vector<pollfd> fds{{listener, POLLIN, 0}};
    for (const auto& s : sessions) {
      fds.push_back({s->fd(), static_cast<short>(POLLIN | (s->has_output() ? POLLOUT : 0)), 0});
    }
    if (poll(fds.data(), fds.size(), -1) <= 0) continue;
    for (size_t i = sessions.size(); i-- > 0;) {
      if (fds[i + 1].revents != 0 && !sessions[i]->turn(fds[i + 1].revents)) {
        sessions.erase(sessions.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    if (fds[0].revents == 0) continue;
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && sessions.size() >= kSessionsMax) {
      close(fd);
    } else if (fd >= 0) {
      sessions.push_back(std::make_unique<Session>(fd, health));
    }
  }
}

// As Go prints a duration of seconds.
std::string duration_text(double seconds) {
  const long minutes = static_cast<long>(seconds) / 60;
  char text[64];
  std::snprintf(text, sizeof text, "%.9gs", seconds - static_cast<double>(minutes) * 60);
  return (minutes >= 60 ? std::to_string(minutes / 60) + "h" : "") +
         (minutes > 0 ? std::to_string(minutes % 60) + "m" : "") + text;
}

}  // namespace

int run_grpc_health(const Args& args) {
  const int port = port_number(flag_value(args, "port", "5000"), 5000);
  const int http_port = port_number(flag_value(args, "http-port", "8080"), 8080);
  Health health;
  health.service = flag_value(args, "service", "");
  health.delay_seconds = std::atol(flag_value(args, "delay-unhealthy-sec", "-1").c_str());
  clock_gettime(CLOCK_MONOTONIC, &health.started);
  void* const shared = mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const int listener = listen_on(port);
  if (listener < 0 || shared == MAP_FAILED) {
    log_line("Port " + std::to_string(port) + " cannot be had: " + std::strerror(errno));
    return 1;
  }
  health.unhealthy = new (shared) std::atomic<bool>(false);
  log_line("gRPC server starting to listen on :" + std::to_string(port));
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    serve_grpc(listener, health);
  }
  close(listener);
  log_line("Http server starting to listen on :" + std::to_string(http_port));
  return serve_http({"", {http_port}, [&health](const HttpRequest& r) {
                       if (r.path == "/make-not-serving") {
                         log_line("Mark as unhealthy");
                         *health.unhealthy = true;
                       } else if (r.path == "/make-serving") {
                         log_line("Mark as healthy");
                         *health.unhealthy = false;
                       } else {
                         return text(404, "404 page not found\n");
                       }
                       return text(200, duration_text(health.age()));
                     }});
}

}  // namespace lab_image
