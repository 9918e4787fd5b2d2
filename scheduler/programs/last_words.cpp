#include "programs/last_words.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/strings.hpp"

namespace coracle::scheduler {
namespace {

// Between the end of its output and its end nothing is left to do.
constexpr Duration kEndMax = std::chrono::milliseconds(200);

}  // namespace

std::optional<std::vector<std::string>> Complaints::read_from(int fd) {
  std::vector<std::string> lines;
  std::array<char, 4096> buffer;
  // A flood is read a piece at a time.
  const ssize_t n = read(fd, buffer.data(), buffer.size());
  if (n == 0) return std::nullopt;
  if (n < 0) return lines;
  text_.append(buffer.data(), static_cast<size_t>(n));
  for (size_t end; (end = text_.find('\n')) != text_.npos; text_.erase(0, end + 1)) {
    std::string line(trim(std::string_view(text_).substr(0, end)));
    if (!line.empty()) last_ = line;
    lines.push_back(std::move(line));
  }
  if (text_.size() > kComplaintBytesMax) text_.resize(kComplaintBytesMax);
  return lines;
}

std::string no_answer_within(Duration timeout) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  return ms % 1000 == 0 ? fmt::format("no answer within {}s", ms / 1000)
                        : fmt::format("no answer within {}ms", ms);
}

std::string how_it_ended(Child& child, Complaints& complaints) {
  const std::string how = wait_child(child, kEndMax);
  // The most that is kept in a pipe.
  for (size_t read = 0; read < 65536 && complaints.read_from(child.error); read += 4096) {
  }
  std::string text = "it ended with " + how;
  if (!complaints.last().empty()) text += ", its last words: " + complaints.last();
  return text;
}

}  // namespace coracle::scheduler
