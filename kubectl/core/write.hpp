// What commands that change objects share: --dry-run, --field-manager, and the line that tells what
// was done ("pod/web created (dry run)") or the object itself with -o.
#pragma once

#include <memory>
#include <string>

#include "kubectl/command.hpp"
#include "kubectl/output.hpp"

namespace coracle::kubectl {

enum class DryRun { kNone, kClient, kServer };

// --dry-run, --field-manager and the flags of -o.
std::vector<text::FlagSpec> write_flags(const std::string& field_manager);

class WriteReport {
 public:
  // Reads -o and --dry-run; `invalid dry-run value (x). Must be "none", "server", or "client".`
  static Result<WriteReport> make(Invocation& call);

  DryRun dry_run = DryRun::kNone;
  std::string field_manager;
  // dryRun=All, fieldManager=...
  client::QueryList query() const;
  // "deployment.apps/web created", or as -o says.
  Status print(const json::value& object, const std::string& what);

 private:
  std::ostream* out_ = nullptr;
  std::unique_ptr<ObjectPrinter> printer_;  // null: the line
  bool name_only_ = false;
};

}  // namespace coracle::kubectl
