#include "commands/plugins.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "commands/commands.hpp"

namespace coracle::kubectl {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    path = fs::temp_directory_path() / ("coracle-plugins-" + std::to_string(::getpid()));
    fs::create_directory(path);
  }
  ~Folder() { fs::remove_all(path); }
  void program(const std::string& name, bool runs = true) const {
    std::ofstream(path / name) << "#!/bin/sh\n";
    fs::permissions(path / name, runs ? fs::perms::owner_all : fs::perms::owner_read);
  }
  fs::path path;
};

TEST_CASE("words mean the program with the longest name") {
  const Folder folder;
  folder.program("kubectl-foo");
  folder.program("kubectl-foo-bar_baz");
  folder.program("kubectl-dull", false);
  const std::string path = "/nowhere:" + folder.path.string();
  const auto call = plugin_for({"foo", "bar-baz", "x", "--y"}, path);
  REQUIRE(call.has_value());
  CHECK(call->program == folder.path / "kubectl-foo-bar_baz");
  CHECK(call->arguments == std::vector<std::string>{"x", "--y"});
  CHECK(plugin_for({"foo", "x"}, path)->arguments == std::vector<std::string>{"x"});
  CHECK_FALSE(plugin_for({"dull"}, path).has_value());
  CHECK_FALSE(plugin_for({"--x", "foo"}, path).has_value());
  std::vector<std::string> rest;
  CHECK(command_of(all_commands(), {"-n", "x", "get", "pods"}, &rest)->name == "get");
  CHECK(command_of(all_commands(), {"foo"}, &rest) == nullptr);
}

}  // namespace
}  // namespace coracle::kubectl
