// DnsZone: the names of a cluster and what they stand for, by the Kubernetes DNS
// specification 1.1.0 with CoreDNS' defaults (pods "insecure": any address of a pod has a name).
// Pure: Services and EndpointSlices in, records out. Names are compared without regard to case.
//
//   SVC.NS.svc.ZONE             A: the cluster IP; headless: each ready endpoint
//   HOST.SVC.NS.svc.ZONE        A: the endpoint of that host name, or 1-2-3-4 for its address
//   _PORT._PROTO.SVC.NS.svc.ZONE  SRV
//   1-2-3-4.NS.pod.ZONE         A: 1.2.3.4
//   4.3.2.1.in-addr.arpa        PTR: the Service or endpoint with that address
//   SVC of type ExternalName    CNAME
//   dns-version.ZONE            TXT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "network/service_table.hpp"

namespace coracle::network {

enum class RecordType { kA, kAaaa, kCname, kSrv, kPtr, kTxt, kSoa, kNs, kOther };

struct Record {
  std::string name;  // absolute: ends in a dot
  RecordType type = RecordType::kA;
  std::string data;  // in the text form of zone files
  friend auto operator<=>(const Record&, const Record&) = default;
};

struct DnsAnswer {
  enum class Code { kOk, kNoSuchName, kNotOurs };
  Code code = Code::kOk;
  std::vector<Record> answers;
  bool authority = false;  // nothing of the type, or no such name: the zone's SOA goes along
};

class DnsZone {
 public:
  explicit DnsZone(std::string zone = "cluster.local");
  void update(const Objects& services, const Objects& slices);

  // `name` with or without its last dot. kNotOurs: a name outside the zone and of no address here.
  DnsAnswer ask(std::string_view name, RecordType type) const;
  Record soa() const;

 private:
  // A node of the tree that has records, or names below it.
  using Records = std::vector<Record>;
  void add(std::string name, RecordType type, std::string data);
  void add_service(const json::value& service, const Objects* slices);
  void add_headless(const std::string& base, const json::value& service, const Objects& slices);
  DnsAnswer pod_name(const std::vector<std::string>& labels, const std::string& name,
                     RecordType type) const;
  bool has_names_below(const std::string& name) const;

  const std::string zone_;                // "cluster.local."
  std::map<std::string, Records> names_;  // lower case, labels from the top: "local.cluster.svc."
  // While it is made: addresses of headless Services' endpoints without a host name, and the name
  // that stands for one. Where another Service gives the address a real name, that one is told.
  std::map<std::string, std::string> unnamed_;
};

}  // namespace coracle::network
