// label and annotate: the same command over two maps of the metadata. Pure but for run.
#pragma once

#include <string>
#include <vector>

#include "kubectl/command.hpp"

namespace coracle::kubectl {

struct MetadataChange {
  std::vector<std::pair<std::string, std::string>> set;
  std::vector<std::string> remove;
};

// Parts `pod web a=b c-` into the object words and the changes. Words after the first change must
// be changes too.
Result<MetadataChange> split_changes(std::vector<std::string>& words, const char* what);

struct MetadataWords {
  const char* field;     // "labels"
  const char* singular;  // "label"
  const char* done;      // "labeled"
  const char* undone;    // "unlabeled"; nullptr: as done
  const char* manager;   // field manager
};
Status run_metadata_edit(Invocation& call, const MetadataWords& words);
std::vector<text::FlagSpec> metadata_edit_flags(const MetadataWords& words);

}  // namespace coracle::kubectl
