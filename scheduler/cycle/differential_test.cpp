// The real decisions against naive ones, in random clusters that change all the time: the naive
// twins of the plugins that count pods over the cluster walk over all nodes and their pods, and the
// naive world is a copy that remembers nothing of earlier decisions. Decision, sentence,
// explanation and scores must be the same.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "base/strings.hpp"
#include "cache/cache.hpp"
#include "cache/checker.hpp"
#include "cycle/cycle.hpp"
#include "framework/testing.hpp"
#include "plugins/inter_pod_affinity.hpp"
#include "plugins/pod_topology_spread.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;

// Amounts by topology domain; what sums up to nothing is not there.
class NaiveSums {
 public:
  void add(const std::string& key, const NodeInfo& node, std::int64_t amount) {
    const auto value = node.facts().topology(key);
    if (!value || amount == 0) return;
    const auto sum = sums_.emplace(std::pair(key, std::string(*value)), 0).first;
    sum->second += amount;
    if (sum->second == 0) sums_.erase(sum);
  }
  std::int64_t at(const std::string& key, const NodeInfo& node) const {
    const auto value = node.facts().topology(key);
    const auto sum = value ? sums_.find(std::pair(key, std::string(*value))) : sums_.end();
    return sum == sums_.end() ? 0 : sum->second;
  }
  std::int64_t total(const NodeInfo& node) const {
    std::int64_t total = 0;
    for (const auto& [domain, sum] : sums_) {
      if (node.facts().topology(domain.first) == std::string_view(domain.second)) total += sum;
    }
    return total;
  }
  bool empty() const { return sums_.empty(); }

 private:
  std::map<std::pair<std::string, std::string>, std::int64_t> sums_;
};

class NaiveInterPodAffinity final : public Plugin {
 public:
  explicit NaiveInterPodAffinity(PodAffinityArgs args = {}) : args_(args) {}
  std::string_view name() const override { return "InterPodAffinity"; }

  Verdict pre_filter(const PodInfo& pod, const Snapshot& world, StatePtr* state) const override {
    auto needs = std::make_unique<Needs>();
    needs->world = &world;
    for (const NodeInfo& node : world.nodes) {
      for (const PodPtr& other : node.pods()) count(pod, *other, node, 1, *needs);
    }
    if (pod.affinity.empty() && pod.anti_affinity.empty() && needs->refused_by.empty()) {
      return Verdict::skip();
    }
    *state = std::move(needs);
    return Verdict::yes();
  }
  void add_pod(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
               PluginState* state) const override {
    count(pod, other, node, 1, static_cast<Needs&>(*state));
  }
  void remove_pod(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
                  PluginState* state) const override {
    count(pod, other, node, -1, static_cast<Needs&>(*state));
  }
  Verdict filter(const PodInfo& pod, const NodeInfo& node,
                 const PluginState* state) const override {
    const auto& needs = static_cast<const Needs&>(*state);
    bool near = true;
    for (const PodTerm& term : pod.affinity) {
      if (!node.facts().topology(term.topology_key)) {
        return Verdict::never("node(s) didn't match pod affinity rules");
      }
      near = near && needs.wanted.at(term.topology_key, node) > 0;
    }
    const bool first_of_group = needs.wanted.empty() && matches_all(pod, pod, *needs.world);
    if (!near && !first_of_group) {
      return Verdict::never("node(s) didn't match pod affinity rules");
    }
    for (const PodTerm& term : pod.anti_affinity) {
      if (needs.unwanted.at(term.topology_key, node) > 0) {
        return Verdict::not_now("node(s) didn't match pod anti-affinity rules");
      }
    }
    if (needs.refused_by.total(node) > 0) {
      return Verdict::not_now("node(s) didn't satisfy existing pods anti-affinity rules");
    }
    return Verdict::yes();
  }

