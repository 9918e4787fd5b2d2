// Targets: which objects a command line means: files, `pod a b`, `po,svc`, `deploy/web svc/x`, with
// selectors or --all. As kubectl's resource builder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kubectl/manifest.hpp"
#include "kubectl/session.hpp"

namespace coracle::kubectl {

struct Target {
  Resource resource;
  std::string ns;       // empty: all, or not namespaced
  std::string name;     // empty: the whole collection (by the selectors)
  std::string source;   // the file, if it came from one
  json::value object;   // from the file, or fetched; null when not yet
  Status failure = {};  // not ok: no object, but what is wrong with a file (find_each_target)
};

struct TargetOptions {
  std::vector<std::string> args;
  ManifestOptions files;
  std::string label_selector, field_selector;
  bool all = false;             // --all: collections without a selector are meant
  bool all_namespaces = false;  // -A
  bool need_names = true;       // a bare `TYPE` fails; else it is its collection
  bool local = false;           // --local: files alone, and the server is not asked
  bool as_given = false;        // objects of files are visited as they stand there
};

// From the flags -f, -R, -l, --field-selector, --all, -A (those that are defined).
TargetOptions target_options(const text::ParsedFlags& flags, std::vector<std::string> args);

// -f or -k is given.
bool has_files(const text::ParsedFlags& flags);
// Those of commands that send what files say, and check it before.
TargetOptions file_options(const text::ParsedFlags& flags);

// What is meant, in the order given; nothing is fetched. Objects from files carry their namespace.
Result<std::vector<Target>> find_targets(Session& session, const TargetOptions& options);
// The same; what is wrong in files stands in its place, and the others can be gone on with.
Result<std::vector<Target>> find_each_target(Session& session, const TargetOptions& options);
// Objects from files alone, those of the selector.
Result<std::vector<Target>> file_targets(Session& session, TargetOptions options);
Result<std::vector<Target>> each_file_target(Session& session, TargetOptions options);

// Runs `visit` for each object meant, fetched, collections opened. Goes on after failures, and
// gives them all.
Status visit_objects(Session& session, const std::vector<Target>& targets,
                     const TargetOptions& options, const std::function<Status(Target&)>& visit);
// The same, with the objects of files as they are on the server.
Result<std::vector<Target>> fetch_objects(Session& session, const TargetOptions& options);

// One per target of kind: `pod/x` or `pod x`.
Result<Target> only_target(Session& session, const TargetOptions& options);

std::vector<text::FlagSpec> file_flags();      // -f -R -k
std::vector<text::FlagSpec> selector_flags();  // -l --field-selector --all -A
// Joins lists of flags.
std::vector<text::FlagSpec> operator+(std::vector<text::FlagSpec> a,
                                      const std::vector<text::FlagSpec>& b);
// What the server said of a collection, with the selectors it was asked for.
client::ApiError list_failure(client::ApiError error, const Resource& resource,
                              const TargetOptions& options);

}  // namespace coracle::kubectl
