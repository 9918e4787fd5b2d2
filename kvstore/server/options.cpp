#include "server/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/check.hpp"
#include "base/flags.hpp"
#include "base/strings.hpp"

namespace coracle::store {
namespace {

Urls urls_of(const std::string& flag, const std::string& text) {
  Urls urls = split(text, ',');
  if (urls.empty()) fail_startup(flag + ": at least one URL is needed");
  for (std::string& url : urls) {
    url = std::string(trim(url));
    if (const auto target = target_of(url); !target.ok()) {
      fail_startup(flag + ": " + target.status().message());
    }
  }
  return urls;
}

struct Texts {
  std::string listen_client = "http://localhost:2379";
  std::string advertise_client = "http://localhost:2379";
  std::string listen_peer = "http://localhost:2380";
  std::string advertise_peer = "http://localhost:2380";
  std::string initial_cluster, state = "new", log_level = "info", listen_metrics;
  std::int64_t heartbeat_ms = 100, election_ms = 1000;
  bool client_cert_auth = false, peer_cert_auth = false;
};

void register_tls(Flags* flags, const std::string& prefix, const std::string& who, TlsFiles* files,
                  bool* cert_auth) {
  flags->add(prefix + "cert-file", &files->cert, "certificate shown to " + who + ", PEM");
  flags->add(prefix + "key-file", &files->key, "its key, PEM");
  flags->add(prefix + "trusted-ca-file", &files->ca,
             "CA of the certificates that " + who + " must show, PEM");
  flags->add(prefix + "client-cert-auth", cert_auth,
             "demand certificates of " + who + " (a CA file does, too)");
}

void register_flags(Flags* flags, Options* options, Texts* texts) {
  flags->add("--name", &options->name, "this member's name");
  flags->add("--data-dir", &options->data_dir, "where log and state live (default NAME.etcd)");
  flags->add("--listen-client-urls", &texts->listen_client, "where clients are served");
  flags->add("--advertise-client-urls", &texts->advertise_client,
             "what the member list tells clients");
  flags->add("--listen-peer-urls", &texts->listen_peer, "where other members are heard");
  flags->add("--initial-advertise-peer-urls", &texts->advertise_peer,
             "where other members find this one");
  flags->add("--initial-cluster", &texts->initial_cluster,
             "NAME=URL,... of all members of a new cluster (default: this one alone)");
  flags->add("--initial-cluster-token", &options->cluster_token, "tells clusters apart");
  flags->add("--initial-cluster-state", &texts->state, "new, or existing to join one")
      .one_of({"new", "existing"});
  register_tls(flags, "--", "clients", &options->client_tls, &texts->client_cert_auth);
  register_tls(flags, "--peer-", "other members", &options->peer_tls, &texts->peer_cert_auth);
  flags->add("--heartbeat-interval", &texts->heartbeat_ms,
             "milliseconds between the leader's heartbeats");
  flags->add("--election-timeout", &texts->election_ms,
             "milliseconds without a leader after which an election starts");
  flags->add("--snapshot-count", &options->snapshot_count,
             "log entries kept in memory for members that fall behind");
  flags->add("--quota-backend-bytes", &options->quota_bytes,
             "size that raises the NOSPACE alarm; 0: 2 GiB");
  flags->add("--experimental-watch-progress-notify-interval", &options->progress_interval,
             "how often an idle watch that asked for it is told the revision");
  flags->add("--listen-metrics-urls", &texts->listen_metrics,
             "where /health, /metrics and /debug/raft are served over HTTP (default: nowhere)");
  flags->add("--teaching", &options->teaching,
             "unlocks POST /debug/raft/...: pause, step, cut, timing (never in earnest)");
  flags->add("--log-level", &texts->log_level, "debug, info, warn or error");
}

void check_numbers(const Options& options, const Texts& texts) {
  if (texts.heartbeat_ms < 1) fail_startup("--heartbeat-interval: must be at least 1 (ms)");
  if (texts.election_ms < 5 * texts.heartbeat_ms) {
    fail_startup(
        fmt::format("--election-timeout: {} ms must be at least five times "
                    "--heartbeat-interval ({} ms)",
                    texts.election_ms, texts.heartbeat_ms));
  }
  if (texts.election_ms > 50000) fail_startup("--election-timeout: must be at most 50000 (ms)");
  if (options.snapshot_count < 1) fail_startup("--snapshot-count: must be positive");
  if (options.progress_interval < std::chrono::milliseconds(100)) {
    fail_startup("--experimental-watch-progress-notify-interval: must be at least 100ms");
  }
  if (options.quota_bytes < 0) fail_startup("--quota-backend-bytes: must not be negative");
}

void check_cluster(Options* options, const Texts& texts) {
  if (options->name.empty()) fail_startup("--name: must not be empty");
  if (texts.initial_cluster.empty()) {
    options->initial_cluster = {{options->name, options->advertise_peer}};
    return;
  }
  auto cluster = parse_initial_cluster(texts.initial_cluster);
  if (!cluster.ok()) fail_startup("--initial-cluster: " + cluster.status().message());
  options->initial_cluster = *cluster;
  const auto self = options->initial_cluster.find(options->name);
  if (self == options->initial_cluster.end()) {
    fail_startup("--initial-cluster: does not name this member (--name " + options->name + ")");
  }
  Urls ours = options->advertise_peer, theirs = self->second;
  std::sort(ours.begin(), ours.end());
  std::sort(theirs.begin(), theirs.end());
  if (ours != theirs) {
    fail_startup(
        fmt::format("--initial-cluster: has {}={}, but --initial-advertise-peer-urls is {}",
                    options->name, join(theirs, ","), join(ours, ",")));
  }
}

// One of the two ports: what its files must be, and what is odd about them.
void check_tls(const std::string& prefix, const TlsFiles& files, bool cert_auth,
               const std::string& urls_flag, const Urls& listen, bool dials_tls) {
  const TlsFlagNames names = {prefix + "cert-file", prefix + "key-file",
                              prefix + "trusted-ca-file"};
  if (const Status s = check_tls_files(files, names); !s.ok()) fail_startup(s.message());
  const bool serves_tls = std::any_of(listen.begin(), listen.end(), is_tls);
  if (serves_tls && files.cert.empty()) {
    fail_startup(names.cert + ": is needed, because " + urls_flag + " has https://");
  }
  if (cert_auth && files.ca.empty()) {
    fail_startup(names.ca + ": is needed, because " + prefix + "client-cert-auth is given");
  }
  if (!serves_tls && !dials_tls && (!files.empty() || cert_auth)) {
    log::warn("{}: the TLS files are not used, because {} has no https://", names.cert, urls_flag);
  }
  for (const std::string& warning : tls_warnings(files, names, real_clock().wall_now())) {
    log::warn("{}", warning);
  }
  for (const std::string& url : listen) {
    if (!is_tls(url) && !is_loopback(url)) {
      log::warn(
          "{} {}: whoever reaches this address may read and write everything; https:// and "
          "{}client-cert-auth keep others out",
          urls_flag, url, prefix);
    } else if (is_tls(url) && files.ca.empty() && !is_loopback(url)) {
      log::warn("{} {}: clients are not asked for a certificate; {} keeps others out", urls_flag,
                url, names.ca);
    }
  }
}

void check_tls(const Options& options, const Texts& texts) {
  check_tls("--", options.client_tls, texts.client_cert_auth, "--listen-client-urls",
            options.listen_client, false);
  bool dials_tls = false;
  for (const auto& [name, urls] : options.initial_cluster) {
    dials_tls = dials_tls || std::any_of(urls.begin(), urls.end(), is_tls);
  }
  check_tls("--peer-", options.peer_tls, texts.peer_cert_auth, "--listen-peer-urls",
            options.listen_peer, dials_tls);
}

}  // namespace

bool is_tls(const std::string& url) { return url.starts_with("https://"); }

bool is_loopback(const std::string& url) {
  const auto target = target_of(url);
  if (!target.ok()) return false;
  return target->starts_with("localhost:") || target->starts_with("127.") ||
         target->starts_with("[::1]:");
}

Result<std::string> target_of(const std::string& url) {
  const size_t scheme = url.find("://");
  if (!url.starts_with("http://") && !is_tls(url)) {
    return invalid_argument("URL " + quoted(url) + ": the scheme must be http:// or https://");
  }
  std::string target = url.substr(scheme + 3);
  if (target.ends_with('/')) target.pop_back();
  const size_t colon = target.rfind(':');
  long long port = 0;
  if (colon == std::string::npos || colon == 0 || !parse_int(target.substr(colon + 1), &port) ||
      port < 1 || port > 65535) {
    return invalid_argument("URL " + quoted(url) +
                            ": must be http://HOST:PORT or https://HOST:PORT");
  }
  return target;
}

Result<std::map<std::string, Urls>> parse_initial_cluster(const std::string& text) {
  std::map<std::string, Urls> cluster;
  std::set<std::string> seen;
  for (const std::string& raw : split(text, ',')) {
    const std::string part(trim(raw));
    const size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0) {
      return invalid_argument(quoted(part) + " is not NAME=URL");
    }
    const std::string url = part.substr(equals + 1);
    RETURN_IF_ERROR(target_of(url).status());
    if (!seen.insert(url).second) return invalid_argument("URL " + quoted(url) + " is there twice");
    cluster[part.substr(0, equals)].push_back(url);
  }
  return cluster;
}

