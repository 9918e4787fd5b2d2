// cp: files to and from a container, through the tar in it.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/pod_target.hpp"
#include "commands/streaming.hpp"
#include "text/tar.hpp"

namespace coracle::kubectl {
namespace {

namespace fs = std::filesystem;
using text::FlagType;
using text::TarEntry;

constexpr std::size_t kPiece = 64 << 10;

// PATH, POD:PATH or NAMESPACE/POD:PATH.
struct Place {
  std::string ns, pod, path;  // pod "": a local path
};

Result<Place> parse_place(const std::string& word) {
  const std::size_t colon = word.find(':');
  if (colon == word.npos) return Place{"", "", word};
  if (colon == 0)
    return fail("filespec must match the canonical format: [[namespace/]pod:]file/path");
  const std::string before = word.substr(0, colon), path = word.substr(colon + 1);
  const std::vector<std::string> parts = split(before, '/');
  if (parts.size() == 1) return Place{"", parts[0], path};
  if (parts.size() == 2) return Place{parts[0], parts[1], path};
  return fail("filespec must match the canonical format: [[namespace/]pod:]file/path");
}

std::string base_of(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path.substr(path.rfind('/') + 1);
}
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}
std::string trimmed(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// The archive of a file or folder, made piece by piece under a new name.
class Packer {
 public:
  Packer(const std::string& from, const std::string& as) { add(from, as); }

  std::string next() {
    while (open_.is_open()) {
      std::string piece(kPiece, '\0');
      open_.read(piece.data(),
                 static_cast<std::streamsize>(std::min<std::uint64_t>(kPiece, left_)));
      piece.resize(static_cast<std::size_t>(open_.gcount()));
      left_ -= piece.size();
      if (piece.empty() && left_ > 0) piece.assign(std::min<std::uint64_t>(kPiece, left_), '\0');
      if (piece.empty() || left_ == 0) {
        open_.close();
        piece += text::tar_padding(size_);
      }
      if (!piece.empty()) return piece;
    }
    if (at_ == waiting_.size()) return std::exchange(ended_, true) ? "" : text::tar_end();
    const auto [path, name] = waiting_[at_++];
    return header(path, name);
  }

 private:
  void add(const fs::path& path, const std::string& name) { waiting_.emplace_back(path, name); }

  std::string header(const fs::path& path, const std::string& name) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    TarEntry entry;
    entry.name = name;
    entry.mode = static_cast<unsigned>(status.permissions()) & 07777;
    const auto written = fs::last_write_time(path, error);
    if (!error) {
      entry.modified = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::file_clock::to_sys(written).time_since_epoch())
                           .count();
    }
    if (fs::is_symlink(status)) {
      entry.kind = TarEntry::Kind::kLink;
      entry.link = fs::read_symlink(path, error).string();
    } else if (fs::is_directory(status)) {
      entry.kind = TarEntry::Kind::kFolder;
      std::vector<fs::path> inside;
      for (const auto& one : fs::directory_iterator(path, error)) inside.push_back(one.path());
      std::sort(inside.begin(), inside.end());
      for (const fs::path& one : inside) add(one, name + "/" + one.filename().string());
    } else {
      entry.size = size_ = left_ = fs::file_size(path, error);
      open_.open(path, std::ios::binary);
      if (error || !open_.is_open()) {
        open_.close();
        return next();
      }
    }
    return text::tar_header(entry);
  }

  std::vector<std::pair<fs::path, std::string>> waiting_;
  std::size_t at_ = 0;
  std::ifstream open_;
  std::uint64_t size_ = 0, left_ = 0;
  bool ended_ = false;
};

// Writes an archive's entries below a local path; what would leave it is refused.
class Unpacker {
 public:
  Unpacker(Session& session, std::string prefix, fs::path to)
      : session_(session), prefix_(std::move(prefix)), to_(std::move(to)) {}

  text::TarReader reader() {
    return text::TarReader(
        [this](const TarEntry& entry) { begin(entry); },
        [this](std::string_view data) { file_.write(data.data(), std::ssize(data)); },
        [this] { end(); });
  }
  bool any() const { return any_; }
  const Status& status() const { return status_; }

 private:
  void begin(const TarEntry& entry) {
    any_ = true;
    std::string name = entry.name;
    while (name.starts_with("./")) name.erase(0, 2);
    while (name.starts_with('/')) name.erase(0, 1);
    if (name != prefix_ && !name.starts_with(prefix_ + "/") && prefix_ != ".") {
      return note("tar contents corrupted");
    }
    const std::string rest = prefix_ == "."                 ? name
                             : name.size() > prefix_.size() ? name.substr(prefix_.size() + 1)
                                                            : std::string();
    for (const std::string& part : split(rest, '/')) {
      if (part == "..") {
        session_.warn("warning: file " + coracle::quoted(entry.name) +
                      " is outside target destination, skipping");
        return;
      }
    }
    const fs::path path = rest.empty() ? to_ : to_ / rest;
    std::error_code error;
    if (entry.kind == TarEntry::Kind::kFolder) {
      fs::create_directories(path, error);
    } else if (entry.kind == TarEntry::Kind::kLink) {
      session_.warn("warning: skipping symlink: " + coracle::quoted(path.string()) + " -> " +
                    coracle::quoted(entry.link));
    } else if (entry.kind == TarEntry::Kind::kFile) {
      if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
      file_.open(path, std::ios::binary | std::ios::trunc);
      if (!file_.is_open()) return note("open " + path.string() + ": " + std::strerror(errno));
      path_ = path;
      mode_ = entry.mode;
    }
    if (error) note(path.string() + ": " + error.message());
  }
  void end() {
    if (!file_.is_open()) return;
    file_.close();
    if (file_.fail()) note("write " + path_.string() + " failed");
    std::error_code ignored;
    fs::permissions(path_, static_cast<fs::perms>(mode_ & 0777), ignored);
  }
  void note(const std::string& what) {
    if (status_.ok()) status_ = fail(what);
  }

