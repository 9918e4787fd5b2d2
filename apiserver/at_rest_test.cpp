// Values of the resources an EncryptionConfiguration names are sealed in the store.
#include <catch2/catch.hpp>

#include "apiserver/at_rest/sealed_store.hpp"
#include "apiserver/testing/api_world.hpp"
#include "base/encoding.hpp"

namespace coracle::apiserver {
namespace {

const std::string kOld = base64_encode(std::string(32, 'o'));
const std::string kNew = base64_encode(std::string(32, 'n'));
constexpr const char* kSecrets = "/api/v1/namespaces/a/secrets";

std::string config_text(const std::string& resources, const std::string& providers) {
  return "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n"
         "- resources: [" +
         resources + "]\n  providers: [" + providers + "]\n";
}

std::string aes(const std::string& mode, const std::string& name, const std::string& secret) {
  return "{" + mode + ": {keys: [{name: " + name + ", secret: \"" + secret + "\"}]}}";
}

EncryptionConfig config(const std::string& resources, const std::string& providers) {
  auto parsed = EncryptionConfig::parse(config_text(resources, providers));
  CAPTURE(parsed.status().message());
  REQUIRE(parsed.ok());
  return *std::move(parsed);
}

// A server whose store is sealed, and the bytes that are really there.
struct SealedWorld {
  ApiWorld w;
  std::unique_ptr<SealedStore> sealed;
  std::uint64_t drawn = 0;

