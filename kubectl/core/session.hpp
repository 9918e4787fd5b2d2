// Session: one run of mini-kubectl: where it reads and prints, which cluster it means, and calls to
// that cluster. Connects at the first call. Single-threaded.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "client/kubeconfig.hpp"
#include "client/resource.hpp"
#include "kubectl/discovery.hpp"
#include "kubectl/failure.hpp"
#include "kubectl/wire.hpp"
#include "text/flags.hpp"

namespace coracle::kubectl {

struct Io {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

using Answer = client::ApiResult<json::value>;

class Session {
 public:
  // Flags: the ones every command has (global_flags). With `wire` (tests) none is made.
  Session(Io io, const text::ParsedFlags& flags, std::unique_ptr<Wire> wire = nullptr);
  ~Session();

  Io io;
  // What the program ends with when a command has failed; exec gives that of the remote one.
  int failure_code = 1;

  // The kubeconfig, loaded at the first use. Failures are worded for people.
  Result<client::Kubeconfig*> kubeconfig();
  Result<const client::ClientConfig*> config();
  // -n, or the context's namespace, or "default".
  std::string namespace_name();
  bool has_explicit_namespace() const { return explicit_namespace_; }
  Result<const Discovery*> discovery();
  // The resource of that name: `the server doesn't have a resource type "x"`.
  Result<const Resource*> resource(std::string_view text);

  // Raw answer; warnings in it are printed.
  client::ApiResult<client::ApiResponse> call(client::ApiRequest request);
  Answer call_json(std::string method, std::string target, const json::value* body = nullptr,
                   std::string_view content_type = {}, std::string_view accept = {});
  Answer get(const Resource& resource, const std::string& ns, const std::string& name,
             const client::QueryList& query = {});
  // All pages joined.
  Answer list(const Resource& resource, const std::string& ns, client::QueryList query = {});
  Answer create(const Resource& resource, const std::string& ns, const json::value& object,
                const client::QueryList& query = {});
  Answer patch(const Resource& resource, const std::string& ns, const std::string& name,
               client::PatchType type, const json::value& patch,
               const client::QueryList& query = {}, std::string_view subresource = {});

  // Bytes of a long answer; see Wire::stream.
  client::ApiResult<client::ApiResponse> stream(client::ApiRequest request,
                                                std::function<bool(std::string_view)> on_data,
                                                Duration limit = Duration::zero());
  // Lines of a watch as events {type, object}, until `on_event` says false, or the end, or `limit`.
  client::ApiResult<client::ApiResponse> watch(std::string target, std::string_view accept,
                                               std::function<bool(const json::value&)> on_event,
                                               Duration limit = Duration::zero());
  void pause(Duration duration);
  TimePoint now();
  WallTime wall_now();
  // "error: ..." lines and warnings go here at once.
  void warn(const std::string& line);

 private:
  Result<Wire*> wire();
  Duration request_timeout() const;  // zero: none is given
  void print_warnings(const client::ApiResponse& response);
  Status load_discovery(const char* root);

  text::ParsedFlags flags_;
  bool explicit_namespace_ = false;
  std::unique_ptr<Wire> wire_;
  std::optional<client::Kubeconfig> kubeconfig_;
  std::optional<client::ClientConfig> config_;
  std::optional<Discovery> discovery_;
  std::set<std::string> warned_;
};

// -n, --kubeconfig, --context, -s, --token, --as, ...
const std::vector<text::FlagSpec>& global_flags();

}  // namespace coracle::kubectl