Options parse_options(int argc, char** argv) {
  Options options;
  Texts texts;
  Flags flags("kvstore", "A member of the replicated store; it speaks etcd's v3 API.",
              "kvstore --name m1 --data-dir ./m1");
  register_flags(&flags, &options, &texts);
  flags.parse(argc, argv);
  options.listen_client = urls_of("--listen-client-urls", texts.listen_client);
  options.advertise_client = urls_of("--advertise-client-urls", texts.advertise_client);
  options.listen_peer = urls_of("--listen-peer-urls", texts.listen_peer);
  options.advertise_peer = urls_of("--initial-advertise-peer-urls", texts.advertise_peer);
  if (!texts.listen_metrics.empty()) {
    options.listen_metrics = urls_of("--listen-metrics-urls", texts.listen_metrics);
    if (std::any_of(options.listen_metrics.begin(), options.listen_metrics.end(), is_tls)) {
      fail_startup("--listen-metrics-urls: only http:// is served there");
    }
  }
  check_numbers(options, texts);
  check_cluster(&options, texts);
  check_tls(options, texts);
  if (options.data_dir.empty()) options.data_dir = options.name + ".etcd";
  if (options.quota_bytes == 0) options.quota_bytes = std::int64_t(2) << 30;
  options.joins_existing = texts.state == "existing";
  options.heartbeat = std::chrono::milliseconds(texts.heartbeat_ms);
  options.election = std::chrono::milliseconds(texts.election_ms);
  if (!log::parse_level(texts.log_level, &options.log_level)) {
    fail_startup("--log-level: must be debug, info, warn or error");
  }
  return options;
}

}  // namespace coracle::store
