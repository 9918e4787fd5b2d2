#include "report/run_output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "experiment/brief.hpp"

namespace coracle::sim {
namespace {

const std::vector<std::string> kFiles = {
    "decisions.csv", "decisions.jsonl", "pods.csv",      "pods.jsonl",      "nodes.csv",
    "nodes.jsonl",   "queue.csv",       "queue.jsonl",   "utilisation.csv", "utilisation.jsonl",
    "events.csv",    "events.jsonl",    "scenario.yaml", "inputs.json",     "report.html"};

Cell optional_time(const std::optional<Duration>& time) {
  if (!time) return std::monostate();
  return *time;
}

Cell count(std::int64_t number) { return number; }

json::object amounts(const Resources& resources) {
  json::object out;
  if (resources.cpu_milli != 0) out["cpu"] = static_cast<double>(resources.cpu_milli) / 1000;
  if (resources.memory != 0) out["memory"] = resources.memory;
  if (resources.ephemeral_storage != 0) out["ephemeral-storage"] = resources.ephemeral_storage;
  for (const auto& [name, amount] : resources.scalars) {
    if (amount != 0) out[name] = amount;
  }
  return out;
}

// Which columns of the samples go to utilisation.csv; the others go to queue.csv.
bool is_utilisation(const std::string& column) {
  return column.starts_with("utilisation.") || column.starts_with("usage.");
}

std::string pod_state(const PodRow& pod) {
  if (pod.end != PodEnd::kNone) return std::string(kPodEndNames[static_cast<size_t>(pod.end)]);
  return pod.started ? "running" : pod.bound ? "starting" : "waiting";
}

}  // namespace

struct RunOutput::Pair {
  std::ofstream csv, jsonl;
  std::unique_ptr<Table> table;
};

Result<std::unique_ptr<RunOutput::Pair>> RunOutput::pair(const std::string& name,
                                                         std::vector<std::string> columns) {
  auto out = std::make_unique<Pair>();
  for (const auto& [stream, ending] : {std::pair(&out->csv, ".csv"), {&out->jsonl, ".jsonl"}}) {
    const std::string path = dir_ + "/" + name + ending;
    stream->open(path, std::ios::binary | std::ios::trunc);
    if (!*stream) return unavailable(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  out->table = std::make_unique<Table>(out->csv, out->jsonl, std::move(columns));
  return out;
}

Status RunOutput::write_text(const std::string& name, const std::string& text) {
  const std::string path = dir_ + "/" + name;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out)
    return unavailable(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  return {};
}

Result<std::unique_ptr<RunOutput>> RunOutput::open(const std::string& dir, const Scenario& scenario,
                                                   const InputFiles& files) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return unavailable(fmt::format("{}: {}", dir, error.message()));
  std::filesystem::remove(dir + "/run.json", error);
  for (const std::string& name : kFiles) std::filesystem::remove(dir + "/" + name, error);
  auto out =
      std::unique_ptr<RunOutput>(new RunOutput(dir, static_cast<size_t>(scenario.explained_nodes)));
  RETURN_IF_ERROR(out->write_text("scenario.yaml", scenario.text));
  json::object inputs;
  for (const auto& [path, text] : files) inputs[path] = text;
  RETURN_IF_ERROR(out->write_text("inputs.json", to_pretty_json(inputs) + "\n"));
  ASSIGN_OR_RETURN(
      auto decisions,
      out->pair("decisions", {"at", "number", "pod", "attempt", "result", "node", "message",
                              "nodes", "lookedAt", "nominated", "victims", "why"}));
  out->decisions_ = std::move(decisions);
  ASSIGN_OR_RETURN(
      auto nodes, out->pair("nodes", {"at", "node", "class", "zone", "ready", "schedulable", "pods",
                                      "allocatable", "requested", "used"}));
  out->nodes_ = std::move(nodes);
  return out;
}

void RunOutput::decision(const DecisionRow& row) {
  const scheduler::Decision& decision = *row.decision;
  using Kind = scheduler::Decision::Kind;
  const char* result = decision.kind == Kind::kPlaced        ? "placed"
                       : decision.kind == Kind::kFitsNowhere ? "nowhere"
                                                             : "failed";
  std::vector<std::string> victims;
  for (const auto& victim : decision.victims) victims.push_back(victim->key);
  decisions_->table->row({row.at, count(static_cast<std::int64_t>(row.number)), decision.pod->key,
                          count(row.attempt), std::string(result), decision.node, decision.message,
                          count(decision.nodes), count(decision.looked_at), decision.nominated,
                          join(victims, " "), Tree{brief(decision, explained_)}});
}

void RunOutput::nodes(Duration at, const Ledger& ledger) {
  for (const NodeRow& node : ledger.nodes()) {
    if (!node.there) continue;
    nodes_->table->row(
        {at, node.name, node.node_class, node.zone, std::string(node.ready ? "true" : "false"),
         std::string(node.schedulable ? "true" : "false"), count(node.pods),
         Tree{amounts(node.allocatable)}, Tree{amounts(node.requested)}, Tree{amounts(node.used)}});
  }
}

void RunOutput::pods(const Ledger& ledger, Table& table) {
  for (const PodRow& pod : ledger.pods()) {
    Cell wait;
    if (pod.bound) wait = *pod.bound - pod.created;
    table.row({pod.key, pod.source, count(pod.priority), pod.created, optional_time(pod.bound),
               optional_time(pod.started), optional_time(pod.ended), wait, pod_state(pod), pod.node,
               count(pod.attempts), Tree{amounts(pod.requests)}, pod.message});
  }
}

void RunOutput::series(const Ledger& ledger, Table& queue, Table& utilisation) {
  const auto& columns = ledger.columns();
  for (size_t i = 0; i < ledger.sample_times().size(); ++i) {
    std::vector<Cell> waiting{ledger.sample_times()[i]}, used{ledger.sample_times()[i]};
    for (size_t c = 0; c < columns.size(); ++c) {
      const bool share = is_utilisation(columns[c]);
      (share ? used : waiting).emplace_back(ledger.samples()[c][i]);
    }
    queue.row(waiting);
    utilisation.row(used);
  }
}

Status RunOutput::finish(const Ledger& ledger, const std::vector<Judged>& judged,
                         const json::object& run, const std::string& html) {
  ASSIGN_OR_RETURN(auto pod_table, pair("pods", {"pod", "source", "priority", "created", "bound",
                                                 "started", "ended", "wait", "state", "node",
                                                 "attempts", "requests", "message"}));
  pods(ledger, *pod_table->table);
  std::vector<std::string> waiting{"at"}, used{"at"};
  for (const std::string& column : ledger.columns()) {
    const bool share = is_utilisation(column);
    (share ? used : waiting).push_back(column);
  }
  ASSIGN_OR_RETURN(auto queue, pair("queue", waiting));
  ASSIGN_OR_RETURN(auto utilisation, pair("utilisation", used));
  series(ledger, *queue->table, *utilisation->table);
  ASSIGN_OR_RETURN(auto events, pair("events", {"at", "what"}));
  for (const auto& [at, what] : ledger.events()) events->table->row({at, what});
  for (Pair* one : {pod_table.get(), queue.get(), utilisation.get(), events.get(), decisions_.get(),
                    nodes_.get()}) {
    one->csv.close();
    one->jsonl.close();
    if (!one->csv || !one->jsonl) return unavailable(dir_ + ": a table cannot be written whole");
  }
  RETURN_IF_ERROR(write_text("report.html", html));
  json::object whole = run;
  json::object digests;
  for (const std::string& name : kFiles) {
    ASSIGN_OR_RETURN(digests[name], file_digest(dir_ + "/" + name));
  }
  whole["files"] = std::move(digests);
  return write_text("run.json", to_pretty_json(whole) + "\n");
}

Result<std::string> file_digest(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return not_found(fmt::format("{}: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << in.rdbuf();
  return hex_encode(sha256(text.str()));
}

}  // namespace coracle::sim
