#include "kubelet_runtime/volume_store.hpp"

#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace coracle::kubelet {
namespace {

namespace fs = std::filesystem;

bool same_content(const std::string& path, const std::string& content) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  return std::string(std::istreambuf_iterator<char>(file), {}) == content;
}

size_t count_files(const std::string& folder) {
  size_t count = 0;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(folder, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    count += it->is_regular_file(ignored) ? 1 : 0;
  }
  return count;
}

bool unchanged(const std::string& folder, const std::vector<VolumeFile>& files) {
  const std::string data = folder + "/..data";
  std::error_code error;
  if (!fs::exists(data, error)) return false;
  // A key given twice is one file.
  std::set<std::string> names;
  for (const VolumeFile& file : files) {
    names.insert(file.path);
    if (!same_content(data + "/" + file.path, file.content)) return false;
  }
  return count_files(data + "/") == names.size();
}

std::string top_of(const std::string& path) { return path.substr(0, path.find('/')); }

}  // namespace

Result<bool> write_volume(const std::string& folder, const std::vector<VolumeFile>& files,
                          Owner owner, bool group_reads, const std::string& stamp) {
  for (const VolumeFile& file : files) {
    if (file.path.empty() || file.path[0] == '/' || !stays_inside(file.path)) {
      return invalid_argument(fmt::format("invalid path: {}", file.path));
    }
  }
  RETURN_IF_ERROR(make_folder(folder, 0755, owner));
  if (unchanged(folder, files)) return false;
  const std::string name = ".." + stamp;
  RETURN_IF_ERROR(make_folder(folder + "/" + name, 0755, owner));
  std::set<std::string> tops;
  for (const VolumeFile& file : files) {
    const std::string path = folder + "/" + name + "/" + file.path;
    RETURN_IF_ERROR(make_folder(path.substr(0, path.rfind('/')), 0755, owner));
    const int mode = group_reads ? file.mode | 0440 : file.mode;
    RETURN_IF_ERROR(make_file(path, file.content, mode, owner));
    tops.insert(top_of(file.path));
  }
  std::error_code error;
  const fs::path old = fs::read_symlink(folder + "/..data", error);
  RETURN_IF_ERROR(make_link(folder + "/..data_tmp", name, owner));
  if (rename((folder + "/..data_tmp").c_str(), (folder + "/..data").c_str()) != 0) {
    return unavailable(fmt::format("rename {}/..data: {}", folder, std::strerror(errno)));
  }
  for (const std::string& top : tops) {
    RETURN_IF_ERROR(make_link(folder + "/" + top, "..data/" + top, owner));
  }
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string there = entry.path().filename();
    if (!there.starts_with("..") && !tops.contains(there)) remove_tree(entry.path());
  }
  if (!old.empty() && old != name) remove_tree(folder + "/" + old.string());
  return true;
}

}  // namespace coracle::kubelet
