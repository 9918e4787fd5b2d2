// kubectl proxy as a container beside others has it: the API on localhost:8001, with the rights of
// the pod's service account.
#include <cstdio>
#include <cstdlib>

#include "fetch.hpp"
#include "images.hpp"

namespace lab_image {
namespace {

constexpr const char* kAccount = "/var/run/secrets/kubernetes.io/serviceaccount/";

HttpResponse ask_api(const HttpRequest& request) {
  std::string token;
  read_text(std::string(kAccount) + "token", &token);  // anew each time: it is renewed
  Fetch fetch;
  fetch.url = "https://" + env_or("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc") + ":" +
              env_or("KUBERNETES_SERVICE_PORT", "443") + request.target;
  fetch.method = request.method;
  fetch.body = request.body;
  fetch.ca_file = std::string(kAccount) + "ca.crt";
  if (!token.empty()) fetch.headers.emplace_back("Authorization", "Bearer " + token);
  for (const char* const name : {"accept", "content-type"}) {
    const auto found = request.headers.find(name);
    if (found != request.headers.end()) fetch.headers.emplace_back(name, found->second);
  }
  const FetchResult got = fetch_url(fetch);
  if (!got.error.empty()) return {502, {{"Content-Type", "text/plain"}}, got.error + "\n"};
  HttpResponse out{got.status, {}, got.body};
  for (const auto& [name, value] : got.headers) {
    if (name == "content-type") out.headers.emplace_back("Content-Type", value);
  }
  return out;
}

}  // namespace

int run_kubectl_proxy(const Args& args) {
  const int port = std::atoi(flag_value(args, "port", "8001").c_str());
  std::printf("Starting to serve on 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  return serve_http({"", {port}, ask_api});
}

}  // namespace lab_image
