// coracle sim import: a published trace as a trace file (docs/formats/trace.md).
#include <cstdio>
#include <cstring>
#include <fstream>

#include "base/check.hpp"
#include "program/commands.hpp"
#include "trace/trace_file.hpp"
#include "trace_import/importer.hpp"

namespace coracle::sim {
namespace {

int usage(FILE* to) {
  std::fputs(
      "Makes a trace file of a published trace's files, and checks that nothing was lost.\n\n"
      "Usage: coracle sim import KIND FILES... --out TRACE.jsonl\n\nKinds:\n",
      to);
  for (const Importer& importer : importers()) {
    std::fprintf(to, "  %-14s%s\n  %-14s%s\n", std::string(importer.kind).c_str(),
                 std::string(importer.summary).c_str(), "", std::string(importer.files).c_str());
  }
  return to == stdout ? 0 : 2;
}

int fail(const Status& status, int code) {
  std::fprintf(stderr, "coracle sim import: %s\n", status.message().c_str());
  return code;
}

void print(const Imported& imported) {
  std::printf("%-28s %18s %18s\n", "CHECK", "IN THE FILES", "IN THE TRACE");
  for (const ImportCheck& check : imported.checks) {
    std::printf("%-28s %18lld %18lld\n", check.what.c_str(), static_cast<long long>(check.read),
                static_cast<long long>(check.made));
  }
  for (const std::string& what : imported.left_out) std::printf("left out: %s\n", what.c_str());
}

}  // namespace

int run_import(int argc, char** argv) {
  std::vector<std::string> words;
  std::string out;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--help") == 0 || std::strcmp(argv[i], "-h") == 0) {
      return usage(stdout);
    }
    if (std::strcmp(argv[i], "--out") == 0 && i + 1 < argc) {
      out = argv[++i];
    } else if (argv[i][0] == '-') {
      return fail(invalid_argument(std::string(argv[i]) +
                                   ": there is no such flag, or its value is missing"),
                  2);
    } else {
      words.emplace_back(argv[i]);
    }
  }
  if (words.empty() || out.empty()) return usage(stderr);
  std::vector<SourceFile> files;
  for (size_t i = 1; i < words.size(); ++i) {
    auto in = std::make_unique<std::ifstream>(words[i]);
    if (!*in) return fail(not_found(words[i] + ": cannot be read"), 2);
    files.push_back({words[i], std::move(in)});
  }
  const Result<Imported> imported = import_trace(words[0], std::move(files));
  if (!imported.ok()) {
    return fail(imported.status(), imported.status().code() == Code::kDataLoss ? 1 : 2);
  }
  print(*imported);
  const Status written = write_trace_file(imported->trace, out);
  return written.ok() ? 0 : fail(written, 1);
}

}  // namespace coracle::sim
