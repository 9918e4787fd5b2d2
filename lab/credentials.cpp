#include "lab/credentials.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/rng.hpp"
#include "lab/metrics_addon.hpp"
#include "lab/network.hpp"
#include "net/jwt.hpp"
#include "net/pki.hpp"

namespace coracle::lab {
namespace {

constexpr int kCaDays = 3650;
constexpr int kCertDays = 3650;  // a lab directory is reused next term

class Maker {
 public:
  Maker(const Layout& layout, const ClusterShape& shape)
      : layout_(layout), shape_(shape), now_(real_clock().wall_now()) {}

  Status run() {
    RETURN_IF_ERROR(load_or_make_ca());
    RETURN_IF_ERROR(serving());
    RETURN_IF_ERROR(service_account_key());
    RETURN_IF_ERROR(encryption_key());
    RETURN_IF_ERROR(client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", {}));
    RETURN_IF_ERROR(front_proxy());
    RETURN_IF_ERROR(admin());
    if (shape_.store_tls) RETURN_IF_ERROR(store());
    // kubelet-sim is many nodes in one process: one identity that is none of them
    // (docs/api/access.md).
    for (const auto& [name, user] :
         {std::pair{"scheduler", "system:kube-scheduler"},
          std::pair{"controller-manager", "system:kube-controller-manager"},
          std::pair{"kubelet-sim", "system:kubelet-sim"}}) {
      RETURN_IF_ERROR(client(name, user, {}));
      RETURN_IF_ERROR(kubeconfig(name, user, layout_.pki(std::string(name) + ".kubeconfig")));
    }
    if (shape_.metrics_server_port != 0) RETURN_IF_ERROR(metrics_server());
    return {};
  }

 private:
  // A client of the apiserver and the kubelets, and a server to the apiserver.
  Status metrics_server() {
    RETURN_IF_ERROR(client("metrics-server", kMetricsUser, {}));
    RETURN_IF_ERROR(
        kubeconfig("metrics-server", kMetricsUser, layout_.pki("metrics-server.kubeconfig")));
    if (there(layout_.pki("metrics-server-server.key"))) return {};
    net::CertRequest request;
    request.common_name = "metrics-server";
    request.dns_names = metrics_server_names();
    request.server = true;
    ASSIGN_OR_RETURN(const auto pair,
                     net::issue(ca_, request, net::Validity::days(now_, kCertDays)));
    return save_pair("metrics-server-server", pair);
  }

  bool there(const std::string& file) const { return std::filesystem::exists(file); }

  Status load_or_make_ca() {
    ASSIGN_OR_RETURN(ca_, load_or_make_ca("ca", "coracle-ca"));
    return {};
  }

  Result<net::KeyPair> load_or_make_ca(const std::string& name, const std::string& common_name) {
    net::KeyPair ca;
    if (there(layout_.pki(name + ".key"))) {
      ASSIGN_OR_RETURN(ca.cert_pem, read_file(layout_.pki(name + ".crt")));
      ASSIGN_OR_RETURN(ca.key_pem, read_file(layout_.pki(name + ".key")));
      RETURN_IF_ERROR(net::check_key_pair(ca).with_context(layout_.pki(name + ".crt")));
      return ca;
    }
    ASSIGN_OR_RETURN(ca, net::make_ca(common_name, net::Validity::days(now_, kCaDays)));
    RETURN_IF_ERROR(save_pair(name, ca));
    return ca;
  }

  // A CA of its own: whoever has a certificate of the cluster's must not reach the store by it.
  Status store() {
    ASSIGN_OR_RETURN(const net::KeyPair ca, load_or_make_ca("store-ca", "coracle-store-ca"));
    for (const std::string name : {"store-member", "store-client"}) {
      if (there(layout_.pki(name + ".key"))) continue;
      net::CertRequest request;
      request.common_name = name;
      request.client = true;
      request.server = name == "store-member";  // to its peers it is both
      if (request.server) {
        request.dns_names = {"localhost"};
        request.ip_addresses = {"127.0.0.1"};
      }
      ASSIGN_OR_RETURN(const auto pair,
                       net::issue(ca, request, net::Validity::days(now_, kCertDays)));
      RETURN_IF_ERROR(save_pair(name, pair));
    }
    return {};
  }

  // Of a CA of its own too: whoever has a certificate of the cluster's must not be believed when it
  // says who asks.
  Status front_proxy() {
    ASSIGN_OR_RETURN(const net::KeyPair ca,
                     load_or_make_ca("front-proxy-ca", "coracle-front-proxy-ca"));
    if (there(layout_.pki("front-proxy-client.key"))) return {};
    net::CertRequest request;
    request.common_name = "front-proxy-client";
    request.client = true;
    ASSIGN_OR_RETURN(const auto pair,
                     net::issue(ca, request, net::Validity::days(now_, kCertDays)));
    return save_pair("front-proxy-client", pair);
  }

  Status save_pair(const std::string& name, const net::KeyPair& pair) {
    RETURN_IF_ERROR(write_file(layout_.pki(name + ".crt"), pair.cert_pem));
    return net::write_private_file(layout_.pki(name + ".key"), pair.key_pem);
  }

  Status serving() {
    if (!there(layout_.pki("apiserver.key"))) {
      net::CertRequest request;
      request.common_name = "kube-apiserver";
      request.dns_names = {"localhost", "kubernetes", "kubernetes.default",
                           "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"};
      request.ip_addresses = {"127.0.0.1", network_ranges(shape_.network_slot).first_service};
      request.server = true;
      ASSIGN_OR_RETURN(const auto pair,
                       net::issue(ca_, request, net::Validity::days(now_, kCertDays)));
      RETURN_IF_ERROR(save_pair("apiserver", pair));
    }
    if (there(layout_.pki("kubelet-sim-server.key"))) {
      ASSIGN_OR_RETURN(const std::string pem, read_file(layout_.pki("kubelet-sim-server.crt")));
      ASSIGN_OR_RETURN(const auto info, net::inspect_certificate(pem));
      if (static_cast<int>(info.ip_addresses.size()) >= shape_.nodes) return {};
    }
    net::CertRequest request;
    request.common_name = "kubelet-sim";
    request.organizations = {"system:nodes"};
    for (int i = 1; i <= shape_.nodes; ++i) request.ip_addresses.push_back(node_address(i));
    request.server = true;
    ASSIGN_OR_RETURN(const auto pair,
                     net::issue(ca_, request, net::Validity::days(now_, kCertDays)));
    return save_pair("kubelet-sim-server", pair);
  }

  Status service_account_key() {
    if (there(layout_.pki("sa.key"))) return {};
    ASSIGN_OR_RETURN(const std::string pem, net::make_rsa_key());
    ASSIGN_OR_RETURN(const net::JwtKey key, net::JwtKey::from_pem(pem));
    RETURN_IF_ERROR(write_file(layout_.pki("sa.pub"), key.public_pem()));
    return net::write_private_file(layout_.pki("sa.key"), pem);
  }

  // Secrets are encrypted in the store. In a directory of a time when they were not, those that are
  // there stay readable and are encrypted when they are written next.
  Status encryption_key() {
    if (there(layout_.pki("encryption.yaml"))) return {};
    return net::write_private_file(
        layout_.pki("encryption.yaml"),
        fmt::format("apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n"
                    "resources:\n- resources: [secrets]\n  providers:\n"
                    "  - aesgcm:\n      keys:\n      - name: key1\n        secret: {}\n"
                    "  - identity: {{}}\n",
                    base64_encode(secure_random_bytes(32))));
  }

  // Made anew when the directory is of a time when the daemon had another name.
  Result<bool> is_of(const std::string& name, const std::string& user,
                     const std::vector<std::string>& groups) const {
    if (!there(layout_.pki(name + ".key"))) return false;
    ASSIGN_OR_RETURN(const std::string pem, read_file(layout_.pki(name + ".crt")));
    ASSIGN_OR_RETURN(const auto info, net::inspect_certificate(pem));
    return info.common_name == user && info.organizations == groups;
  }

  Status client(const std::string& name, const std::string& user,
                const std::vector<std::string>& groups) {
    ASSIGN_OR_RETURN(const bool good, is_of(name, user, groups));
    if (good) return {};
    net::CertRequest request;
    request.common_name = user;
    request.organizations = groups;
    request.client = true;
    ASSIGN_OR_RETURN(const auto pair,
                     net::issue(ca_, request, net::Validity::days(now_, kCertDays)));
    return save_pair(name, pair);
  }

  Status admin() {
    RETURN_IF_ERROR(client("admin", "admin", {"system:masters"}));
    if (!there(layout_.path("admin.token"))) {
      const std::string token = hex_encode(secure_random_bytes(24));
      RETURN_IF_ERROR(net::write_private_file(
          layout_.pki("tokens.csv"), fmt::format("{},admin,admin,\"system:masters\"\n", token)));
      RETURN_IF_ERROR(net::write_private_file(layout_.path("admin.token"), token + "\n"));
    }
    return kubeconfig("admin", "admin", layout_.path("kubeconfig"));
  }

  // Written each time: the port of the first apiserver is in it.
  Status kubeconfig(const std::string& pair, const std::string& user, const std::string& file) {
    ASSIGN_OR_RETURN(const std::string cert, read_file(layout_.pki(pair + ".crt")));
    ASSIGN_OR_RETURN(const std::string key, read_file(layout_.pki(pair + ".key")));
    const std::string text = fmt::format(
        "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n"
        "    certificate-authority-data: {}\n    server: https://127.0.0.1:{}\n  name: coracle\n"
        "contexts:\n- context:\n    cluster: coracle\n    user: {}\n  name: coracle\n"
        "current-context: coracle\nusers:\n- name: {}\n  user:\n"
        "    client-certificate-data: {}\n    client-key-data: {}\n",
        base64_encode(ca_.cert_pem), shape_.apiserver_ports.front(), user, user,
        base64_encode(cert), base64_encode(key));
    return net::write_private_file(file, text);
  }

  const Layout& layout_;
  const ClusterShape& shape_;
  WallTime now_;
  net::KeyPair ca_;
};

}  // namespace

Status make_credentials(const Layout& layout, const ClusterShape& shape) {
  return Maker(layout, shape).run();
}

}  // namespace coracle::lab