  Verdict pre_score(const PodInfo& pod, const Snapshot& world, const std::vector<std::uint32_t>&,
                    StatePtr* state) const override {
    const bool prefers = !pod.preferred_affinity.empty() || !pod.preferred_anti_affinity.empty();
    if (!prefers && args_.ignore_preferred_of_existing) return Verdict::skip();
    auto likes = std::make_unique<Likes>();
    for (const NodeInfo& node : world.nodes) {
      const auto add = [&](const std::vector<PodTerm>& terms, const PodInfo& about, int sign,
                           std::optional<std::int64_t> weight) {
        for (const PodTerm& term : terms) {
          if (!world.matches(term, about)) continue;
          likes->weight.add(term.topology_key, node, sign * weight.value_or(term.weight));
        }
      };
      for (const PodPtr& other : node.pods()) {
        add(pod.preferred_affinity, *other, 1, {});
        add(pod.preferred_anti_affinity, *other, -1, {});
        add(other->affinity, pod, 1, args_.hard_weight);
        add(other->preferred_affinity, pod, 1, {});
        add(other->preferred_anti_affinity, pod, -1, {});
      }
    }
    if (likes->weight.empty()) return Verdict::skip();
    *state = std::move(likes);
    return Verdict::yes();
  }
  std::int64_t score(const PodInfo&, const NodeInfo& node,
                     const PluginState* state) const override {
    return static_cast<const Likes&>(*state).weight.total(node);
  }
  void normalize(const PluginState* state, std::vector<std::int64_t>& scores) const override {
    InterPodAffinity(args_).normalize(state, scores);
  }

 private:
  struct Needs final : PluginState {
    NaiveSums wanted, unwanted, refused_by;
    const Snapshot* world = nullptr;
  };
  struct Likes final : PluginState {
    NaiveSums weight;
  };
  static bool matches_all(const PodInfo& pod, const PodInfo& other, const Snapshot& world) {
    return std::all_of(pod.affinity.begin(), pod.affinity.end(),
                       [&](const PodTerm& term) { return world.matches(term, other); });
  }
  static void count(const PodInfo& pod, const PodInfo& other, const NodeInfo& node, int amount,
                    Needs& needs) {
    const Snapshot& world = *needs.world;
    for (const PodTerm& term : other.anti_affinity) {
      if (world.matches(term, pod)) needs.refused_by.add(term.topology_key, node, amount);
    }
    for (const PodTerm& term : pod.affinity) {
      if (matches_all(pod, other, world)) needs.wanted.add(term.topology_key, node, amount);
    }
    for (const PodTerm& term : pod.anti_affinity) {
      if (world.matches(term, other)) needs.unwanted.add(term.topology_key, node, amount);
    }
  }

  const PodAffinityArgs args_;
};

class NaiveTopologySpread final : public Plugin {
 public:
  std::string_view name() const override { return "PodTopologySpread"; }

  Verdict pre_filter(const PodInfo& pod, const Snapshot& world, StatePtr* state) const override {
    auto spread = std::make_unique<Spread>();
    spread->constraints = constraints_of(pod, world, true);
    if (spread->constraints.empty()) return Verdict::skip();
    count_all(pod, world, true, *spread);
    *state = std::move(spread);
    return Verdict::yes();
  }
  void add_pod(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
               PluginState* state) const override {
    recount(pod, other, node, 1, static_cast<Spread&>(*state));
  }
  void remove_pod(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
                  PluginState* state) const override {
    recount(pod, other, node, -1, static_cast<Spread&>(*state));
  }
  Verdict filter(const PodInfo& pod, const NodeInfo& node,
                 const PluginState* state) const override {
    const auto& spread = static_cast<const Spread&>(*state);
    for (size_t i = 0; i < spread.constraints.size(); ++i) {
      const SpreadConstraint& c = spread.constraints[i];
      const auto domain = node.facts().topology(c.topology_key);
      if (!domain) {
        return Verdict::never(
            "node(s) didn't match pod topology spread constraints (missing required label)");
      }
      std::int64_t least = 0;
      if (static_cast<std::int64_t>(spread.counts[i].size()) >= c.min_domains) {
        for (const auto& [name, pods] : spread.counts[i]) {
          least = name == spread.counts[i].begin()->first ? pods : std::min(least, pods);
        }
      }
      const auto here = spread.counts[i].find(std::string(*domain));
      const std::int64_t pods = here == spread.counts[i].end() ? 0 : here->second;
      if (pods + c.selector.matches(pod.labels) - least > c.max_skew) {
        return Verdict::not_now("node(s) didn't match pod topology spread constraints");
      }
    }
    return Verdict::yes();
  }

