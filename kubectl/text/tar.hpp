// tar archives, as `kubectl cp` sends and gets them: written as ustar with pax headers for long
// names, read also as GNU tar and busybox write them. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.hpp"

namespace coracle::text {

struct TarEntry {
  enum class Kind { kFile, kFolder, kLink, kOther };
  Kind kind = Kind::kFile;
  std::string name;  // a folder's without the slash behind
  std::string link;  // where a symbolic link leads
  std::uint64_t size = 0;
  unsigned mode = 0644;
  std::int64_t modified = 0;  // seconds since 1970
};

// The header of an entry; its `size` bytes follow, then tar_padding(size).
std::string tar_header(const TarEntry& entry);
std::string tar_padding(std::uint64_t size);
std::string tar_end();

// Reads an archive as it comes. on_entry is called before the bytes of a file, on_data with those.
// Bounds: names of at most kNameMax bytes.
class TarReader {
 public:
  static constexpr std::size_t kNameMax = 64 << 10;

  TarReader(std::function<void(const TarEntry&)> on_entry,
            std::function<void(std::string_view)> on_data, std::function<void()> on_entry_end)
      : on_entry_(std::move(on_entry)),
        on_data_(std::move(on_data)),
        on_entry_end_(std::move(on_entry_end)) {}

  // InvalidArgument: this is no tar archive.
  Status feed(std::string_view bytes);
  // Whether what came is whole: it ended, or stands between two entries.
  bool complete() const { return ended_ || (held_.empty() && left_ == 0 && !in_entry_); }

 private:
  Status take_header(std::string_view block);
  void take_note(std::string_view body);
  void finish_entry();

  const std::function<void(const TarEntry&)> on_entry_;
  const std::function<void(std::string_view)> on_data_;
  const std::function<void()> on_entry_end_;
  std::string held_;                     // less than a block
  std::uint64_t left_ = 0;               // of the entry's bytes
  std::uint64_t padding_ = 0;            // behind them
  char note_ = 0;                        // the entry is about the next one: L, K, x; g: about all
  std::string note_text_, name_, link_;  // name_ and link_: given by a note
  std::string size_;
  bool in_entry_ = false, ended_ = false;
};

}  // namespace coracle::text
