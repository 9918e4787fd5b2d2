// TempDir: a folder that a test may fill; gone with the object. Tests only.
#pragma once

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <string>

#include "disk/file.hpp"

namespace coracle::disk {

struct TempDir {
  TempDir() {
    std::string pattern = "/tmp/coracle-disk-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~TempDir() { (void)remove_tree(path); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string path;
};

}  // namespace coracle::disk