  Verdict pre_score(const PodInfo& pod, const Snapshot& world,
                    const std::vector<std::uint32_t>& fitting, StatePtr* state) const override {
    auto spread = std::make_unique<Spread>();
    spread->constraints = constraints_of(pod, world, false);
    if (spread->constraints.empty()) return Verdict::skip();
    spread->need_all_keys = pod.own_spread;
    for (const SpreadConstraint& c : spread->constraints) {
      std::map<std::string, bool> seen;
      double domains = 0;
      for (const std::uint32_t index : fitting) {
        const NodeInfo& node = world.nodes[index];
        if (spread->need_all_keys && !has_all(node, *spread)) continue;
        // Nodes without the label are a domain of their own.
        const std::string domain(node.facts().topology(c.topology_key).value_or("(none)"));
        if (seen.emplace(domain, true).second || c.topology_key == kHost) ++domains;
      }
      spread->weights.push_back(std::log(domains + 2));
    }
    count_all(pod, world, spread->need_all_keys, *spread);
    *state = std::move(spread);
    return Verdict::yes();
  }
  std::int64_t score(const PodInfo& pod, const NodeInfo& node,
                     const PluginState* state) const override {
    const auto& spread = static_cast<const Spread&>(*state);
    double sum = 0;
    for (size_t i = 0; i < spread.constraints.size(); ++i) {
      const SpreadConstraint& c = spread.constraints[i];
      const auto domain = node.facts().topology(c.topology_key);
      if (!domain && spread.need_all_keys) return -1;
      if (!domain) continue;
      std::int64_t pods = 0;
      if (c.topology_key == kHost) {
        for (const PodPtr& other : node.pods()) pods += is_like(pod, *other, c);
      } else if (const auto here = spread.counts[i].find(std::string(*domain));
                 here != spread.counts[i].end()) {
        pods = here->second;
      }
      sum += static_cast<double>(pods) * spread.weights[i] + static_cast<double>(c.max_skew - 1);
    }
    return std::lround(sum);
  }
  void normalize(const PluginState* state, std::vector<std::int64_t>& scores) const override {
    PodTopologySpread(PodTopologySpread::upstream_defaults(), true).normalize(state, scores);
  }