  void use(const std::string& resources, const std::string& providers) {
    auto next = std::make_unique<SealedStore>(
        w.store, config(resources, providers), api::Catalog::builtin(),
        [this](std::size_t count) { return sha256(std::to_string(++drawn)).substr(0, count); });
    w.front = next.get();
    w.restart();
    sealed = std::move(next);
  }
  std::string stored(const std::string& key) {
    std::optional<std::string> found;
    client::RangeRequest look;
    look.key = key;
    spawn(w.store.range(look),
          std::function<void(Result<client::RangeResult>)>([&](Result<client::RangeResult> r) {
            found = r->kvs.empty() ? "" : r->kvs[0].value;
          }));
    CHECK(w.executor.run_until([&] { return found.has_value(); }));
    return *found;
  }
  std::string secret(const std::string& name) { return stored("/registry/secrets/a/" + name); }
  void make(const std::string& name) {
    CHECK(w.call("POST", kSecrets, R"({"metadata":{"name":")" + name + R"("},"data":{"k":"dg=="}})")
              ->status == 201);
  }
  std::string at(const std::string& name) { return std::string(kSecrets) + "/" + name; }
};

TEST_CASE("a secret is sealed in the store and plain for clients") {
  SealedWorld s;
  s.use("secrets", aes("aesgcm", "key1", kOld));
  auto watch = s.w.begin(s.w.request("GET", std::string(kSecrets) + "?watch=true"));
  s.w.settle();
  s.make("x");
  const std::string stored = s.secret("x");
  CHECK(stored.starts_with("k8s:enc:aesgcm:v1:key1:"));
  CHECK(stored.find("dg==") == std::string::npos);
  CHECK(get_string(s.w.get(s.at("x")), "data.k") == "dg==");
  CHECK(get_array(s.w.get(kSecrets), "items").size() == 1);
  s.w.settle();
  REQUIRE(watch->events().size() == 1);
  CHECK(get_string(watch->events()[0], "object.data.k") == "dg==");
  CHECK(s.stored("/registry/namespaces/a").starts_with("{"));
  const auto patched = s.w.patch("merge-patch+json", s.at("x"), R"({"data":{"k":"ZQ=="}})");
  CHECK(patched->status == 200);
  CHECK(s.secret("x").starts_with("k8s:enc:aesgcm:v1:key1:"));
  CHECK(s.secret("x") != stored);
  CHECK(s.w.call("DELETE", s.at("x"))->status == 200);
  CHECK(s.secret("x").empty());
}

TEST_CASE("a write that changes nothing seals with the new key") {
  SealedWorld s;
  s.make("plain");
  s.use("secrets", aes("aesgcm", "old", kOld) + ", {identity: {}}");
  s.make("x");
  CHECK(s.secret("plain").starts_with("{"));
  s.use("secrets",
        aes("aesgcm", "new", kNew) + "," + aes("aesgcm", "old", kOld) + ", {identity: {}}");
  CHECK(get_array(s.w.get(kSecrets), "items").size() == 2);
  for (const std::string name : {"plain", "x"}) {
    const json::value before = s.w.get(s.at(name));
    const auto put = s.w.call("PUT", s.at(name), to_json(before));
    CHECK(put->status == 200);
    CHECK(s.secret(name).starts_with("k8s:enc:aesgcm:v1:new:"));
    CHECK(get_string(s.w.tree(put), "metadata.resourceVersion") !=
          get_string(before, "metadata.resourceVersion"));
    // Once more: now it is as it should be, and nothing is written.
    const json::value after = s.w.get(s.at(name));
    CHECK(s.w.tree(s.w.call("PUT", s.at(name), to_json(after))) == after);
  }
  s.use("secrets", aes("aesgcm", "new", kNew));
  CHECK(get_array(s.w.get(kSecrets), "items").size() == 2);
  // Back to plain text: identity writes, the key still reads.
  s.use("secrets", "{identity: {}}," + aes("aesgcm", "new", kNew));
  CHECK(s.w.call("PUT", s.at("x"), to_json(s.w.get(s.at("x"))))->status == 200);
  CHECK(s.secret("x").starts_with("{"));
}

TEST_CASE("what cannot be read is an error, and hides nothing else") {
  SealedWorld s;
  s.use("secrets", aes("aesgcm", "old", kOld));
  s.make("x");
  s.use("secrets", aes("aesgcm", "new", kNew));
  const std::string why =
      "Internal error occurred: unable to transform key \"/registry/secrets/a/x\": no matching key "
      "was found for the provided AES transformer";
  for (const auto& [method, path] :
       {std::pair{"GET", s.at("x")},
        {"GET", std::string(kSecrets)},
        {"DELETE", s.at("x")},
        {"GET", std::string(kSecrets) + "?watch=true&resourceVersion=0"}}) {
    CAPTURE(method, path);
    const auto answer = s.w.call(method, path);
    CHECK(answer->status == 500);
    CHECK(get_string(s.w.tree(answer), "message") == why);
  }
  CHECK(s.w.patch("merge-patch+json", s.at("x"), R"({"data":{"k":"ZQ=="}})")->status == 500);
  CHECK(s.w.call("POST", kSecrets, R"({"metadata":{"name":"x"}})")->status == 409);
  CHECK(get_array(s.w.get("/api/v1/namespaces/b/secrets"), "items").empty());
  s.make("y");
  CHECK(s.w.call("GET", s.at("y"))->status == 200);
  CHECK(s.w.call("GET", "/api/v1/namespaces/a/serviceaccounts")->status == 200);
}

TEST_CASE("which resources a configuration names") {
  struct Case {
    std::string name, resources, group, plural;
    bool sealed;
  };
  const auto c = GENERATE(values<Case>({
      {"itself", "secrets", "", "secrets", true},
      {"another", "secrets", "", "configmaps", false},
      {"same name, other group", "secrets", "example.com", "secrets", false},
      {"with group", "deployments.apps", "apps", "deployments", true},
      {"all of a group", "'*.apps'", "apps", "deployments", true},
      {"all of the core group", "'*.'", "", "pods", true},
      {"the core group only", "'*.'", "apps", "deployments", false},
      {"everything", "'*.*'", "example.com", "widgets", true},
  }));
  CAPTURE(c.name);
  const EncryptionConfig made = config(c.resources, aes("aesgcm", "k", kOld));
  CHECK((made.find(c.group, c.plural) != nullptr) == c.sealed);
}

TEST_CASE("the resource itself goes before its group, and that before all") {
  auto made = EncryptionConfig::parse(
      "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n"
      "- {resources: [events], providers: [{identity: {}}]}\n"
      "- {resources: ['*.*'], providers: [" +
      aes("aescbc", "all", kOld) +
      "]}\n"
      "- {resources: ['*.apps'], providers: [" +
      aes("aesgcm", "apps", kNew) + "]}\n");
  REQUIRE(made.ok());
  const RandomBytes random = [](std::size_t n) { return std::string(n, 'r'); };
  CHECK(made->find("", "events")->seal("v", "k", random) == "v");
  CHECK(made->find("apps", "deployments")
            ->seal("v", "k", random)
            .starts_with("k8s:enc:aesgcm:v1:apps:"));
  const std::string cbc = made->find("batch", "jobs")->seal("v", "k", random);
  CHECK(cbc.starts_with("k8s:enc:aescbc:v1:all:"));
  CHECK(made->find("batch", "jobs")->open(cbc, "k")->plain == "v");
}

TEST_CASE("custom kinds are sealed under their group") {
  SealedWorld s;
  s.use("'*.example.com'", aes("aesgcm", "k", kOld));
  CHECK(s.w.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", R"({
      "metadata":{"name":"widgets.example.com"},"spec":{"group":"example.com","scope":"Namespaced",
      "names":{"plural":"widgets","kind":"Widget"},"versions":[{"name":"v1","served":true,
      "storage":true,"schema":{"openAPIV3Schema":{"type":"object",
      "x-kubernetes-preserve-unknown-fields":true}}}]}})")
            ->status == 201);
  s.w.executor.advance(std::chrono::seconds(2));
  CHECK(s.w.call("POST", "/apis/example.com/v1/namespaces/a/widgets", R"({
      "kind":"Widget","apiVersion":"example.com/v1","metadata":{"name":"w"},"spec":{"a":1}})")
            ->status == 201);
  CHECK(s.stored("/registry/example.com/widgets/a/w").starts_with("k8s:enc:aesgcm:v1:k:"));
  CHECK(get_int(s.w.get("/apis/example.com/v1/namespaces/a/widgets/w"), "spec.a") == 1);
}

TEST_CASE("a value moved to another key is refused") {
  const EncryptionConfig made = config("secrets", aes("aesgcm", "k", kOld));
  const RandomBytes random = [](std::size_t n) { return std::string(n, 'r'); };
  const Providers& p = *made.find("", "secrets");
  const std::string sealed = p.seal("v", "/registry/secrets/a/x", random);
  CHECK(p.open(sealed, "/registry/secrets/a/x")->plain == "v");
  CHECK(p.open(sealed, "/registry/secrets/b/x").status().message() ==
        "cipher: message authentication failed");
  CHECK(p.open("k8s:enc:aesgcm:v1:k:short", "x").status().message() ==
        "the stored data was shorter than the required size");
  CHECK(p.open("{}", "x").status().message() == "no matching prefix found");
}

TEST_CASE("a wrong configuration says where") {
  struct Case {
    std::string name, resources, providers, want;
  };
  const auto c = GENERATE(values<Case>({
      {"short key", "secrets", aes("aesgcm", "k", "c2hvcnQ="),
       "resources[0].providers[0].aesgcm.keys[0].secret: Invalid value: \"REDACTED\": secret is "
       "not "
       "of the expected length, got 5, expected one of [16 24 32]"},
      {"not base64", "secrets", aes("aescbc", "k", "!"),
       "resources[0].providers[0].aescbc.keys[0].secret: Invalid value: \"REDACTED\": secrets must "
       "be base64 encoded"},
      {"no name", "secrets", aes("aesgcm", "''", kOld),
       "resources[0].providers[0].aesgcm.keys[0].name: Required value: name is a mandatory field "
       "for a key"},
      {"no provider", "secrets", "",
       "resources[0].providers: Required value: at least one resources[0].providers is required"},
      {"no resource", "", "{identity: {}}",
       "resources[0].resources: Required value: at least one resources[0].resources is required"},
      {"kms", "secrets", "{kms: {name: k, endpoint: 'unix:///s'}}",
       "resources[0].providers[0].kms: Unsupported value: \"kms\": supported values: \"aesgcm\", "
       "\"aescbc\", \"identity\""},
      {"secretbox", "secrets", aes("secretbox", "k", kOld),
       "resources[0].providers[0].secretbox: Unsupported value: \"secretbox\": supported values: "
       "\"aesgcm\", \"aescbc\", \"identity\""},
      {"star", "'*'", "{identity: {}}",
       "resources[0].resources[0]: Invalid value: \"*\": use '*.' to encrypt all the resources "
       "from "
       "core API group or *.* to encrypt all resources"},
      {"capitals", "Secrets", "{identity: {}}",
       "resources[0].resources[0]: Invalid value: \"Secrets\": resource name should not contain "
       "capital letters"},
      {"misspelt", "secrets", "{aesgmc: {}}", "resources[0].providers[0].aesgmc: Forbidden"},
  }));
  CAPTURE(c.name);
  const auto parsed = EncryptionConfig::parse(config_text(c.resources, c.providers));
  REQUIRE_FALSE(parsed.ok());
  CHECK_THAT(parsed.status().message(), Catch::Contains(c.want));
  CHECK(parsed.status().message().find(kOld) == std::string::npos);
}

TEST_CASE("overlapping resources and other kinds are refused") {
  const std::string id = "{identity: {}}";
  for (const auto& [resources, want] :
       {std::pair{"secrets, secrets", "cannot be specified multiple times"},
        {"secrets, '*.'", "overlapping resources"},
        {"deployments.apps, '*.*'", "overlapping resources"}}) {
    CHECK_THAT(EncryptionConfig::parse(config_text(resources, id)).status().message(),
               Catch::Contains(want));
  }
  CHECK_FALSE(EncryptionConfig::parse("kind: Pod\napiVersion: v1\n").ok());
  CHECK_FALSE(EncryptionConfig::parse("kind: [").ok());
}

}  // namespace
}  // namespace coracle::apiserver
