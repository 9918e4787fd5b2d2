// Cluster: the administrator's view of a running lab cluster over HTTPS, for programs that wait and
// narrate. Blocking calls; one owner, one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"
#include "lab/layout.hpp"
#include "net/asio_executor.hpp"
#include "net/client.hpp"

namespace coracle::lab {

// What `storectl status` tells of one store member.
struct StoreMember {
  std::string name;
  std::string endpoint;
  bool reachable = false;
  std::string id;
  std::string leader;  // its id as this member believes; "0": none
  std::int64_t term = 0;
  std::int64_t revision = 0;
};

class Cluster {
 public:
  // Reads DIR/pki; NotFound when the directory holds no cluster.
  static Result<std::unique_ptr<Cluster>> open(const Layout& layout);

  const Layout& layout() const { return layout_; }
  const ClusterShape& shape() const { return shape_; }

  struct Answer {
    int status = 0;
    std::string body;
  };
  // Asks the apiservers in turn until one answers.
  Result<Answer> call(const std::string& method, const std::string& target,
                      const std::string& body = {},
                      const std::string& content_type = "application/json");
  // The JSON of a 2xx answer; else the message of the Status that came.
  Result<json::value> get(const std::string& target);
  Result<json::value> send(const std::string& method, const std::string& target,
                           const json::value& body,
                           const std::string& content_type = "application/json");

  // Looks every `interval` until `done` holds or the time is up. Returns whether it held.
  bool wait_until(const std::function<bool()>& done, Duration limit,
                  Duration interval = std::chrono::milliseconds(25));
  void pause(Duration duration);
  TimePoint now() const { return executor_.now(); }

  bool ready();       // /readyz of any apiserver says ok
  int ready_nodes();  // nodes whose Ready condition is True
  // Asks all store members at once, through the storectl program beside this one.
  std::vector<StoreMember> store_members() const;
  // Who holds the Lease kube-system/NAME; empty if nobody.
  std::string lease_holder(const std::string& name);

 private:
  explicit Cluster(const Layout& layout) : layout_(layout) {}

  Layout layout_;
  ClusterShape shape_;
  net::AsioExecutor executor_;
  std::vector<std::unique_ptr<net::Client>> clients_;
};

// The member that a majority calls leader; nullptr if there is none.
const StoreMember* store_leader(const std::vector<StoreMember>& members);

}  // namespace coracle::lab