  Session& session_;
  const std::string prefix_;
  const fs::path to_;
  std::ofstream file_;
  fs::path path_;
  unsigned mode_ = 0644;
  bool any_ = false;
  Status status_;
};

class Copy {
 public:
  explicit Copy(Invocation& call) : call_(call), session_(call.session) {}

  Status run() {
    if (call_.args.size() != 2) {
      return usage_failure("cp", "source and destination are required");
    }
    ASSIGN_OR_RETURN(const Place from, parse_place(call_.args[0]));
    ASSIGN_OR_RETURN(const Place to, parse_place(call_.args[1]));
    if (!from.pod.empty() && !to.pod.empty()) {
      return fail("one of src or dest must be a local file specification");
    }
    if (from.pod.empty() && to.pod.empty()) {
      return fail("one of src or dest must be a remote file specification");
    }
    if (from.path.empty() || to.path.empty()) return fail("filepath can not be empty");
    ASSIGN_OR_RETURN(link_, make_link(session_));
    RETURN_IF_ERROR(find_pod(from.pod.empty() ? to : from));
    return from.pod.empty() ? push(from.path, to.path) : pull(from.path, to.path);
  }

 private:
  Status find_pod(const Place& place) {
    request_.ns = place.ns.empty() ? session_.namespace_name() : place.ns;
    request_.pod = place.pod;
    ASSIGN_OR_RETURN(const Resource* pods, session_.resource("pods"));
    TRY_SERVER(const json::value pod, session_.get(*pods, request_.ns, request_.pod));
    ASSIGN_OR_RETURN(request_.container,
                     container_of(session_, pod, call_.flags.get("container"), false));
    return {};
  }

  RemoteEnd execute(std::vector<std::string> command, RemoteStreams streams) {
    RemoteRequest request = request_;
    request.command = std::move(command);
    request.input = streams.input != nullptr;
    if (!streams.err) streams.err = [this](std::string_view text) { session_.io.err << text; };
    return run_remote(*link_, remote_target(request), std::move(streams));
  }

  Status push(const std::string& from, std::string to) {
    std::error_code error;
    if (!fs::exists(from, error)) return fail(from + " doesn't exist in local filesystem");
    to = trimmed(to);
    const RemoteEnd is_folder = execute({"test", "-d", to}, {.err = [](std::string_view) {}});
    if (is_folder.refused || !is_folder.failure.empty()) return remote_failure(session_, is_folder);
    if (is_folder.exit_code == 0)
      to = (to == "/" ? "" : to) + "/" + base_of(fs::absolute(from).lexically_normal());
    std::vector<std::string> command = {"tar", "-xmf", "-"};
    if (call_.flags.is_set("no-preserve")) {
      command = {"tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-"};
    }
    if (const std::string folder = folder_of(to); folder != ".") {
      command.insert(command.end(), {"-C", folder});
    }
    const auto packer = std::make_shared<Packer>(trimmed(from), base_of(to));
    const auto input = made_input(link_->executor(), [packer] { return packer->next(); });
    RemoteStreams streams;
    streams.out = [this](std::string_view text) { session_.io.out << text; };
    streams.input = input.get();
    return remote_failure(session_, execute(command, std::move(streams)));
  }

  Status pull(const std::string& from, const std::string& to) {
    std::error_code error;
    const std::string source = trimmed(from);
    fs::path place = trimmed(to);
    if (fs::is_directory(place, error)) place /= base_of(source);
    std::string prefix = source;
    while (prefix.starts_with("./")) prefix.erase(0, 2);
    while (prefix.starts_with('/')) prefix.erase(0, 1);
    Unpacker unpacker(session_, prefix.empty() ? "." : prefix, place);
    text::TarReader reader = unpacker.reader();
    Status broken;
    RemoteStreams streams;
    streams.out = [&](std::string_view data) {
      if (broken.ok()) broken = reader.feed(data);
    };
    const RemoteEnd end = execute({"tar", "cf", "-", source}, std::move(streams));
    RETURN_IF_ERROR(remote_failure(session_, end));
    if (!broken.ok()) return fail(broken.message());
    if (!reader.complete()) return fail("unexpected EOF");
    if (!unpacker.any()) return fail(from + " no such file or directory");
    return unpacker.status();
  }

  Invocation& call_;
  Session& session_;
  std::unique_ptr<Link> link_;
  RemoteRequest request_;
};

}  // namespace

Command cp_command() {
  return {
      .name = "cp",
      .usage = "SOURCE DESTINATION",
      .summary = "Copy files to and from containers",
      .examples =
          "  kubectl cp ./notes web:/tmp/notes\n  kubectl cp shop/web:/etc/nginx ./nginx -c app\n",
      .flags = {{"container", 'c', FlagType::kString, "", "Which container"},
                {"no-preserve", 0, FlagType::kBool, "false", "Do not keep owners and permissions"},
                {"retries", 0, FlagType::kInt, "0", "Accepted, not used"}},
      .run = [](Invocation& call) { return Copy(call).run(); }};
}

}  // namespace coracle::kubectl
