#include "kubelet_driver/join.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "base/log.hpp"
#include "net/pki.hpp"

namespace coracle::kubelet {
namespace {

using client::NodeIdentity;
constexpr Duration kPatience = std::chrono::minutes(5);  // at the start; upstream waits for ever
constexpr Duration kHalfMax = std::chrono::minutes(1);
constexpr Duration kRetryFirst = std::chrono::seconds(5);
constexpr Duration kRetryMax = std::chrono::minutes(5);

Status write_text(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::trunc);
  out << text;
  return out.flush() ? Status() : Status(Code::kUnavailable, "cannot write " + file);
}

bool is_of(const NodeIdentity& identity, const std::string& node, WallTime now) {
  const auto info = net::inspect_certificate(identity.cert_pem);
  return info.ok() && info->common_name == "system:node:" + node && identity.not_after > now;
}

}  // namespace

struct Membership::Keeper : std::enable_shared_from_this<Keeper> {
  net::AsioExecutor& executor;
  client::HttpsApi& api;
  Rng rng;
  client::ClientConfig config;
  NodeIdentity identity;
  std::string file, node_name;
  Duration retry = kRetryFirst;

  Keeper(net::AsioExecutor& e, client::HttpsApi& a, Rng r) : executor(e), api(a), rng(r) {}

  void wait() {
    const double jitter = static_cast<double>(rng.below(1000)) / 1000.0;
    const WallTime now = executor.wall_now();
    // A very short life lies mostly in the past, for it is backdated: use half of what is left.
    const Duration half = std::max(Duration(0), identity.not_after - now) / 2;
    look_in(std::max(std::min(half, kHalfMax), client::renewal_of(identity, jitter) - now));
  }
  void look_in(Duration delay) {
    executor.after(delay, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->renew();
    });
  }
  void renew() {
    spawn<Result<NodeIdentity>>(
        client::request_identity(executor, config, node_name, kPatience),
        [self = shared_from_this()](const Result<NodeIdentity>& made) { self->take(made); });
  }
  void take(const Result<NodeIdentity>& made) {
    Status outcome = made.status();
    if (outcome.ok()) outcome = client::save_identity(file, *made);
    if (outcome.ok()) outcome = api.change_certificate(made->cert_pem, made->key_pem);
    if (!outcome.ok()) {
      log::warn("the node's certificate is not renewed: {}", outcome.message());
      look_in(retry);
      retry = std::min(retry * 2, kRetryMax);
      return;
    }
    identity = *made;
    config.cert_pem = identity.cert_pem;
    config.key_pem = identity.key_pem;
    retry = kRetryFirst;
    log::info("the node has a new certificate, good until {}", format_time(identity.not_after));
    wait();
  }
};

void add_join_flags(Flags& flags, JoinFlags* values) {
  flags.add("--join", &values->servers,
            "join the cluster of these apiservers as one node, with a certificate of its own");
  flags.add("--token", &values->token, "the bootstrap token to join with, ID.SECRET");
  flags.add("--ca-file", &values->ca_file, "CA of the cluster to join, PEM");
  flags.add("--ca-cert-hash", &values->ca_hashes,
            "or the hash of its CA's public key, sha256:HEX: then it is asked for");
  flags.add("--unsafe-skip-ca-verification", &values->skip_ca_check,
            "believe any CA that the token has signed for");
  flags.add("--rotate-server-certificates", &values->rotate_server,
            "ask the cluster for the server's certificate, which somebody must approve");
  flags.add("--node-name", &values->node_name, "the name to join under");
}

Membership Membership::join_or_die(net::AsioExecutor& executor, const JoinFlags& flags,
                                   const std::string& root_dir) {
  if (root_dir.empty()) fail_startup("--join needs --root-dir, where the node's identity is kept");
  const std::string pki = root_dir + "/pki";
  std::error_code failed;
  std::filesystem::create_directories(pki, failed);
  if (failed) fail_startup(fmt::format("--root-dir: {}: {}", pki, failed.message()));
  Membership self;
  self.node_name_ = flags.node_name;
  self.file_ = pki + "/kubelet-client-current.pem";
  self.config_.servers = flags.servers;
  const std::string ca_file = pki + "/ca.crt";
  if (!flags.ca_file.empty()) self.config_.ca_pem = read_flag_file("--ca-file", flags.ca_file);

  auto kept = client::load_identity(self.file_);
  const bool good = kept.ok() && is_of(*kept, flags.node_name, executor.wall_now());
  if (good && self.config_.ca_pem.empty() && std::filesystem::exists(ca_file)) {
    self.config_.ca_pem = read_flag_file("--root-dir", ca_file);
  }
  if (!good && flags.token.empty()) fail_startup("--join: there is no identity yet, give --token");
  if (self.config_.ca_pem.empty()) {
    if (flags.ca_hashes.empty() && !flags.skip_ca_check) {
      fail_startup("--join: how is the cluster known? Give --ca-file or --ca-cert-hash");
    }
    client::JoinOptions options;
    options.servers = flags.servers;
    options.token = flags.token;
    options.ca_cert_hashes = flags.ca_hashes;
    options.unsafe_skip_ca_verification = flags.skip_ca_check;
    const auto ca = net::block_on(executor, client::discover_ca(executor, options));
    if (!ca.ok()) fail_startup("--join: " + ca.status().message());
    self.config_.ca_pem = *ca;
  }
  if (const Status s = write_text(ca_file, self.config_.ca_pem); !s.ok()) fail_startup(s.message());
  if (!good) {
    client::ClientConfig by_token = self.config_;
    by_token.token = flags.token;
    kept = net::block_on(executor,
                         client::request_identity(executor, by_token, flags.node_name, kPatience));
    if (!kept.ok()) fail_startup("--join: " + kept.status().message());
    if (const Status s = client::save_identity(self.file_, *kept); !s.ok()) {
      fail_startup(s.message());
    }
    log::info("joined as {}", flags.node_name);
  }
  self.identity_ = *kept;
  self.config_.cert_pem = kept->cert_pem;
  self.config_.key_pem = kept->key_pem;
  return self;
}

void Membership::keep(net::AsioExecutor& executor, client::HttpsApi& api, Rng rng) {
  keeper_ = std::make_shared<Keeper>(executor, api, rng);
  keeper_->config = config_;
  keeper_->identity = identity_;
  keeper_->file = file_;
  keeper_->node_name = node_name_;
  keeper_->wait();
}

}  // namespace coracle::kubelet