 private:
  static constexpr const char* kHost = "kubernetes.io/hostname";
  struct Spread final : PluginState {
    std::vector<SpreadConstraint> constraints;
    std::vector<std::map<std::string, std::int64_t>> counts;
    std::vector<double> weights;
    bool need_all_keys = true;
  };
  static bool is_like(const PodInfo& pod, const PodInfo& other, const SpreadConstraint& c) {
    return !other.deleting && other.ns == pod.ns && !c.selector.is_everything() &&
           c.selector.matches(other.labels);
  }
  static std::vector<SpreadConstraint> constraints_of(const PodInfo& pod, const Snapshot& world,
                                                      bool hard) {
    std::vector<SpreadConstraint> all =
        pod.own_spread ? pod.spread : PodTopologySpread::upstream_defaults();
    std::erase_if(all, [hard](const SpreadConstraint& c) { return c.hard != hard; });
    if (pod.own_spread) return all;
    const api::LabelSelector selector = world.workloads.of(pod);
    if (selector.is_nothing()) return {};
    for (SpreadConstraint& c : all) c.selector = selector;
    return all;
  }
  static bool has_all(const NodeInfo& node, const Spread& spread) {
    return std::all_of(
        spread.constraints.begin(), spread.constraints.end(),
        [&](const SpreadConstraint& c) { return !!node.facts().topology(c.topology_key); });
  }
  static bool policies_let(const PodInfo& pod, const NodeInfo& node, const SpreadConstraint& c) {
    if (c.honor_node_affinity && !pod.required_nodes.anywhere() &&
        !pod.required_nodes.matches(node.facts().selectable())) {
      return false;
    }
    for (const api::Taint& taint : node.facts().taints) {
      if (c.honor_taints && taint.effect != api::TaintEffect::kPreferNoSchedule &&
          !api::tolerated_by(taint, pod.tolerations)) {
        return false;
      }
    }
    return true;
  }
  static void count_all(const PodInfo& pod, const Snapshot& world, bool need_all, Spread& spread) {
    spread.counts.resize(spread.constraints.size());
    for (const NodeInfo& node : world.nodes) {
      for (size_t i = 0; i < spread.constraints.size(); ++i) {
        const SpreadConstraint& c = spread.constraints[i];
        const auto domain = node.facts().topology(c.topology_key);
        if (!domain || (need_all && !has_all(node, spread)) || !policies_let(pod, node, c)) {
          continue;
        }
        std::int64_t& pods = spread.counts[i][std::string(*domain)];
        for (const PodPtr& other : node.pods()) pods += is_like(pod, *other, c);
      }
    }
  }
  static void recount(const PodInfo& pod, const PodInfo& other, const NodeInfo& node, int amount,
                      Spread& spread) {
    for (size_t i = 0; i < spread.constraints.size(); ++i) {
      const SpreadConstraint& c = spread.constraints[i];
      if (!is_like(pod, other, c) || !has_all(node, spread) || !policies_let(pod, node, c)) {
        continue;
      }
      spread.counts[i][std::string(*node.facts().topology(c.topology_key))] += amount;
    }
  }
};

Profile naive_profile() {
  Profile profile = default_profile();
  const std::shared_ptr<const Plugin> twins[] = {std::make_shared<NaiveInterPodAffinity>(),
                                                 std::make_shared<NaiveTopologySpread>()};
  for (const auto& twin : twins) {
    const Plugin* real = nullptr;
    for (const auto& plugin : profile.plugins) {
      if (plugin->name() == twin->name()) real = plugin.get();
    }
    for (auto& at : profile.plugins_at) std::replace(at.begin(), at.end(), real, twin.get());
    for (Profile::Scorer& scorer : profile.scorers) {
      if (scorer.plugin == real) scorer.plugin = twin.get();
    }
    profile.plugins.push_back(twin);
  }
  return profile;
}

std::string text_of(const Verdict& verdict) {
  return fmt::format("{}:{}", static_cast<int>(verdict.kind()), join(verdict.reasons(), "+"));
}

// Everything a decision says, a line each.
std::string text_of(const Decision& d) {
  std::string out =
      fmt::format("{} {} {} nominated={} clear={} {}/{}\n", static_cast<int>(d.kind), d.node,
                  d.message, d.nominated, d.clear_nomination, d.looked_at, d.nodes);
  for (const PodPtr& victim : d.victims) out += "victim " + victim->key + "\n";
  for (const Plugin* plugin : d.rejected_by) out += fmt::format("by {}\n", plugin->name());
  const Explanation& why = d.why;
  for (const Plugin* plugin : why.skipped) out += fmt::format("skipped {}\n", plugin->name());
  for (size_t row = 0; row < why.rows(); ++row) {
    out += why.node(row).name;
    for (size_t i = 0; i < why.filters.size(); ++i) {
      const std::uint16_t said = why.at(row, i);
      const bool words = said != Explanation::kPassed && said != Explanation::kNotAsked;
      out += fmt::format(" {}={}", why.filters[i]->name(),
                         words ? text_of(why.text(said)) : std::to_string(said));
    }
    out += "\n";
  }
  for (size_t row = 0; row < why.scored(); ++row) {
    out += fmt::format("{} total {}", why.scored_node(row).name, why.totals[row]);
    for (size_t i = 0; i < why.scorers.size(); ++i) {
      const size_t at = i * why.scored() + row;
      out += fmt::format(" {}={}/{}x{}", why.scorers[i].name, why.raw[at], why.normalized[at],
                         why.scorers[i].weight);
    }
    out += "\n";
  }
  return out;
}

