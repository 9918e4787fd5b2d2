// What commands that change objects share: --dry-run, --field-manager, and the line that tells what
// was done ("pod/web created (dry run)") or the object itself with -o.
#pragma once

#include <memory>
#include <string>

#include "kubectl/command.hpp"
#include "kubectl/output.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {

enum class DryRun { kNone, kClient, kServer };

// --dry-run, --field-manager and the flags of -o.
std::vector<text::FlagSpec> write_flags(const std::string& field_manager);
text::FlagSpec record_flag();  // --record, of those that change what is there
text::FlagSpec local_flag();   // --local, of those that can do without a server

class WriteReport {
 public:
  // Reads -o and --dry-run; `invalid dry-run value (x). Must be "none", "server", or "client".`
  static Result<WriteReport> make(Invocation& call);

  DryRun dry_run = DryRun::kNone;  // kClient with --local too
  std::string field_manager;
  std::string cause;  // --record: what kubernetes.io/change-cause becomes
  // dryRun=All, fieldManager=...
  client::QueryList query() const;
  // With --record: the annotation, in an object or in a merge or strategic patch.
  void record(json::value& object) const;
  // With --record: sent by itself. What the server has then; without, `now`.
  Result<json::value> record_on_server(Session& session, const Target& target,
                                       json::value now) const;
  // "deployment.apps/web created", or as -o says.
  Status print(const json::value& object, const std::string& what);

 private:
  std::ostream* out_ = nullptr;
  std::unique_ptr<ObjectPrinter> printer_;  // null: the line
  bool name_only_ = false, local_ = false;
};

}  // namespace coracle::kubectl
