#include "disk/files.hpp"

namespace coracle::disk {
namespace {

class RealFile final : public OpenFile {
 public:
  explicit RealFile(File file) : file_(std::move(file)) {}
  Result<std::uint64_t> size() const override { return file_.size(); }
  Result<std::string> read(std::uint64_t offset, size_t length) const override {
    return file_.read(offset, length);
  }
  Status write(std::uint64_t offset, std::string_view bytes) override {
    return file_.write(offset, bytes);
  }
  Status write_zeros(std::uint64_t offset, std::uint64_t length) override {
    return file_.write_zeros(offset, length);
  }
  Status sync() override { return file_.sync(); }
  Status rename_to(const std::string& path) override { return file_.rename_to(path); }

 private:
  File file_;
};

class RealFiles final : public Files {
 public:
  Result<std::unique_ptr<OpenFile>> open(const std::string& path, File::Mode mode) override {
    ASSIGN_OR_RETURN(File file, File::open(path, mode));
    return std::unique_ptr<OpenFile>(std::make_unique<RealFile>(std::move(file)));
  }
  Status make_dirs(const std::string& path) override { return disk::make_dirs(path); }
  Status sync_dir(const std::string& path) override { return disk::sync_dir(path); }
  Status remove_file(const std::string& path) override { return disk::remove_file(path); }
  Result<std::vector<std::string>> list_dir(const std::string& path) override {
    return disk::list_dir(path);
  }
};

}  // namespace

Files& real_files() {
  static RealFiles files;
  return files;
}

}  // namespace coracle::disk