// A cluster that changes at random.
class Changing {
 public:
  explicit Changing(std::uint64_t seed) : rng_(seed) {
    const std::uint64_t nodes = 2 + rng_.below(seed % 7 == 0 ? 160 : 12);
    for (std::uint64_t i = 0; i < nodes; ++i) set_node(i);
    Snapshot& world = cache_.surroundings();
    world.workloads.services["a"]["web"] = api::LabelSelector::from_map({{"app", "web"}});
    const json::object team{{"team", "x"}};
    world.set_namespace("a", &team);
  }
  Cache& cache() { return cache_; }
  PodPtr a_newcomer() { return random_pod(fmt::format("p{}", made_++)).info(); }

  void change() {
    const std::vector<std::string> pods = placed();
    switch (rng_.below(9)) {
      case 0:
        return set_node(rng_.below(14));
      case 1:
        return cache_.remove_node(fmt::format("n{}", rng_.below(14)));
      case 2:
        if (!pods.empty()) cache_.remove_pod(pick(pods));
        return;
      case 3: {  // it begins to leave, or its labels change
        if (pods.empty()) return;
        const PodPtr pod = *cache_.find_pod(pick(pods));
        auto other = std::make_shared<PodInfo>(*pod);
        if (rng_.below(2) == 0) other->deleting = true;
        other->labels["app"] = any({"web", "db"});
        cache_.set_pod(other);
        return;
      }
      case 4: {
        const json::object team{{"team", any({"x", "y"})}};
        cache_.surroundings().set_namespace(any({"a", "b"}), rng_.below(4) == 0 ? nullptr : &team);
        return;
      }
      case 5: {
        const PodPtr waiting = random_pod(fmt::format("w{}", rng_.below(3))).info();
        auto& nominations = cache_.surroundings().nominations;
        nominations.remove(waiting->uid);
        if (rng_.below(2) == 0) nominations.set(waiting, fmt::format("n{}", rng_.below(12)));
        return;
      }
      default: {
        a_pod pod = random_pod(fmt::format("p{}", made_++));
        cache_.set_pod(pod.on(fmt::format("n{}", rng_.below(14))).info());
      }
    }
  }

 private:
  std::string any(std::vector<std::string> of) { return of[rng_.below(of.size())]; }
  const std::string& pick(const std::vector<std::string>& of) { return of[rng_.below(of.size())]; }

  std::vector<std::string> placed() const {
    std::vector<std::string> keys;
    for (const NodeInfo& node : cache_.snapshot().nodes) {
      for (const PodPtr& pod : node.pods()) keys.push_back(pod->key);
    }
    return keys;
  }

  void set_node(std::uint64_t number) {
    a_node node(fmt::format("n{}", number));
    node.has("cpu", any({"2", "4"})).has("pods", any({"3", "110"}));
    if (rng_.below(5) != 0) node.zone(any({"z1", "z2", "z3"}));
    if (rng_.below(3) != 0) node.label("rack", any({"r1", "r2"}));
    if (rng_.below(6) == 0) node.taint("dedicated", any({"db", "web"}), "NoSchedule");
    if (rng_.below(6) == 0) node.taint("slow", "", "PreferNoSchedule");
    if (rng_.below(9) == 0) node.set("spec.unschedulable", "true");
    cache_.set_node(parse_node(node.object()));
  }

