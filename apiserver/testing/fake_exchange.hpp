// A net::Exchange that writes down what it is told.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "net/server.hpp"

namespace coracle::apiserver {

class FakeExchange final : public net::Exchange {
 public:
  int status = 0;
  net::Headers headers;
  std::string body;  // of a whole answer, or all that a stream was given
  bool streaming = false, ended = false, aborted = false, peer_gone = false;
  std::size_t queued = 0;  // what the test says is unsent

  bool answered() const { return status != 0; }
  void leave() {  // the client goes away
    peer_gone = true;
    for (const auto& fn : std::exchange(on_close_, {})) fn();
  }
  // Complete lines of a watch so far, as trees.
  std::vector<json::value> events() const {
    std::vector<json::value> out;
    std::size_t start = 0;
    for (std::size_t end; (end = body.find('\n', start)) != std::string::npos; start = end + 1) {
      out.push_back(*parse_json(std::string_view(body).substr(start, end - start)));
    }
    return out;
  }

  void respond(net::Response response) override {
    CHECK(!answered());
    status = response.status;
    headers = response.headers;
    body = response.body;
    for (const net::Bytes& chunk : response.chunks) body += *chunk;
    ended = true;
  }
  void begin_stream(int code, net::Headers given) override {
    CHECK(!answered());
    status = code;
    headers = std::move(given);
    streaming = true;
  }
  void write(net::Bytes bytes) override {
    if (!closed()) body += *bytes;
  }
  std::size_t queued_bytes() const override { return queued; }
  void end() override {
    ended = true;
    on_close_.clear();  // as the live one: what they hold may die now
  }
  void abort() override {
    aborted = true;
    on_close_.clear();
  }
  std::shared_ptr<net::ByteStream> upgrade(int, net::Headers) override { return nullptr; }
  void on_close(std::function<void()> fn) override { on_close_.push_back(std::move(fn)); }
  void on_drain(std::function<void()>) override {}
  bool closed() const override { return ended || aborted || peer_gone; }

 private:
  std::vector<std::function<void()>> on_close_;
};

}  // namespace coracle::apiserver
