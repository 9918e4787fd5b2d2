// coracle sim shadow: another policy decides beside a live cluster's scheduler.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

#include "base/strings.hpp"
#include "client/resource.hpp"
#include "experiment/brief.hpp"
#include "live_sim/shadow.hpp"
#include "program/commands.hpp"
#include "program/live_cluster.hpp"
#include "program/load.hpp"
#include "scenario/read_parts.hpp"

namespace coracle::sim {
namespace {

constexpr size_t kNodesShown = 3;

std::string indented(const std::string& text) {
  std::string out;
  for (const std::string& line : split(text, '\n')) {
    if (!line.empty()) out += "      " + line + "\n";
  }
  return out;
}

// The cluster's own explanation, as its scheduler serves it (docs/formats/scheduling-decision.md).
std::string real_why(const json::value& decision, const std::string& node) {
  std::string text;
  for (const json::value& one : get_array(decision, "status.scores")) {
    if (get_string(one, "node") != node) continue;
    std::vector<std::string> scores;
    for (const json::value& score : get_array(one, "scores")) {
      scores.push_back(
          fmt::format("{} {}", get_string(score, "plugin"), get_int(score, "weighted")));
    }
    text += fmt::format("{}: {} = {}\n", node, get_int(one, "total"), join(scores, " + "));
  }
  for (const json::value& one : get_array(decision, "status.verdicts")) {
    for (const auto& no : get_object(one, "noes")) {
      std::vector<std::string> reasons;
      for (const json::value& reason : get_array(no.value(), "reasons")) {
        if (reason.is_string()) reasons.emplace_back(reason.get_string());
      }
      text += fmt::format("{} refuses {}: {}\n", std::string_view(no.key()),
                          get_string(one, "node"), join(reasons, ", "));
    }
  }
  return text;
}

// Tells differences, each with what the live scheduler says about its own decision.
class Teller {
 public:
  Teller(client::Api& api, std::ofstream* lines)
      : decisions_(api, {"lab.coracle.dev", "v1alpha1", "schedulingdecisions"}), lines_(lines) {}

  void tell(const ShadowVerdict& verdict) {
    if (verdict.same() || verdict.equally_good()) {
      ++(verdict.same() ? same_ : equal_);
      return write(row(verdict));
    }
    const size_t number = ++differ_;
    Difference& one = asked_[number];
    one.line = row(verdict);
    one.pod = verdict.pod->key;
    one.real_node = verdict.real_node;
    one.real =
        verdict.real_node.empty() ? verdict.real_message : "places it on " + verdict.real_node;
    one.shadow = verdict.decision.kind == scheduler::Decision::Kind::kPlaced
                     ? "places it on " + verdict.decision.node
                     : verdict.decision.message;
    one.shadow_why = brief_text(brief(verdict.decision, kNodesShown));
    spawn<client::ApiResult<json::value>>(
        decisions_.get(verdict.pod->ns, verdict.pod->name),
        [this, number](const client::ApiResult<json::value>& answer) {
          Difference& asked = asked_.at(number);
          std::string why = "(the cluster does not serve its scheduler's decisions)\n";
          if (answer.ok()) {
            why = real_why(answer.value(), asked.real_node);
            if (const json::value* status = find(answer.value(), "status")) {
              asked.line["clusterWhy"] = *status;
            }
          }
          print(asked, why);
          asked_.erase(number);
        });
  }
  // No answer comes any more.
  void finish() {
    for (const auto& [number, one] : asked_) {
      print(one, "(the cluster's explanation did not come before the end)\n");
    }
    asked_.clear();
    std::printf("%zu decisions were the same, %zu as good, %zu differed\n", same_, equal_, differ_);
  }
  size_t differ() const { return differ_; }

 private:
  struct Difference {
    json::object line;
    std::string pod, real_node, real, shadow, shadow_why;
  };

  static json::object row(const ShadowVerdict& verdict) {
    json::object line;
    line["pod"] = verdict.pod->key;
    line["same"] = verdict.same();
    line["equallyGood"] = verdict.equally_good();
    line["cluster"] = verdict.real_node;
    if (!verdict.real_message.empty()) line["clusterMessage"] = verdict.real_message;
    line["shadow"] = verdict.decision.node;
    if (!verdict.decision.message.empty()) line["shadowMessage"] = verdict.decision.message;
    line["shadowWhy"] = brief(verdict.decision, kNodesShown);
    return line;
  }
  void print(const Difference& one, const std::string& real_why) {
    std::printf("%s\n  the cluster: %s\n%s  the shadow: %s\n%s", one.pod.c_str(), one.real.c_str(),
                indented(real_why).c_str(), one.shadow.c_str(), indented(one.shadow_why).c_str());
    std::fflush(stdout);
    write(one.line);
  }
  void write(const json::object& line) {
    if (lines_ != nullptr) *lines_ << to_json(line) << std::endl;
  }

  client::ResourceClient decisions_;
  std::ofstream* const lines_;
  size_t same_ = 0, equal_ = 0, differ_ = 0;
  std::map<size_t, Difference> asked_;  // whose explanation is on its way
};

scheduler::Config must_parse(const std::string& file) {
  scheduler::Config policy;
  const Status parsed = scheduler::parse_config(read_flag_file("--policy", file), &policy);
  if (!parsed.ok()) fail_startup(fmt::format("--policy {}: {}", file, parsed.message()));
  const Status alone = check_policy(policy);
  if (!alone.ok()) fail_startup(fmt::format("--policy {}: {}", file, alone.message()));
  return policy;
}

}  // namespace

int run_shadow(int argc, char** argv) {
  LiveFlags live;
  std::string policy_file, out;
  Flags flags(
      "coracle sim shadow",
      "Lets another policy decide beside the scheduler of a running cluster, about the same "
      "pods in the same state, and tells where the two differ, with both explanations. "
      "It binds nothing.\n"
      "Exit code: 0 no decision differed, 1 some did, or the cluster was not there.",
      "coracle sim shadow --kubeconfig .coracle/kubeconfig --policy packed.yaml --for 10m");
  add_live_flags(flags, &live);
  flags.add("--policy", &policy_file, "a KubeSchedulerConfiguration (YAML)").required();
  flags.add("--out", &out, "also write each decision there, as JSON Lines");
  flags.parse(argc, argv);
  scheduler::Config policy = must_parse(policy_file);
  LiveCluster cluster(live);
  std::ofstream lines;
  if (!out.empty()) {
    lines.open(out, std::ios::trunc);
    if (!lines) fail_startup(fmt::format("--out {}: it cannot be written", out));
  }
  Teller teller(cluster.api(), out.empty() ? nullptr : &lines);
  Shadow shadow(cluster.executor(), cluster.api(), Rng(secure_random_seed()), std::move(policy),
                [&](const ShadowVerdict& verdict) { teller.tell(verdict); });
  shadow.when_synced([] { std::fputs("ready: it sees what the scheduler sees\n", stderr); });
  shadow.start();
  std::fprintf(stderr, "beside the scheduler of %s; Ctrl-C ends it\n", cluster.server().c_str());
  const bool seen = cluster.run(
      "coracle sim shadow", [&] { return shadow.has_synced(); },
      [&] { return shadow.last_error(); });
  if (!seen) return 1;
  teller.finish();
  return teller.differ() == 0 ? 0 : 1;
}

}  // namespace coracle::sim