  std::string term(bool weighted) {
    std::string term = fmt::format(
        R"({{"topologyKey":"{}","labelSelector":{{"matchLabels":{{"app":"{}"}}}}{}}})",
        any({"kubernetes.io/hostname", "topology.kubernetes.io/zone", "rack"}), any({"web", "db"}),
        any({"", "", R"(,"namespaces":["a","b"])",
             R"(,"namespaceSelector":{"matchLabels":{"team":"x"}})"}));
    if (!weighted) return term;
    return fmt::format(R"({{"weight":{},"podAffinityTerm":{}}})", 1 + rng_.below(2), term);
  }
  void add_terms(a_pod& pod, const char* kind) {
    std::string required, preferred;
    for (std::uint64_t i = rng_.below(2); i > 0; --i)
      required += (required.empty() ? "" : ",") + term(false);
    for (std::uint64_t i = rng_.below(3); i > 0; --i)
      preferred += (preferred.empty() ? "" : ",") + term(true);
    pod.set(std::string("spec.affinity.") + kind,
            fmt::format(R"({{"requiredDuringSchedulingIgnoredDuringExecution":[{}],
                            "preferredDuringSchedulingIgnoredDuringExecution":[{}]}})",
                        required, preferred));
  }
  std::string constraint() {
    return fmt::format(
        R"({{"topologyKey":"{}","maxSkew":{},"whenUnsatisfiable":"{}","nodeTaintsPolicy":"{}",
            "nodeAffinityPolicy":"{}","labelSelector":{{"matchLabels":{{"app":"{}"}}}}}})",
        any({"kubernetes.io/hostname", "topology.kubernetes.io/zone", "rack"}), 1 + rng_.below(3),
        any({"DoNotSchedule", "ScheduleAnyway"}), any({"Ignore", "Ignore", "Honor"}),
        any({"Honor", "Ignore"}), any({"web", "db"}));
  }
  // Few kinds, so that shapes come again.
  a_pod random_pod(const std::string& name) {
    a_pod pod(name, any({"a", "b"}));
    pod.set("metadata.uid", json::value("uid-" + name));
    pod.cpu(any({"100m", "100m", "500m", "1500m", "9"})).label("app", any({"web", "db"}));
    pod.priority(static_cast<std::int64_t>(rng_.below(3)));
    if (rng_.below(3) == 0) add_terms(pod, "podAffinity");
    if (rng_.below(3) == 0) add_terms(pod, "podAntiAffinity");
    if (rng_.below(4) == 0) {
      const std::string more = rng_.below(2) == 0 ? "," + constraint() : "";
      pod.set("spec.topologySpreadConstraints", "[" + constraint() + more + "]");
    }
    if (rng_.below(5) == 0) pod.set("spec.nodeSelector", R"({"rack":"r1"})");
    if (rng_.below(6) == 0) pod.host_port(80);
    if (rng_.below(5) == 0) pod.set("spec.tolerations", R"([{"operator":"Exists"}])");
    if (rng_.below(12) == 0) {
      pod.set("spec.affinity.nodeAffinity",
              fmt::format(
                  R"({{"requiredDuringSchedulingIgnoredDuringExecution":{{"nodeSelectorTerms":[
               {{"matchFields":[{{"key":"metadata.name","operator":"In","values":["n{}"]}}]}}]}}}})",
                  rng_.below(12)));
    }
    return pod;
  }

  Rng rng_;
  Cache cache_;
  int made_ = 0;
};

TEST_CASE("decisions are those of the naive twins, explanation included") {
  const Profile real = default_profile(), naive = naive_profile();
  size_t placed = 0, nowhere = 0, victims = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Changing cluster(seed);
    Cache& cache = cluster.cache();
    Rotation rotation, twin_rotation;
    for (int step = 0; step < 60; ++step) {
      CAPTURE(step);
      for (int i = 0; i < 3; ++i) cluster.change();
      const PodPtr pod = cluster.a_newcomer();
      const Snapshot forgetful = cache.snapshot();
      const Decision expected = decide(naive, pod, forgetful, twin_rotation);
      const Decision decision = decide(real, pod, cache.snapshot(), rotation);
      REQUIRE(text_of(decision) == text_of(expected));
      placed += decision.kind == Decision::Kind::kPlaced;
      nowhere += decision.kind == Decision::Kind::kFitsNowhere;
      victims += decision.victims.size();
      if (decision.kind == Decision::Kind::kPlaced) cache.assume(*pod, decision.node);
    }
    REQUIRE(SchedulerCacheChecker::violations(cache) == std::vector<std::string>{});
  }
  // Or the clusters say nothing.
  CHECK(placed > 500);
  CHECK(nowhere > 300);
  CHECK(victims > 50);
}

}  // namespace
}  // namespace coracle::scheduler
