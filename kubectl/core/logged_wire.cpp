#include "kubectl/logged_wire.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <ostream>

#include "base/clock.hpp"
#include "net/http.hpp"

namespace coracle::kubectl {
namespace {

class LoggedWire final : public Wire {
 public:
  LoggedWire(std::unique_ptr<Wire> wire, int level, std::string server, std::ostream& out)
      : wire_(std::move(wire)), level_(level), server_(std::move(server)), out_(out) {}

  Result<client::ApiResponse> call(client::ApiRequest request) override {
    const std::string what = tell_request(request);
    const TimePoint began = wire_->now();
    auto answer = wire_->call(std::move(request));
    tell_answer(what, answer, began);
    return answer;
  }

  Result<client::ApiResponse> stream(client::ApiRequest request,
                                     std::function<bool(std::string_view)> on_data,
                                     Duration limit) override {
    const std::string what = tell_request(request);
    const TimePoint began = wire_->now();
    auto answer = wire_->stream(std::move(request), std::move(on_data), limit);
    tell_answer(what, answer, began);
    return answer;
  }

  void pause(Duration duration) override { wire_->pause(duration); }
  TimePoint now() const override { return wire_->now(); }
  WallTime wall_now() const override { return wire_->wall_now(); }

 private:
  // "I0102 15:04:05.000000    1234 round_trippers.go:560] ", as klog begins its lines.
  void line(const std::string& text) {
    const std::string time = format_micro_time(wire_->wall_now());
    out_ << fmt::format("I{}{} {} {:>7} round_trippers.go:560] {}\n", time.substr(5, 2),
                        time.substr(8, 2), time.substr(11, 15), getpid(), text);
  }

  std::string cut(const std::string& body) const {
    const size_t most = level_ == 8 ? 1024 : level_ == 9 ? 10240 : std::string::npos;
    if (body.size() <= most) return body;
    return fmt::format("{} [truncated {} chars]", body.substr(0, most), body.size() - most);
  }

  void tell_headers(const char* title, const client::HeaderList& headers) {
    line(title);
    for (const auto& [name, value] : headers) {
      line(fmt::format("    {}: {}", name, name == "Authorization" ? "Bearer <masked>" : value));
    }
  }

  std::string tell_request(const client::ApiRequest& request) {
    if (level_ >= kTellBodies) {
      if (!request.body.empty()) line("Request Body: " + cut(request.body));
      tell_headers("Request Headers:", request.headers);
    }
    return request.method + " " + server_ + request.target;
  }

  void tell_answer(const std::string& what, const Result<client::ApiResponse>& answer,
                   TimePoint began) {
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(wire_->now() - began).count();
    if (!answer.ok()) {
      return line(fmt::format("{}  in {} milliseconds: {}", what, took, answer.status().message()));
    }
    line(fmt::format("{} {} {} in {} milliseconds", what, answer->status,
                     net::reason_phrase(answer->status), took));
    if (level_ < kTellBodies) return;
    tell_headers("Response Headers:", answer->headers);
    if (!answer->body.empty()) line("Response Body: " + cut(answer->body));
  }

  const std::unique_ptr<Wire> wire_;
  const int level_;
  const std::string server_;
  std::ostream& out_;
};

}  // namespace

std::unique_ptr<Wire> make_logged_wire(std::unique_ptr<Wire> wire, int level, std::string server,
                                       std::ostream& out) {
  return std::make_unique<LoggedWire>(std::move(wire), level, std::move(server), out);
}

}  // namespace coracle::kubectl
