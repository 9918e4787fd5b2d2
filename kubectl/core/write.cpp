#include "kubectl/write.hpp"

#include <ostream>

#include "api/object.hpp"

namespace coracle::kubectl {

std::vector<text::FlagSpec> write_flags(const std::string& field_manager) {
  using text::FlagType;
  std::vector<text::FlagSpec> out = output_flags();
  out.push_back({"dry-run", 0, FlagType::kString, "none",
                 "none, client (send nothing) or server (store nothing)", "unchanged"});
  out.push_back({"field-manager", 0, FlagType::kString, field_manager,
                 "The name that owns the changed fields"});
  return out;
}

text::FlagSpec record_flag() {
  return {"record", 0, text::FlagType::kBool, "false",
          "Write this command line into the object, as the cause of its change (deprecated)"};
}

text::FlagSpec local_flag() {
  return {"local", 0, text::FlagType::kBool, "false",
          "Do not ask the server: print what would become of the files"};
}

void WriteReport::record(json::value& object) const {
  if (!cause.empty()) api::set_annotation(object, "kubernetes.io/change-cause", cause);
}

Result<json::value> WriteReport::record_on_server(Session& session, const Target& target,
                                                  json::value now) const {
  if (cause.empty() || dry_run == DryRun::kClient) return now;
  json::value patch = json::object();
  record(patch);
  TRY_SERVER(json::value recorded, session.patch(target.resource, target.ns, target.name,
                                                 client::PatchType::kMerge, patch, query()));
  return recorded;
}

Result<WriteReport> WriteReport::make(Invocation& call) {
  WriteReport out;
  const std::string dry_run = call.flags.get("dry-run");
  if (dry_run == "client" || dry_run == "unchanged" || dry_run == "true") {
    if (dry_run != "client") {
      call.session.warn(
          "W0000 00:00:00.000000 --dry-run is deprecated and can be replaced with "
          "--dry-run=client.");
    }
    out.dry_run = DryRun::kClient;
  } else if (dry_run == "server") {
    out.dry_run = DryRun::kServer;
  } else if (!dry_run.empty() && dry_run != "none" && dry_run != "false") {
    return fail("invalid dry-run value (" + dry_run +
                "). Must be \"none\", \"server\", or \"client\".");
  }
  out.local_ = call.flags.is_set("local");
  if (out.local_) out.dry_run = DryRun::kClient;
  if (call.flags.is_set("record")) out.cause = call.line();
  if (call.flags.has("record")) {
    call.session.warn("Flag --record has been deprecated, --record will be removed in the future");
  }
  out.field_manager = call.flags.get("field-manager");
  out.out_ = &call.session.io.out;
  ASSIGN_OR_RETURN(const OutputFormat format, output_format(call.flags));
  if (format.name == "name") {
    out.name_only_ = true;
  } else if (!format.is_table()) {
    ASSIGN_OR_RETURN(out.printer_, make_printer(format));
  }
  return out;
}

client::QueryList WriteReport::query() const {
  client::QueryList out;
  if (dry_run == DryRun::kServer) out.emplace_back("dryRun", "All");
  if (!field_manager.empty()) out.emplace_back("fieldManager", field_manager);
  return out;
}

Status WriteReport::print(const json::value& object, const std::string& what) {
  if (printer_) {
    ASSIGN_OR_RETURN(const std::string text, printer_->print(object));
    *out_ << text;
  } else if (name_only_) {
    *out_ << printed_name(object) << "\n";
  } else {
    *out_ << printed_name(object) << " " << what
          << (local_                       ? ""
              : dry_run == DryRun::kClient ? " (dry run)"
              : dry_run == DryRun::kServer ? " (server dry run)"
                                           : "")
          << "\n";
  }
  out_->flush();
  return {};
}

}  // namespace coracle::kubectl
