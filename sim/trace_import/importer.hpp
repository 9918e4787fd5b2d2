// Importers: published traces, from their files, as a Trace. One file an importer, and a line in
// the table of importer.cpp. Pure but for the streams they are handed.
//
// Every importer counts rows and sums amounts as it reads, and the same again of the Trace it made;
// both are Checks, and a mismatch is an error. A row that cannot become an event is an error, or is
// left out and counted with the reason: never silently.
#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trace/trace.hpp"
#include "trace_import/csv.hpp"

namespace coracle::sim {

struct SourceFile {
  std::string name;  // its path; errors name it
  std::unique_ptr<std::istream> in;
};

// What was counted in the files, and in the trace.
struct ImportCheck {
  std::string what;  // "pods", "cpu milli requested"
  std::int64_t read = 0, made = 0;
};

struct Imported {
  Trace trace;
  std::vector<ImportCheck> checks;
  std::vector<std::string> left_out;  // "12 tasks: they have no end"
};

struct Importer {
  std::string_view kind;     // "openb"
  std::string_view files;    // "NODES.csv PODS.csv", in this order
  std::string_view summary;  // whose trace
  size_t files_min = 1, files_max = 1;
  Result<Imported> (*import)(std::vector<SourceFile>& files);
};

std::span<const Importer> importers();
// NotFound names those there are.
Result<Imported> import_trace(std::string_view kind, std::vector<SourceFile> files);

// Sorts events by time (nodes before what else happens then), and fails where the trace is not one
// (check_trace) or a check does not add up.
Status finish_import(Imported& imported);

// What an importer leaves out, by reason: "tasks without an end".
class LeftOut {
 public:
  void count(const std::string& why);
  std::int64_t total() const;
  std::vector<std::string> texts() const;

 private:
  std::map<std::string, std::int64_t> counts_;
};

// For importers.
json::object amounts_of(std::int64_t cpu_milli, std::int64_t memory_mib);
std::int64_t amount_in(const json::object& amounts, std::string_view resource, bool milli);
// Of all pods, or of all nodes.
std::int64_t sum_of_pods(const Trace& trace, std::string_view resource, bool milli);
std::int64_t sum_of_nodes(const Trace& trace, std::string_view resource, bool milli);

Result<Imported> import_openb(std::vector<SourceFile>& files);
Result<Imported> import_azure_packing(std::vector<SourceFile>& files);
Result<Imported> import_alibaba2018(std::vector<SourceFile>& files);
Result<Imported> import_google2019(std::vector<SourceFile>& files);
Result<Imported> import_philly(std::vector<SourceFile>& files);

}  // namespace coracle::sim
