#include "client_https/node_bootstrap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "client/https_api.hpp"
#include "client/resource.hpp"
#include "net/csr.hpp"
#include "net/jwt.hpp"

namespace coracle::client {
namespace {

const Gvr kRequests{"certificates.k8s.io", "v1", "certificatesigningrequests", false};
constexpr char kClusterInfo[] = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
constexpr Duration kLook = std::chrono::milliseconds(250);
constexpr Duration kDiscovery = std::chrono::seconds(30);  // the signer may be about to sign

struct Wish {
  net::CertRequest subject;
  const char *signer, *usage;
};

json::value request_object(const std::string& csr_pem, const Wish& wish) {
  json::value object =
      json::object{{"apiVersion", "certificates.k8s.io/v1"}, {"kind", "CertificateSigningRequest"}};
  set_path(object, "metadata.generateName", json::value("csr-"));
  json::object& spec = make_object(object, "spec");
  spec["request"] = base64_encode(csr_pem);
  spec["signerName"] = wish.signer;
  json::array& usages = spec["usages"].emplace_array();
  for (const char* usage : {"digital signature", wish.usage}) usages.emplace_back(usage);
  return object;
}

Status verdict_against(const json::value& request) {
  for (const json::value& condition : get_array(request, "status.conditions")) {
    const auto type = get_string(condition, "type");
    if (type == "Denied" || type == "Failed") {
      return {
          Code::kPermissionDenied,
          fmt::format("certificate signing request {} {}: {}", get_string(request, "metadata.name"),
                      to_lower(type), get_string(condition, "message"))};
    }
  }
  return {};
}

Result<NodeIdentity> identity_of(std::string cert_pem, std::string key_pem) {
  NodeIdentity identity;
  RETURN_IF_ERROR(net::check_key_pair({cert_pem, key_pem}));
  ASSIGN_OR_RETURN(const auto info, net::inspect_certificate(cert_pem));
  identity.not_before = info.not_before;
  identity.not_after = info.not_after;
  identity.cert_pem = std::move(cert_pem);
  identity.key_pem = std::move(key_pem);
  return identity;
}

Status from_api(const ApiError& error, const std::string& what) {
  return {error.code, what + ": " + error.message};
}

}  // namespace

Result<std::string> ca_of_cluster_info(const json::value& config_map, const JoinOptions& options) {
  const size_t dot = options.token.find('.');
  if (dot == std::string::npos) return invalid_argument("the token is not of the form ID.SECRET");
  const std::string id = options.token.substr(0, dot), secret = options.token.substr(dot + 1);
  const std::string text(get_string(config_map, "data.kubeconfig"));
  if (text.empty()) return not_found("kube-public/cluster-info holds no kubeconfig");
  const json::value* held = find_member(get_object(config_map, "data"), "jws-kubeconfig-" + id);
  if (held == nullptr || !held->is_string()) {
    return not_found(
        fmt::format("cluster-info is not signed by token \"{}\": it is no token of "
                    "this cluster, or has expired",
                    id));
  }
  const std::string signature(held->get_string());
  const size_t gap = signature.find("..");
  const std::string head = signature.substr(0, gap);
  const std::string good =
      head + ".." + base64url_encode(net::hmac_sha256(secret, head + "." + base64url_encode(text)));
  if (gap == std::string::npos || !net::constant_time_equal(good, signature)) {
    return Status(Code::kPermissionDenied,
                  "the signature of cluster-info is not by this token: another cluster answers");
  }
  ASSIGN_OR_RETURN(const Kubeconfig file, Kubeconfig::parse(text));
  const auto names = file.names("clusters");
  const json::object* cluster = names.empty() ? nullptr : file.entry("clusters", names.front());
  const json::value* data =
      cluster == nullptr ? nullptr : find_member(*cluster, "certificate-authority-data");
  if (data == nullptr || !data->is_string()) return not_found("cluster-info names no CA");
  ASSIGN_OR_RETURN(const std::string ca, base64_decode(data->get_string()));
  if (options.unsafe_skip_ca_verification) return ca;
  ASSIGN_OR_RETURN(const std::string hash, net::public_key_sha256(ca));
  const auto& pins = options.ca_cert_hashes;
  if (std::find(pins.begin(), pins.end(), "sha256:" + hash) == pins.end()) {
    return Status(Code::kPermissionDenied,
                  "the cluster's CA is none of the given hashes: its key is sha256:" + hash);
  }
  return ca;
}

Task<Result<std::string>> discover_ca(net::AsioExecutor& executor, JoinOptions options) {
  ClientConfig anybody;
  anybody.servers = options.servers;
  anybody.insecure_skip_tls_verify = true;  // nothing is believed before it is checked
  auto api = make_https_api(executor, {anybody, "kubelet-join"});
  if (!api.ok()) co_return api.status();
  const TimePoint end = executor.now() + kDiscovery;
  while (true) {
    ApiRequest request;
    request.method = "GET";
    request.target = kClusterInfo;
    const auto answer = co_await call_json(api->get(), std::move(request));
    Status why;
    if (answer.ok()) {
      auto ca = ca_of_cluster_info(answer.value(), options);
      if (ca.ok() || ca.status().code() != Code::kNotFound) co_return ca;
      why = ca.status();
    } else {
      why = from_api(answer.error(), "reading kube-public/cluster-info");
    }
    if (executor.now() >= end) co_return why;
    co_await sleep_on(executor, kLook);
  }
}

namespace {

net::CertRequest subject_of(const std::string& node_name) {
  net::CertRequest subject;
  subject.common_name = "system:node:" + node_name;
  subject.organizations = {"system:nodes"};
  return subject;
}

Task<Result<NodeIdentity>> request_certificate(net::AsioExecutor& executor, ClientConfig config,
                                               Wish wish, Duration patience) {
  auto api = make_https_api(executor, {std::move(config), "kubelet"});
  if (!api.ok()) co_return api.status();
  const auto made = net::make_csr(wish.subject);
  if (!made.ok()) co_return made.status();
  const ResourceClient requests(**api, kRequests);
  const auto created = co_await requests.create("", request_object(made->csr_pem, wish));
  if (!created.ok()) co_return from_api(created.error(), "asking for a certificate");
  const std::string name(get_string(created.value(), "metadata.name"));
  const TimePoint end = executor.now() + patience;
  while (true) {
    const auto seen = co_await requests.get("", name);
    if (seen.ok()) {
      const Status against = verdict_against(seen.value());
      if (!against.ok()) co_return against;
      const auto cert = base64_decode(get_string(seen.value(), "status.certificate"));
      if (cert.ok() && !cert->empty()) co_return identity_of(*cert, made->key_pem);
    } else if (!seen.error().is_retryable()) {
      co_return from_api(seen.error(), "waiting for certificate signing request " + name);
    }
    if (executor.now() >= end) {
      co_return Status(Code::kDeadlineExceeded,
                       "nobody has signed certificate signing request " + name + " yet");
    }
    co_await sleep_on(executor, kLook);
  }
}

}  // namespace

Task<Result<NodeIdentity>> request_identity(net::AsioExecutor& executor, ClientConfig config,
                                            std::string node_name, Duration patience) {
  co_return co_await request_certificate(
      executor, std::move(config),
      {subject_of(node_name), "kubernetes.io/kube-apiserver-client-kubelet", "client auth"},
      patience);
}

Task<Result<NodeIdentity>> request_serving_identity(net::AsioExecutor& executor,
                                                    ClientConfig config, std::string node_name,
                                                    std::string address, Duration patience) {
  net::CertRequest subject = subject_of(node_name);
  subject.dns_names = {node_name};
  subject.ip_addresses = {address};
  co_return co_await request_certificate(executor, std::move(config),
                                         {subject, "kubernetes.io/kubelet-serving", "server auth"},
                                         patience);
}

Result<NodeIdentity> load_identity(const std::string& file) {
  std::ifstream in(file);
  if (!in) return not_found(file);
  std::stringstream text;
  text << in.rdbuf();
  return identity_of(text.str(), text.str());
}

Status save_identity(const std::string& file, const NodeIdentity& identity) {
  return net::write_private_file(file, identity.cert_pem + identity.key_pem);
}

WallTime renewal_of(const NodeIdentity& identity, double jitter) {
  const auto permille = 700 + static_cast<std::int64_t>(200 * std::clamp(jitter, 0.0, 1.0));
  return identity.not_before + (identity.not_after - identity.not_before) / 1000 * permille;
}

}  // namespace coracle::client
