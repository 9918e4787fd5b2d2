#include <catch2/catch.hpp>

#include "network/ingress_table.hpp"

namespace coracle::network {
namespace {

client::ObjectPtr object(std::string_view text) {
  return std::make_shared<const json::value>(parse_json(text).value());
}

client::ObjectPtr a_class(const std::string& name, std::string_view controller) {
  return object(R"({"metadata":{"name":")" + name + R"("},"spec":{"controller":")" +
                std::string(controller) + R"("}})");
}

client::ObjectPtr ingress(const std::string& name, const std::string& spec,
                          const std::string& annotations = "{}",
                          const std::string& created = "2026-01-01T00:00:00Z") {
  return object(R"({"metadata":{"namespace":"default","name":")" + name +
                R"(","creationTimestamp":")" + created + R"(","annotations":)" + annotations +
                R"(},"spec":)" + spec + "}");
}

std::string path(const std::string& path, const std::string& type, const std::string& service) {
  return R"({"path":")" + path + R"(","pathType":")" + type +
         R"(","backend":{"service":{"name":")" + service + R"(","port":{"number":80}}}})";
}

std::string rule(const std::string& host, const std::string& paths) {
  return R"({"host":")" + host + R"(","http":{"paths":[)" + paths + "]}}";
}

Objects services() {
  return {object(R"({"metadata":{"name":"web","namespace":"default"},
                     "spec":{"ports":[{"name":"http","port":80}]}})")};
}

Objects slices() {
  return {object(R"({"metadata":{"name":"web-1","namespace":"default","labels":
    {"kubernetes.io/service-name":"web"}},"addressType":"IPv4",
    "ports":[{"name":"http","port":8080}],"endpoints":[{"addresses":["127.128.0.1"]}]})")};
}

IngressTable table(const Objects& ingresses) {
  return IngressTable::make(ingresses,
                            {a_class("lab", kIngressController), a_class("x", "other/x")},
                            services(), slices());
}

// Whose Service answers, and the path it sees; "-" for nobody.
std::string answer(const IngressTable& made, std::string_view host, std::string_view asked) {
  const auto hit = made.find(host, asked);
  return hit ? hit->route->backend.service + " " + hit->path : "-";
}

TEST_CASE("which Service answers") {
  const IngressTable made = table({
      ingress("a", R"({"ingressClassName":"lab","rules":[)" +
                       rule("shop.example.com", path("/", "Prefix", "web") + "," +
                                                    path("/cart", "Prefix", "cart") + "," +
                                                    path("/cart/pay", "Exact", "pay")) +
                       "," + rule("*.example.com", path("/", "Prefix", "wild")) + "," +
                       R"({"http":{"paths":[)" + path("/any", "ImplementationSpecific", "any") +
                       "]}}]}"),
      ingress("b", R"({"ingressClassName":"x","rules":[)" +
                       rule("other.org", path("/", "Prefix", "web")) + "]}"),
  });
  struct Case {
    const char *host, *path, *answer;
  };
  const auto c = GENERATE(values<Case>({
      {"shop.example.com", "/", "default/web:80 /"},
      {"SHOP.example.com:8080", "/x", "default/web:80 /x"},
      {"shop.example.com", "/cart", "default/cart:80 /cart"},
      {"shop.example.com", "/cart/1", "default/cart:80 /cart/1"},
      {"shop.example.com", "/cartoon", "default/web:80 /cartoon"},
      {"shop.example.com", "/cart/pay", "default/pay:80 /cart/pay"},
      {"shop.example.com", "/cart/pay/", "default/cart:80 /cart/pay/"},
      {"blog.example.com", "/any", "default/wild:80 /any"},
      {"a.b.example.com", "/any", "default/any:80 /any"},
      {"example.com", "/", "-"},
      {"127.0.0.1", "/any/thing", "default/any:80 /any/thing"},
      {"other.org", "/", "-"},
      {"", "/", "-"},
  }));
  CAPTURE(c.host, c.path);
  CHECK(answer(made, c.host, c.path) == c.answer);
  CHECK(made.served() == std::vector<std::string>{"default/a"});
}

