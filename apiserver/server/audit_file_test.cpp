#include "apiserver/server/audit_file.hpp"

#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace coracle::apiserver {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "audit-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string log() const { return (path / "audit.log").string(); }
  std::set<std::string> names() const {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(path)) out.insert(entry.path().filename());
    return out;
  }
};

WallTime at(int day) {
  return *parse_time("2026-01-01T10:20:30.5Z") + std::chrono::hours(24) * day;
}

TEST_CASE("a full audit file is put aside, old ones go") {
  Folder folder;
  std::ofstream(folder.path / "audit-notes.log") << "not one of them";
  auto file = AuditFile::open(folder.log(), {10, 2, std::chrono::hours(24) * 30});
  REQUIRE(file.ok());
  file->append("123456\n", at(0));
  CHECK(folder.names() == std::set<std::string>{"audit.log", "audit-notes.log"});
  struct stat about{};
  CHECK(::stat(folder.log().c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  file->append("second\n", at(1));
  file->append("third..\n", at(2));
  file->append("fourth.\n", at(3));
  CHECK(folder.names() == std::set<std::string>{"audit.log", "audit-notes.log",
                                                "audit-2026-01-03T10-20-30.500.log",
                                                "audit-2026-01-04T10-20-30.500.log"});
  std::ostringstream text;
  text << std::ifstream(folder.path / "audit-2026-01-04T10-20-30.500.log").rdbuf();
  CHECK(text.str() == "third..\n");
  file->append("fifth..\n", at(34));  // both are more than 30 days old
  CHECK(folder.names() ==
        std::set<std::string>{"audit.log", "audit-notes.log", "audit-2026-02-04T10-20-30.500.log"});
}

TEST_CASE("an audit file goes on where it ended") {
  Folder folder;
  {
    AuditFile::open(folder.log(), {10, 0, {}})->append("1234567\n", at(0));
  }
  AuditFile::open(folder.log(), {10, 0, {}})->append("89\n", at(1));
  CHECK(folder.names() == std::set<std::string>{"audit.log", "audit-2026-01-02T10-20-30.500.log"});
  CHECK_FALSE(AuditFile::open((folder.path / "none" / "audit.log").string(), {}).ok());
}

}  // namespace
}  // namespace coracle::apiserver
