// Kubeconfig: finding, merging, reading and changing kubeconfig files as kubectl does.
//
// Pure but for the files: load() reads, save() writes. Values are kept as trees, so that fields
// this program does not know survive a change. Errors carry kubectl's texts.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"

namespace coracle::client {

// What a client needs to reach a cluster: everything resolved, files read.
struct ClientConfig {
  std::vector<std::string>
      servers;  // "https://127.0.0.1:6443"; one from a file, several from --master
  std::string ca_pem, cert_pem, key_pem;
  std::string token, token_file;  // the file is read again now and then; it wins over token
  std::string username, password;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string impersonate_user;
  std::vector<std::string> impersonate_groups;
  std::string namespace_name = "default";
  std::string context, cluster, user;  // the names it came from
};

// kubectl's flags that override the file. Empty: as the file says.
struct ConfigOverrides {
  std::string context, cluster, user, namespace_name;
  std::string server, token, certificate_authority, client_certificate, client_key;
  std::string tls_server_name, as_user, username, password;
  std::vector<std::string> as_groups;
  bool insecure_skip_tls_verify = false;
};

class Kubeconfig {
 public:
  // `explicit_path` (--kubeconfig) must exist; else every file of `env` (KUBECONFIG, colons) that
  // exists, the first to name a thing wins; else home/.kube/config, which may be missing.
  static Result<Kubeconfig> load(const std::string& explicit_path, const std::string& env,
                                 const std::string& home);
  // The same from KUBECONFIG and HOME of this process.
  static Result<Kubeconfig> load_default(const std::string& explicit_path = {});
  static Result<Kubeconfig> parse(std::string_view text, const std::string& path = {});

  // The merged file: apiVersion, clusters, contexts, current-context, kind, preferences, users.
  const json::value& merged() const { return merged_; }
  // As `kubectl config view`: data and tokens are blotted out (DATA+OMITTED, REDACTED).
  json::value redacted() const;
  // Only what the context needs, as `config view --minify`.
  Result<json::value> minified(const std::string& context = {}) const;
  // As `config view --flatten`: files become data.
  Result<json::value> flattened() const;

  std::string current_context() const;
  Result<ClientConfig> resolve(const ConfigOverrides& overrides = {}) const;

  // Changes. Each is written by save() to the file the thing is in; a new thing goes to the first
  // file of the list that exists, else the last. section: "clusters", "contexts", "users".
  bool has(const std::string& section, const std::string& name) const;
  std::vector<std::string> names(const std::string& section) const;  // sorted
  // The inner object (cluster, context, user) or nullptr.
  const json::object* entry(const std::string& section, const std::string& name) const;
  // Merges `fields` into the entry (made when missing); a null removes the field.
  void set_entry(const std::string& section, const std::string& name, const json::object& fields);
  bool remove_entry(const std::string& section, const std::string& name);
  Status rename_context(const std::string& from, const std::string& to);
  Status use_context(const std::string& name);
  // "users.admin.token", "contexts.c.namespace", "current-context", "preferences.colors".
  Status set_property(const std::string& dotted, const std::string& value);
  Status unset_property(const std::string& dotted);
  // Writes changed files, mode 0600, by rename.
  Status save();
  // Where a change without a home would go: what kubectl names in its texts.
  std::string default_path() const;

 private:
  struct File {
    std::string path;
    json::value tree;
    bool exists = false, changed = false;
  };
  void merge();
  File& home_of(const std::string& section, const std::string& name);
  File& first_file();
  json::object& changed_entry(const std::string& section, const std::string& name);

  std::vector<File> files_;
  json::value merged_;
};

}  // namespace coracle::client
