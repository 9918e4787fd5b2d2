// certificate signing request
#include "api/object.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "describe/describe.hpp"
#include "net/csr.hpp"

namespace coracle::kubectl {
namespace {

// "Approved,Issued", as the table has it.
std::string status_text(const json::value& request) {
  bool approved = false, denied = false, failed = false;
  for (const json::value& condition : get_array(request, "status.conditions")) {
    const auto type = get_string(condition, "type");
    approved = approved || type == "Approved";
    denied = denied || type == "Denied";
    failed = failed || type == "Failed";
  }
  // Denied beats approved, as upstream has it.
  std::string text = denied ? "Denied" : approved ? "Approved" : "Pending";
  if (failed) text += ",Failed";
  if (!text_at(request, "status.certificate").empty()) text += ",Issued";
  return text;
}

void write_list(DescribeWriter& out, const char* title, const std::vector<std::string>& values) {
  if (values.empty()) return;
  out.line(0, std::string("\t") + title + ":\t" + join(values, "\n\t\t"));
}

}  // namespace

void describe_certificate_request(DescribeWriter& out, const DescribeContext& context) {
  const json::value& request = context.object;
  out.field(0, "Name", api::name_of(request));
  out.field(0, "Labels", labels_line(api::labels_of(request)));
  out.field(0, "Annotations", labels_line(api::annotations_of(request)));
  out.field(0, "CreationTimestamp", long_time(api::creation_timestamp_of(request)));
  out.field(0, "Requesting User", text_at(request, "spec.username"));
  out.field(0, "Signer", text_at(request, "spec.signerName"));
  if (const json::value* seconds = find(request, "spec.expirationSeconds")) {
    const std::int64_t count = seconds->is_int64() ? seconds->get_int64() : 0;
    out.field(0, "Requested Duration", human_duration(std::chrono::seconds(count)));
  }
  out.field(0, "Status", status_text(request));
  const auto pem = base64_decode(text_at(request, "spec.request"));
  const auto info = net::inspect_csr(pem.ok() ? *pem : std::string());
  if (!info.ok()) return;
  out.line(0, "Subject:");
  out.line(0, "\tCommon Name:\t" + info->common_name);
  out.line(0, "\tSerial Number:\t");
  write_list(out, "Organization", info->organizations);
  if (info->dns_names.empty() && info->emails.empty() && info->uris.empty() &&
      info->ip_addresses.empty()) {
    return;
  }
  out.line(0, "Subject Alternative Names:");
  write_list(out, "DNS Names", info->dns_names);
  write_list(out, "Email Addresses", info->emails);
  write_list(out, "URIs", info->uris);
  write_list(out, "IP Addresses", info->ip_addresses);
}

}  // namespace coracle::kubectl
