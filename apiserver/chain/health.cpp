#include "apiserver/chain/health.hpp"

#include <algorithm>

namespace coracle::apiserver {

namespace {

constexpr std::string_view kPages[] = {"healthz", "livez", "readyz"};

// Behind the page's name: "etcd" of "/readyz/etcd".
std::string_view below(std::string_view path) {
  const std::size_t slash = path.find('/', 1);
  return slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
}

net::Response text_response(int status, std::string text) {
  net::Response response = net::make_response(status, std::move(text), "text/plain; charset=utf-8");
  response.headers.add("Cache-Control", "no-cache, private");
  response.headers.add("X-Content-Type-Options", "nosniff");
  return response;
}

net::Response one(const HealthCheck& check) {
  if (check.fault.empty()) return text_response(200, "ok");
  return text_response(500, "internal server error: " + check.fault + "\n");
}

}  // namespace

bool is_health_path(std::string_view path) {
  if (!path.starts_with('/')) return false;
  const std::string page = health_page(path);
  return std::find(std::begin(kPages), std::end(kPages), page) != std::end(kPages);
}

std::string health_page(std::string_view path) {
  path.remove_prefix(1);
  return std::string(path.substr(0, path.find('/')));
}

bool needs_check(const net::Request& request, std::string_view path, std::string_view name) {
  if (const std::string_view only = below(path); !only.empty()) return only == name;
  const std::vector<std::string> left_out = request.query.all("exclude");
  return std::find(left_out.begin(), left_out.end(), name) == left_out.end();
}

std::optional<net::Response> health_response(const net::Request& request, std::string_view path,
                                             const std::vector<HealthCheck>& checks) {
  if (const std::string_view name = below(path); !name.empty()) {
    for (const HealthCheck& check : checks) {
      if (check.name == name) return one(check);
    }
    return std::nullopt;
  }
  std::vector<std::string> left_out = request.query.all("exclude");
  std::string lines;
  bool good = true;
  for (const HealthCheck& check : checks) {
    const auto out = std::find(left_out.begin(), left_out.end(), check.name);
    if (out != left_out.end()) {
      left_out.erase(out);
      lines += "[+]" + check.name + " excluded: ok\n";
    } else if (check.fault.empty()) {
      lines += "[+]" + check.name + " ok\n";
    } else {
      good = false;
      // Why is for the log and for those who may read the page of the check.
      lines += "[-]" + check.name + " failed: reason withheld\n";
    }
  }
  if (!left_out.empty()) {
    lines += "warn: some health checks cannot be excluded: no matches for ";
    for (std::size_t i = 0; i < left_out.size(); ++i) {
      lines += (i == 0 ? "\"" : ",\"") + left_out[i] + "\"";
    }
    lines += "\n";
  }
  const std::string page = health_page(path);
  if (!good) return text_response(500, lines + page + " check failed\n");
  if (!request.query.has("verbose")) return text_response(200, "ok");
  return text_response(200, lines + page + " check passed\n");
}

}  // namespace coracle::apiserver
