// Credentials of a lab cluster: the CA, one certificate a daemon, the administrator's kubeconfig
// and token. Made once; files that are there stay as they are.
#pragma once

#include "base/status.hpp"
#include "lab/layout.hpp"

namespace coracle::lab {

// pki/ca.crt ca.key, apiserver.crt/.key, apiserver-kubelet-client, kubelet-sim-server (for the
// addresses of all nodes: made anew when their number grew), sa.key sa.pub, tokens.csv;
// metrics-server and metrics-server-server where there is one;
// front-proxy-ca and front-proxy-client, which the apiserver shows to
// aggregated API servers; store-ca, store-member and store-client if the store speaks TLS;
// DIR/kubeconfig, DIR/admin.token, and pki/NAME.kubeconfig for each daemon. Keys and tokens have
// mode 0600.
Status make_credentials(const Layout& layout, const ClusterShape& shape);

}  // namespace coracle::lab
