#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/flags.hpp"
#include "base/rng.hpp"
#include "lab/cluster.hpp"
#include "lab/commands.hpp"
#include "lab/console.hpp"
#include "lab/join_objects.hpp"
#include "lab/network.hpp"
#include "lab/process.hpp"
#include "net/csr.hpp"

namespace coracle::lab {
namespace {

constexpr int kJoinedFrom = 20'001;  // ordinals of joined nodes: behind those of the lab's own
constexpr int kJoinedCount = 1000;   // at most; each has 256 addresses for its pods

std::string random_text(size_t size) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  while (text.size() < size) {
    const auto byte = static_cast<unsigned char>(secure_random_bytes(1)[0]);
    if (byte < 252)
      text += kLetters[byte % kLetters.size()];  // 252 = 7 * 36: no letter is likelier
  }
  return text;
}

Status make(Cluster& cluster, const NamedObject& object) {
  ASSIGN_OR_RETURN(const auto answer,
                   cluster.call("POST", object.collection, to_json(object.body)));
  if (answer.status < 300 || answer.status == 409) return {};
  const auto parsed = parse_json(answer.body);
  return unavailable(parsed.ok() ? std::string(get_string(*parsed, "message", answer.body))
                                 : answer.body);
}

// Addresses that neither the lab's nodes nor their pods have: from the upper half of the pods'
// range.
std::string addresses(const ClusterShape& shape, int ordinal) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  const std::string pods = network_ranges(shape.network_slot).pods;
  CHECK(std::sscanf(pods.c_str(), "%u.%u.%u.%u", &a, &b, &c, &d) == 4);
  const unsigned block = 0x40000u + (static_cast<unsigned>(ordinal - kJoinedFrom) << 8);
  return fmt::format("--first-node {} --pod-range {}.{}.{}.{}", ordinal, a, b + (block >> 16),
                     (block >> 8) & 255, block & 255);
}

int create(const Layout& layout, Duration ttl) {
  const Console console;
  const auto fail = [&](const Status& status) {
    console.fail("coracle token create: " + status.message());
    return 1;
  };
  auto cluster = Cluster::open(layout);
  if (!cluster.ok()) return fail(cluster.status());
  const auto ca = read_file(layout.pki("ca.crt"));
  if (!ca.ok()) return fail(ca.status());
  const auto hash = net::public_key_sha256(*ca);
  if (!hash.ok()) return fail(hash.status());
  const ClusterShape& shape = (*cluster)->shape();
  const std::string server = fmt::format("https://127.0.0.1:{}", shape.apiserver_ports.front());
  const JoinToken token{random_text(6), random_text(16), real_clock().wall_now() + ttl};
  std::vector<NamedObject> objects = join_objects(server, *ca);
  objects.push_back(token_secret(token));
  for (const NamedObject& object : objects) {
    if (const Status s = make(**cluster, object); !s.ok()) return fail(s);
  }
  const int ordinal = kJoinedFrom + static_cast<int>(Rng(secure_random_seed()).below(kJoinedCount));
  console.say(fmt::format(
      "{}/kubelet-sim --join {} --token {}.{} --ca-cert-hash sha256:{} {} --root-dir {}/node-{}",
      std::filesystem::relative(program_directory()).string(), server, token.id, token.secret,
      *hash, addresses(shape, ordinal), layout.path("data"), ordinal));
  return 0;
}

}  // namespace

int run_token(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], "create") != 0) {
    std::fputs("Usage: coracle token create [--dir DIR] [--ttl 24h]\n", stderr);
    return 2;
  }
  std::string dir = ".coracle";
  Duration ttl = std::chrono::hours(24);
  Flags flags("coracle token create",
              "Makes a bootstrap token and prints the command by which a node joins with it.",
              "coracle token create --ttl 1h");
  flags.add("--dir", &dir, "the lab directory");
  flags.add("--ttl", &ttl, "how long the token is good");
  flags.parse(argc - 1, argv + 1);
  if (ttl <= Duration(0)) fail_startup("--ttl: must be positive");
  return create(Layout(dir), ttl);
}

}  // namespace coracle::lab
