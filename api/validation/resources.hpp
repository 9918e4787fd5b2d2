// resources: names of resources (cpu, requests.memory, example.com/gpu) and the amounts of them
// that pods, quotas, limit ranges and nodes hold. Internal to validation. Pure; upstream's wording.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/field_error.hpp"
#include "api/quantity.hpp"
#include "base/json.hpp"

namespace coracle::api::validation::resource {

// What decoding left is canonical; nothing for what is not an amount.
std::optional<Quantity> amount_of(const json::value* value);

bool is_huge_page(std::string_view name);
// Without a prefix, or under kubernetes.io/.
bool is_native(std::string_view name);
// A request may be lower than its limit.
bool is_overcommit_allowed(std::string_view name);
bool is_standard_quota(std::string_view name);

// A check of the name alone: {path} is where it is reported.
using NameCheck = void (*)(std::string_view name, const FieldPath& path, FieldErrors& errors);
void any_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
void container_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
void pod_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
void quota_name(std::string_view name, const FieldPath& path, FieldErrors& errors);

// Not negative; whole, where pieces are counted.
void amount(std::string_view name, const Quantity& amount, const FieldPath& path,
            FieldErrors& errors);
void positive(const Quantity& amount, const FieldPath& path, FieldErrors& errors);

// {limits, requests} of a container, or of a whole pod.
void requirements(const json::value* requirements, NameCheck check_name, const FieldPath& path,
                  FieldErrors& errors);

}  // namespace coracle::api::validation::resource
