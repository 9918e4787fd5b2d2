// Small file work of the runtime: folders, files, links, owners. Errors name the path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.hpp"

namespace coracle::kubelet {

// Who owns what containers see; -1: leave it to the user we run as.
struct Owner {
  std::int64_t uid = -1, gid = -1;
};

// With its parents (mode 0755, the same owner).
Status make_folder(const std::string& path, int mode, Owner owner);
Status make_file(const std::string& path, std::string_view content, int mode, Owner owner);
// Replaces what is there.
Status make_link(const std::string& path, const std::string& target, Owner owner);
Status give(const std::string& path, Owner owner);
// The file's first bytes; empty if there is none.
std::string read_start(const std::string& path, size_t bytes_max);
// All of a tree, also what its owner has locked; NotFound is fine.
void remove_tree(const std::string& path);
// What the files below take of the disk, each once, links not followed. At most `entries_max` are
// looked at: more than that count as nothing.
std::int64_t disk_use(const std::string& path, int entries_max);
// Does the relative path stay below its root, by text alone?
bool stays_inside(std::string_view path);

}  // namespace coracle::kubelet
