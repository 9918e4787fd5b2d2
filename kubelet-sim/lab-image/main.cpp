// lab-image: what runs inside the containers of a lab besides busybox, and what starts them. One
// static program of many names (as busybox is): in a container's root it stands under the name of
// the program that it plays. Knows nothing of Kubernetes.
#include <cstdio>
#include <cstring>

#include "images.hpp"
#include "starter.hpp"

namespace {

using namespace lab_image;

struct Program {
  const char* name;
  int (*run)(const Args& args);
};

constexpr Program kPrograms[] = {
    {"nginx", run_nginx},
    {"httpd", run_httpd},
    {"redis-server", run_redis_server},
    {"redis-cli", run_redis_cli},
    {"http-echo", run_http_echo},
    {"agnhost", run_agnhost},
    {"liveness", run_liveness},
    {"hello-app", run_hello_app},
    {"kubeserve", run_kubeserve},
    {"whoami", run_whoami},
    {"curl", run_curl},
    {"bash", run_bash},
    {"nslookup", run_nslookup},
    {"wget", run_wget},
    {"kubectl-proxy", run_kubectl_proxy},
    {"pause", run_pause},
    {"agnhost-2", run_agnhost},
    {"hpa-example", run_hpa_example},
};

const char* base_name(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

int run_as(const char* name, int argc, char** argv) {
  for (const Program& p : kPrograms) {
    if (std::strcmp(p.name, name) == 0) return p.run(Args(argv + 1, argv + argc));
  }
  return -1;
}

}  // namespace

int main(int argc, char** argv) {
  if (const int code = run_as(base_name(argv[0]), argc, argv); code >= 0) return code;
  if (argc >= 2) {
    if (std::strcmp(argv[1], "start") == 0) return start_container();
    if (std::strcmp(argv[1], "enter") == 0) return enter_container();
    if (std::strcmp(argv[1], "check") == 0) return check_namespaces();
    if (const int code = run_as(argv[1], argc - 1, argv + 1); code >= 0) return code;
  }
  std::fprintf(stderr, "lab-image: runs as one of:");
  for (const Program& p : kPrograms) std::fprintf(stderr, " %s", p.name);
  std::fprintf(stderr, "\n");
  return 2;
}
