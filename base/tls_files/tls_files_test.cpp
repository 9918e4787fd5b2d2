#include "tls_files/tls_files.hpp"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "net/pki.hpp"

using namespace coracle;
using namespace std::chrono_literals;

namespace {

const TlsFlagNames kFlags = {"--cert-file", "--key-file", "--trusted-ca-file"};

// A folder with a CA and two server certificates, a.crt and b.crt.
class Folder {
 public:
  Folder() {
    char pattern[] = "/tmp/coracle-tls-XXXXXX";
    path_ = mkdtemp(pattern);
    const auto validity = net::Validity::days(real_clock().wall_now(), 2);
    const auto ca = net::make_ca("ca", validity).value();
    write("ca.crt", ca.cert_pem);
    for (const std::string name : {"a", "b"}) {
      net::CertRequest request;
      request.common_name = name;
      request.server = true;
      const auto pair = net::issue(ca, request, validity).value();
      write(name + ".crt", pair.cert_pem);
      write(name + ".key", pair.key_pem);
    }
    write("empty", "");
    write("garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  // "" stays "".
  std::string at(const std::string& name) const { return name.empty() ? "" : path_ + "/" + name; }

 private:
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(at(name)) << text;
  }
  std::string path_;
};

}  // namespace

TEST_CASE("TLS files are checked, and the flag of the wrong one is named") {
  const Folder folder;
  struct Row {
    std::string name, cert, key, ca, error;  // error: '@' is the folder
  };
  const Row rows[] = {
      {"nothing", "", "", "", ""},
      {"all", "a.crt", "a.key", "ca.crt", ""},
      {"a CA alone, for a client", "", "", "ca.crt", ""},
      {"no key", "a.crt", "", "", "--key-file: is needed, because --cert-file is given"},
      {"no certificate", "", "a.key", "", "--cert-file: is needed, because --key-file is given"},
      {"no file", "c.crt", "a.key", "", "--cert-file @c.crt: No such file or directory"},
      {"no CA file", "a.crt", "a.key", "c.crt",
       "--trusted-ca-file @c.crt: No such file or directory"},
      {"an empty file", "empty", "a.key", "", "--cert-file @empty: the file is empty"},
      {"a folder", ".", "a.key", "", "--cert-file @.: Is a directory"},
      {"not a certificate", "a.key", "a.key", "",
       "--cert-file @a.key: holds no certificate in PEM"},
      {"garbage in PEM", "garbage", "a.key", "",
       "--cert-file @garbage: holds no certificate in PEM"},
      {"not a key", "a.crt", "a.crt", "",
       "--key-file @a.crt: holds no private key in PEM (without passphrase)"},
      {"another's key", "a.crt", "b.key", "",
       "--key-file @b.key: does not belong to the certificate of --cert-file @a.crt"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Status status =
        check_tls_files({folder.at(row.cert), folder.at(row.key), folder.at(row.ca)}, kFlags);
    std::string error = row.error;
    for (size_t at; (at = error.find('@')) != std::string::npos;) {
      error.replace(at, 1, folder.at("x").substr(0, folder.at("x").size() - 1));
    }
    CHECK(status.message() == error);
    CHECK(status.ok() == row.error.empty());
  }
}

TEST_CASE("a certificate that is not valid now is told of") {
  const Folder folder;
  const TlsFiles files = {folder.at("a.crt"), folder.at("a.key"), ""};
  const WallTime now = real_clock().wall_now();
  CHECK(tls_warnings(files, kFlags, now).empty());
  const auto late = tls_warnings(files, kFlags, now + 72h);
  REQUIRE(late.size() == 1);
  CHECK(late[0].find("--cert-file " + files.cert + ": the certificate expired on 20") == 0);
  const auto early = tls_warnings(files, kFlags, now - 72h);
  REQUIRE(early.size() == 1);
  CHECK(early[0].find("the certificate is not valid before 20") != std::string::npos);
}
