#include "cluster_sim/api_end.hpp"

#include <utility>

#include "base/strings.hpp"
#include "cluster_sim/api_exchange.hpp"

namespace coracle::cluster_sim {

SimApi::SimApi(Network& network, Machine& machine, std::vector<ApiServerPort*> servers,
               SharedLines& lines, Identity who, std::size_t first_server)
    : network_(network),
      machine_(machine),
      strand_(machine.strand),
      servers_(std::move(servers)),
      lines_(lines),
      who_(std::move(who)),
      current_(first_server % servers_.size()) {}

SimApi::~SimApi() { drop_calls(); }

void SimApi::drop_calls() {
  // Who waits may have streams of ours.
  while (!calls_.empty()) calls_.begin()->second->give_up();
}

net::Request SimApi::to_net(client::ApiRequest request) const {
  net::Request out;
  out.method = std::move(request.method);
  out.target = std::move(request.target);
  const std::size_t mark = out.target.find('?');
  out.path = out.target.substr(0, mark);
  if (mark != std::string::npos) {
    out.query = net::Query::parse(std::string_view(out.target).substr(mark + 1));
  }
  for (auto& [name, value] : request.headers) out.headers.add(std::move(name), std::move(value));
  if (!out.headers.has("Accept")) out.headers.add("Accept", "application/json");
  if (!request.body.empty() && !out.headers.has("Content-Type")) {
    out.headers.add("Content-Type", "application/json");
  }
  out.headers.add("User-Agent", who_.user);
  out.body = std::move(request.body);
  out.peer.address = "127.0.0.1";
  out.peer.tls = out.peer.has_cert = out.peer.cert_trusted = true;
  out.peer.cert_cn = who_.user;
  out.peer.cert_orgs = who_.groups;
  return out;
}

Task<Result<client::ApiResponse>> SimApi::call(client::ApiRequest request) {
  const Duration timeout = request.timeout;
  const auto wire = std::make_shared<const net::Request>(to_net(std::move(request)));
  co_return co_await Callback<Result<client::ApiResponse>>(
      [this, wire, timeout](std::function<void(Result<client::ApiResponse>)> done) {
        const auto call = std::make_shared<ApiCall>(*this, ++calls_made_, wire, std::move(done));
        calls_.emplace(call->number(), call);
        call->begin(timeout);
      });
}

namespace {

class OpenStream final : public client::ApiStream {
 public:
  explicit OpenStream(const std::shared_ptr<ApiCall>& call) : call_(call) {}
  ~OpenStream() override {
    if (const auto call = call_.lock()) call->give_up();
  }

 private:
  const std::weak_ptr<ApiCall> call_;
};

}  // namespace

std::unique_ptr<client::ApiStream> SimApi::stream(client::ApiRequest request,
                                                  client::ApiStreamSink sink) {
  const Duration timeout = request.timeout;
  const auto wire = std::make_shared<const net::Request>(to_net(std::move(request)));
  const auto call = std::make_shared<ApiCall>(*this, ++calls_made_, wire, std::move(sink));
  calls_.emplace(call->number(), call);
  call->begin(timeout);
  return std::make_unique<OpenStream>(call);
}

}  // namespace coracle::cluster_sim
