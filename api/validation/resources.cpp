#include "api/validation/resources.hpp"

#include <algorithm>
#include <set>

#include "api/object.hpp"
#include "api/validation/checks.hpp"

namespace coracle::api::validation::resource {
namespace {

using NameSet = std::set<std::string_view, std::less<>>;
using Amounts = std::map<std::string, Quantity, std::less<>>;

constexpr std::string_view kHugePages = "hugepages-";
constexpr std::string_view kRequestedHugePages = "requests.hugepages-";

// Counted in pieces.
const NameSet& integer_names() {
  static const NameSet kNames = {"pods",
                                 "resourcequotas",
                                 "services",
                                 "replicationcontrollers",
                                 "secrets",
                                 "configmaps",
                                 "persistentvolumeclaims",
                                 "services.nodeports",
                                 "services.loadbalancers"};
  return kNames;
}

const NameSet& computed_names() {
  static const NameSet kNames = {"cpu",
                                 "memory",
                                 "ephemeral-storage",
                                 "requests.cpu",
                                 "requests.memory",
                                 "requests.storage",
                                 "requests.ephemeral-storage",
                                 "limits.cpu",
                                 "limits.memory",
                                 "limits.ephemeral-storage"};
  return kNames;
}

bool has_prefix(std::string_view name) { return name.find('/') != std::string_view::npos; }

// Of a vendor: gpu.example.com/a100.
bool is_extended(std::string_view name) {
  return !is_native(name) && !name.starts_with("requests.") &&
         check_qualified_name("requests." + std::string(name)).empty();
}

bool is_integer(std::string_view name) {
  return integer_names().contains(name) || is_extended(name);
}

bool is_standard_container(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" || is_huge_page(name);
}

void huge_page(std::string_view name, const Quantity& amount, const FieldPath& path,
               FieldErrors& errors) {
  if (!is_huge_page(name)) {
    return;
  }
  const auto page = Quantity::parse(name.substr(kHugePages.size()));
  const bool whole = page.ok() && page->sign() > 0 && page->milli_value() % 1000 == 0 &&
                     amount.value() % page->value() == 0;
  if (!whole) {
    errors.invalid(path, amount.text(),
                   amount.text() + " is not positive integer multiple of " + std::string(name));
  }
}

Amounts list(const json::value& requirements, std::string_view key) {
  Amounts out;
  for (const auto& [name, value] : get_object(requirements, key)) {
    if (const auto quantity = amount_of(&value)) {
      out.emplace(name, *quantity);
    }
  }
  return out;
}

void against_limit(const std::string& name, const Quantity& request, const Amounts& limits,
                   const FieldPath& path, FieldErrors& errors) {
  const auto limit = limits.find(name);
  if (limit == limits.end()) {
    if (!is_overcommit_allowed(name)) {
      errors.required(path.child("limits"), "Limit must be set for non overcommitable resources");
    }
    return;
  }
  const std::string rest = name + " limit of " + limit->second.text();
  if (!is_overcommit_allowed(name) && !(request == limit->second)) {
    errors.invalid(path.child("requests"), request.text(), "must be equal to " + rest);
  } else if (limit->second < request) {
    errors.invalid(path.child("requests"), request.text(), "must be less than or equal to " + rest);
  }
}

}  // namespace

std::optional<Quantity> amount_of(const json::value* value) {
  if (value == nullptr || !(value->is_string() || value->is_number())) {
    return std::nullopt;
  }
  auto parsed =
      Quantity::parse(value->is_string() ? std::string(value->get_string()) : to_json(*value));
  return parsed.ok() ? std::optional<Quantity>(*parsed) : std::nullopt;
}

bool is_huge_page(std::string_view name) { return name.starts_with(kHugePages); }

bool is_native(std::string_view name) {
  return !has_prefix(name) || name.find("kubernetes.io/") != std::string_view::npos;
}

bool is_overcommit_allowed(std::string_view name) { return is_native(name) && !is_huge_page(name); }

bool is_standard_quota(std::string_view name) {
  return integer_names().contains(name) || computed_names().contains(name) || is_huge_page(name) ||
         name.starts_with(kRequestedHugePages);
}

void any_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  const Messages messages = check_qualified_name(name);
  errors.invalid_each(path, name, messages);
  if (messages.empty() && !has_prefix(name) && !is_standard_quota(name) && name != "storage") {
    errors.invalid(path, name, "must be a standard resource type or fully qualified");
  }
}

void container_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  any_name(name, path, errors);
  if (!has_prefix(name)) {
    if (!is_standard_container(name)) {
      errors.invalid(path, name, "must be a standard resource for containers");
    }
  } else if (!is_native(name) && !is_extended(name)) {
    errors.invalid(path, name, "doesn't follow extended resource name standard");
  }
}

void pod_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  const std::size_t before = errors.size();
  any_name(name, path, errors);
  if (errors.size() == before && name != "cpu" && name != "memory" && !is_huge_page(name)) {
    errors.not_supported(path, name, {"cpu", "memory"});
  }
}

void quota_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  any_name(name, path, errors);
  if (!has_prefix(name) && !is_standard_quota(name)) {
    errors.invalid(path, name, "must be a standard resource for quota");
  }
}

void amount(std::string_view name, const Quantity& amount, const FieldPath& path,
            FieldErrors& errors) {
  if (amount.sign() < 0) {
    errors.invalid(path, amount.text(), checks::kNotNegative);
  }
  if (is_integer(name) && amount.milli_value() % 1000 != 0) {
    errors.invalid(path, amount.text(), "must be an integer");
  }
}

void positive(const Quantity& amount, const FieldPath& path, FieldErrors& errors) {
  if (amount.sign() <= 0) {
    errors.invalid(path, amount.text(), "must be greater than zero");
  }
}

void requirements(const json::value* requirements, NameCheck check_name, const FieldPath& path,
                  FieldErrors& errors) {
  if (requirements == nullptr) {
    return;
  }
  const Amounts limits = list(*requirements, "limits");
  const Amounts requests = list(*requirements, "requests");
  bool huge = false;
  bool ordinary = false;
  const auto one = [&](std::string_view key, const std::string& name, const Quantity& quantity) {
    const FieldPath at = path.child(key).key(name);
    check_name(name, at, errors);
    amount(name, quantity, at, errors);
    if (key == "requests") {
      against_limit(name, quantity, limits, path, errors);
    }
    huge_page(name, quantity, at, errors);
    huge = huge || is_huge_page(name);
    ordinary = ordinary || name == "cpu" || name == "memory";
  };
  for (const auto& [name, quantity] : limits) {
    one("limits", name, quantity);
  }
  for (const auto& [name, quantity] : requests) {
    one("requests", name, quantity);
  }
  if (huge && !ordinary) {
    errors.forbidden(path, "HugePages require cpu or memory");
  }
}

}  // namespace coracle::api::validation::resource