TEST_CASE("a Service that is there, and one that is not") {
  const IngressTable made = table({ingress(
      "a", R"({"ingressClassName":"lab","rules":[)" +
               rule("a.org", path("/", "Prefix", "web") + "," + path("/no", "Prefix", "no")) +
               "]}")});
  CHECK(made.find("a.org", "/")->route->backend.endpoints ==
        std::vector<Endpoint>{{"127.128.0.1", 8080}});
  CHECK_FALSE(made.find("a.org", "/no")->route->backend.exists);
  CHECK(made.backends().size() == 2);
}

TEST_CASE("the oldest Ingress has a path that two want") {
  const auto rules = [](const std::string& service) {
    return R"({"ingressClassName":"lab","rules":[)" + rule("a.org", path("/", "Prefix", service)) +
           "]}";
  };
  const IngressTable made = table({ingress("a", rules("young"), "{}", "2026-02-01T00:00:00Z"),
                                   ingress("b", rules("old"), "{}", "2026-01-01T00:00:00Z")});
  CHECK(answer(made, "a.org", "/") == "default/old:80 /");
}

TEST_CASE("a default backend answers for its hosts and for no host") {
  const IngressTable made = table(
      {ingress("a", R"({"ingressClassName":"lab","defaultBackend":{"service":{"name":"web","port":
               {"name":"http"}}},"rules":[)" +
                        rule("a.org", path("/x", "Prefix", "x")) + "]}")});
  CHECK(answer(made, "a.org", "/x") == "default/x:80 /x");
  CHECK(answer(made, "a.org", "/y") == "default/web:http /y");
  CHECK(answer(made, "whatever", "/") == "default/web:http /");
}

TEST_CASE("paths are rewritten") {
  struct Case {
    const char *path, *target, *asked, *answer;
  };
  const auto c = GENERATE(values<Case>({
      {"/app", "/", "/app", "default/web:80 /"},
      {"/app", "/", "/app/deep", "default/web:80 /"},
      {"/app(/|$)(.*)", "/$2", "/app/users/1", "default/web:80 /users/1"},
      {"/app(/|$)(.*)", "/$2", "/app", "default/web:80 /"},
      {"/app(/|$)(.*)", "/$2", "/APP/x", "default/web:80 /x"},
      {"/app(/|$)(.*)", "/$2", "/apple", "-"},
      {"/(", "/", "/(", "-"},
  }));
  CAPTURE(c.path, c.asked);
  const IngressTable made = table({ingress(
      "a",
      R"({"ingressClassName":"lab","rules":[)" +
          rule("a.org", path(c.path, "ImplementationSpecific", "web")) + "]}",
      R"({"nginx.ingress.kubernetes.io/rewrite-target":")" + std::string(c.target) + R"("})")});
  CHECK(answer(made, "a.org", c.asked) == c.answer);
}

TEST_CASE("TLS: its hosts and secrets, and plain requests are sent to it") {
  const std::string spec = R"({"ingressClassName":"lab","tls":[{"secretName":"t"},
      {"hosts":["B.org"],"secretName":"u"},{"hosts":["c.org"]}],"rules":[)" +
                           rule("a.org", path("/", "Prefix", "web")) + "]}";
  const IngressTable made = table({ingress("a", spec)});
  REQUIRE(made.tls().size() == 2);
  CHECK(made.tls()[0].hosts == std::vector<std::string>{"a.org"});
  CHECK(made.tls()[0].secret == "default/t");
  CHECK(made.tls()[1].hosts == std::vector<std::string>{"b.org"});
  CHECK(made.find("a.org", "/")->route->to_https);
  const IngressTable open =
      table({ingress("a", spec, R"({"nginx.ingress.kubernetes.io/ssl-redirect":"false"})")});
  CHECK_FALSE(open.find("a.org", "/")->route->to_https);
}

}  // namespace
}  // namespace coracle::network
