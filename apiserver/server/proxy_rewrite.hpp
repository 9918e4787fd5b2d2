// ProxyRewrite: keeps a browser below the path a backend is proxied at: redirects, and links in
// HTML that begin at the backend's root or name its host. Pure.
//
//   Location: /login         ->  /api/v1/namespaces/a/services/web/proxy/login
//   <a href="/about?x=1">    ->  <a href="/api/v1/namespaces/a/services/web/proxy/about?x=1">
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net_streams/forward.hpp"

namespace coracle::apiserver {

struct ProxyRewrite {
  std::string prefix;        // ".../proxy", without a slash behind
  std::string backend_host;  // "127.0.0.1:80"
  std::string client_host;   // as the client named us

  // Of the backend's, or of the client's host, or without one: with the prefix before its path.
  // Others, relative ones, and those that have it already, as they are.
  std::string url(std::string_view url) const;
  // Changes Location; a filter for HTML bodies that are not compressed, else none.
  std::unique_ptr<net::BodyFilter> apply(net::Response& head) const;
};

// Rewrites the attributes of HTML tags that hold URLs. Holds back a tag until it is whole, up to
// kTagMax bytes.
class HtmlFilter final : public net::BodyFilter {
 public:
  static constexpr std::size_t kTagMax = 64 << 10;

  explicit HtmlFilter(ProxyRewrite rewrite) : rewrite_(std::move(rewrite)) {}
  std::string pass(std::string_view bytes, bool last) override;

 private:
  std::string tag(std::string_view text) const;

  const ProxyRewrite rewrite_;
  std::string held_;
};

}  // namespace coracle::apiserver
