// Whole requests to a whole apiserver: any method, path, type and body. Each is answered by a
// document that a client can read, none by a fault of the server's own, and the server stays ready.
#include "apiserver/testing/api_world.hpp"
#include "base/log.hpp"
#include "input.hpp"

namespace {

using namespace coracle;
using apiserver::ApiWorld;

constexpr int kRequestsMax = 8;
constexpr std::array<std::string_view, 7> kMethods{"GET",    "POST",    "PUT", "PATCH",
                                                   "DELETE", "OPTIONS", "HEAD"};
constexpr std::array<std::string_view, 9> kTypes{"application/json",
                                                 "application/yaml",
                                                 "application/vnd.kubernetes.protobuf",
                                                 "application/json-patch+json",
                                                 "application/merge-patch+json",
                                                 "application/strategic-merge-patch+json",
                                                 "application/apply-patch+yaml",
                                                 "text/plain",
                                                 ""};

// METHOD and type in a byte each, then the target and the body, each counted.
void ask(ApiWorld& world, fuzz::Input& input) {
  const std::string method(kMethods[input.byte() % kMethods.size()]);
  const std::string type(kTypes[input.byte() % kTypes.size()]);
  const std::string target = "/" + std::string(input.counted());
  net::Headers headers{{"Content-Type", type}};
  auto exchange =
      world.begin(world.request(method, target, std::string(input.counted()), std::move(headers)));
  CHECK(world.executor.run_until([&] { return exchange->answered(); }));
  CHECK(exchange->status >= 200 && exchange->status < 600);
  if (exchange->streaming) {
    exchange->leave();
    return;
  }
  if (exchange->status < 400 || method == "HEAD") return;
  const auto body = parse_json(exchange->body);
  if (!body.ok() || get_string(*body, "kind") != "Status") return;
  CHECK_MSG(get_int(*body, "code") == exchange->status, exchange->body);
  CHECK_MSG(!get_string(*body, "message").empty(), exchange->body);
}

// One server for many inputs: to make one takes longer than to ask it.
ApiWorld& world_of_input() {
  constexpr int kInputsMax = 300;
  static std::unique_ptr<ApiWorld> current;
  static int inputs = 0;
  if (current == nullptr || ++inputs > kInputsMax) {
    log::init("fuzz", log::Level::kError);
    current.reset();
    current = std::make_unique<ApiWorld>();
    inputs = 0;
  }
  return *current;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  ApiWorld& world = world_of_input();
  for (int n = 0; n < kRequestsMax && !input.empty(); ++n) ask(world, input);
  CHECK(world.call("GET", "/readyz")->status == 200);
  return 0;
}
