#include "text/tar.hpp"

#include <algorithm>
#include <cstring>

#include "base/strings.hpp"

namespace coracle::text {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kOctalMax = 077777777777;  // what eleven digits hold

std::uint64_t padding_of(std::uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

void put(std::string& block, std::size_t at, std::string_view text) {
  block.replace(at, text.size(), text);
}

std::string octal(std::uint64_t value, std::size_t digits) {
  std::string out(digits, '0');
  for (std::size_t i = digits; i > 0 && value > 0; --i, value >>= 3) {
    out[i - 1] = static_cast<char>('0' + (value & 7));
  }
  return out;
}

unsigned checksum(std::string_view block) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

std::string ustar(const TarEntry& entry, char type, std::string_view name, std::string_view link) {
  std::string block(kBlock, '\0');
  put(block, 0, name.substr(0, 100));
  put(block, 100, octal(entry.mode & 07777, 7));
  put(block, 108, octal(0, 7));
  put(block, 116, octal(0, 7));
  put(block, 124, octal(std::min(entry.size, kOctalMax), 11));
  put(block, 136, octal(static_cast<std::uint64_t>(std::max<std::int64_t>(entry.modified, 0)), 11));
  block[156] = type;
  put(block, 157, link.substr(0, 100));
  put(block, 257, std::string_view("ustar\00000", 8));
  put(block, 148, octal(checksum(block), 6));
  block[154] = '\0';
  block[155] = ' ';
  return block;
}

// "LENGTH KEY=VALUE\n", where the length counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
  std::size_t size = rest.size();
  while (std::to_string(size).size() + rest.size() != size) {
    size = std::to_string(size).size() + rest.size();
  }
  return std::to_string(size) + rest;
}

std::string_view field(std::string_view block, std::size_t at, std::size_t size) {
  const std::string_view whole = block.substr(at, size);
  return whole.substr(0, std::min(whole.find('\0'), size));
}

// Octal, or, with its first bit set, binary.
std::uint64_t number(std::string_view block, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  if (static_cast<unsigned char>(block[at]) & 0x80) {
    for (std::size_t i = 1; i < size; ++i)
      out = out << 8 | static_cast<unsigned char>(block[at + i]);
    return out;
  }
  for (const char c : field(block, at, size)) {
    if (c >= '0' && c <= '7') out = out << 3 | static_cast<std::uint64_t>(c - '0');
  }
  return out;
}

}  // namespace

std::string tar_header(const TarEntry& entry) {
  const bool folder = entry.kind == TarEntry::Kind::kFolder;
  const char type = folder ? '5' : entry.kind == TarEntry::Kind::kLink ? '2' : '0';
  const std::string name = folder ? entry.name + "/" : entry.name;
  std::string notes;
  if (name.size() > 100) notes += pax_record("path", name);
  if (entry.link.size() > 100) notes += pax_record("linkpath", entry.link);
  if (entry.size > kOctalMax) notes += pax_record("size", std::to_string(entry.size));
  std::string out;
  if (!notes.empty()) {
    TarEntry about;
    about.size = notes.size();
    out = ustar(about, 'x', "././@PaxHeader", "") + notes + tar_padding(notes.size());
  }
  return out + ustar(entry, type, name, entry.link);
}

std::string tar_padding(std::uint64_t size) { return std::string(padding_of(size), '\0'); }
std::string tar_end() { return std::string(2 * kBlock, '\0'); }

Status TarReader::feed(std::string_view bytes) {
  while (!bytes.empty() && !ended_) {
    if (left_ > 0 || padding_ > 0) {
      std::uint64_t& count = left_ > 0 ? left_ : padding_;
      const std::string_view part = bytes.substr(0, std::min<std::uint64_t>(count, bytes.size()));
      if (&count == &left_) {
        if (note_ == 0) {
          on_data_(part);
        } else if (note_text_.size() + part.size() > kNameMax) {
          return invalid_argument("archive/tar: invalid tar header");
        } else {
          note_text_ += part;
        }
      }
      count -= part.size();
      bytes.remove_prefix(part.size());
      if (left_ == 0 && padding_ == 0) finish_entry();
      continue;
    }
    const std::string_view part = bytes.substr(0, kBlock - held_.size());
    held_ += part;
    bytes.remove_prefix(part.size());
    if (held_.size() < kBlock) continue;
    const std::string block = std::exchange(held_, {});
    RETURN_IF_ERROR(take_header(block));
  }
  return {};
}

Status TarReader::take_header(std::string_view block) {
  if (block.find_first_not_of('\0') == block.npos) {
    ended_ = true;
    return {};
  }
  if (number(block, 148, 8) != checksum(block)) {
    return invalid_argument("archive/tar: invalid tar header");
  }
  TarEntry entry;
  const char type = block[156];
  entry.size = number(block, 124, 12);
  if (long long size = 0; !size_.empty() && parse_int(size_, &size)) {
    entry.size = static_cast<std::uint64_t>(size);
  }
  entry.mode = static_cast<unsigned>(number(block, 100, 8)) & 07777;
  entry.modified = static_cast<std::int64_t>(number(block, 136, 12));
  if (type == 'L' || type == 'K' || type == 'x' || type == 'g') {
    note_ = type;
    note_text_.clear();
  } else {
    entry.name = field(block, 0, 100);
    const bool posix = block.substr(257, 6) == std::string_view("ustar\0", 6);
    if (const std::string prefix(field(block, 345, 155)); posix && !prefix.empty()) {
      entry.name = prefix + "/" + entry.name;
    }
    entry.link = field(block, 157, 100);
    if (!name_.empty()) entry.name = std::exchange(name_, {});
    if (!link_.empty()) entry.link = std::exchange(link_, {});
    size_.clear();
    const bool slashed = entry.name.size() > 1 && entry.name.ends_with('/');
    entry.kind = type == '5' || (type != '2' && slashed)      ? TarEntry::Kind::kFolder
                 : type == '2'                                ? TarEntry::Kind::kLink
                 : type == '0' || type == '\0' || type == '7' ? TarEntry::Kind::kFile
                                                              : TarEntry::Kind::kOther;
    while (entry.name.size() > 1 && entry.name.ends_with('/')) entry.name.pop_back();
    if (entry.kind == TarEntry::Kind::kFolder || entry.kind == TarEntry::Kind::kLink) {
      entry.size = 0;
    }
    note_ = 0;
    in_entry_ = true;
    on_entry_(entry);
  }
  left_ = entry.size;
  padding_ = padding_of(entry.size);
  if (left_ == 0 && padding_ == 0) finish_entry();
  return {};
}

void TarReader::finish_entry() {
  if (note_ == 0) {
    in_entry_ = false;
    return on_entry_end_();
  }
  take_note(std::exchange(note_text_, {}));
}

void TarReader::take_note(std::string_view body) {
  if (note_ == 'L' || note_ == 'K') {
    std::string& slot = note_ == 'L' ? name_ : link_;
    slot = body.substr(0, std::min(body.find('\0'), body.size()));
  }
  while (note_ == 'x' && !body.empty()) {
    const std::size_t space = body.find(' ');
    long long size = 0;
    if (space == body.npos || !parse_int(body.substr(0, space), &size) || size <= 0) return;
    const auto length = static_cast<std::size_t>(size);
    if (length > body.size() || length < space + 2) return;
    const std::string_view record = body.substr(space + 1, length - space - 2);  // without \n
    const std::size_t equals = record.find('=');
    if (equals == record.npos) return;
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") name_ = value;
    if (key == "linkpath") link_ = value;
    if (key == "size") size_ = value;
    body.remove_prefix(length);
  }
}

}  // namespace coracle::text
