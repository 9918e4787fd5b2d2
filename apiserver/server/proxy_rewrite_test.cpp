#include "apiserver/server/proxy_rewrite.hpp"

#include <catch2/catch.hpp>

namespace coracle::apiserver {
namespace {

const ProxyRewrite kRewrite{"/api/v1/namespaces/a/services/web/proxy", "127.128.0.1:80",
                            "lab:6443"};
const std::string kPrefix = kRewrite.prefix;

TEST_CASE("URLs of a backend stay below its proxy's path") {
  struct Row {
    std::string given, want;
  };
  for (const Row& row :
       {Row{"/login", kPrefix + "/login"}, Row{"/", kPrefix + "/"},
        Row{"/a?next=/b#c", kPrefix + "/a?next=/b#c"},
        Row{"http://127.128.0.1:80/x", kPrefix + "/x"}, Row{"//127.128.0.1:80/x", kPrefix + "/x"},
        Row{"https://lab:6443/x", "https://lab:6443" + kPrefix + "/x"},
        Row{"https://example.com/x", "https://example.com/x"}, Row{"other/page", "other/page"},
        Row{"#top", "#top"}, Row{"", ""}, Row{"mailto:x@y", "mailto:x@y"},
        Row{kPrefix + "/x", kPrefix + "/x"}}) {
    CAPTURE(row.given);
    CHECK(kRewrite.url(row.given) == row.want);
  }
}

TEST_CASE("links in HTML are rewritten however the page is cut") {
  const std::string page =
      "<!doctype html><head><link rel=stylesheet href=/style.css></head>\n"
      "<a class=\"x\" href=\"/about?x=1>2\">go</a> a < b <img src='/i.png'/>\n"
      "<!-- <a href=\"/no\"> --><form ACTION=\"/post\" method=post><a title=\"/t\" href=\"rel\">";
  const std::string want = "<!doctype html><head><link rel=stylesheet href=" + kPrefix +
                           "/style.css></head>\n"
                           "<a class=\"x\" href=\"" +
                           kPrefix + "/about?x=1>2\">go</a> a < b <img src='" + kPrefix +
                           "/i.png'/>\n<!-- <a href=\"/no\"> --><form ACTION=\"" + kPrefix +
                           "/post\" method=post><a title=\"/t\" href=\"rel\">";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, page.size()}) {
    CAPTURE(piece);
    HtmlFilter filter(kRewrite);
    std::string out;
    for (std::size_t at = 0; at < page.size(); at += piece) {
      out += filter.pass(std::string_view(page).substr(at, piece), false);
    }
    out += filter.pass("", true);
    CHECK(out == want);
  }
}

TEST_CASE("what never ends is passed on") {
  HtmlFilter filter(kRewrite);
  const std::string text = "<a " + std::string(HtmlFilter::kTagMax * 2, 'x');
  CHECK(filter.pass(text, false) == text);
  CHECK(filter.pass("<b", false).empty());
  CHECK(filter.pass("", true) == "<b");
}

TEST_CASE("which answers are changed") {
  net::Response moved = net::make_response(302, "", "text/html");
  moved.headers.add("Location", "/x");
  CHECK(kRewrite.apply(moved) == nullptr);
  CHECK(moved.headers.get("Location") == kPrefix + "/x");
  net::Response html = net::make_response(200, "", "text/html; charset=utf-8");
  CHECK(kRewrite.apply(html) != nullptr);
  net::Response packed = html;
  packed.headers.add("Content-Encoding", "gzip");
  CHECK(kRewrite.apply(packed) == nullptr);
  net::Response json = net::make_response(200, "", "application/json");
  CHECK(kRewrite.apply(json) == nullptr);
}

}  // namespace
}  // namespace coracle::apiserver
