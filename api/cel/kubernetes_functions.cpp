// Quantities and named formats.
#include "api/cel/functions.hpp"
#include "api/cel/time.hpp"
#include "api/object.hpp"
#include "base/encoding.hpp"

namespace coracle::api::cel {

namespace {

Value quantity(std::string_view text) {
  auto parsed = Quantity::parse(text);
  return parsed.ok() ? Value::quantity(*std::move(parsed))
                     : Value::error(parsed.status().message());
}

bool whole(const Quantity& q) { return Quantity::from_units(q.value()) == q; }

Value as_integer(Args a, Budget&) {
  const Quantity& q = a[0].as_quantity();
  if (!whole(q)) return Value::error("cannot convert value to integer");
  return Value::of(q.value());
}

template <int Sign>
Value moved(Args a, Budget&) {
  Quantity other = a[1].is(Kind::kInt) ? Quantity::from_units(a[1].as_int()) : a[1].as_quantity();
  Quantity sum = a[0].as_quantity();
  if (Sign > 0) {
    sum.add(other);
  } else {
    sum.sub(other);
  }
  return Value::quantity(sum);
}

Value order_of(Args a, Budget&) {
  return Value::of(static_cast<std::int64_t>(compare(a[0], a[1]).value_or(0)));
}

std::optional<Messages> check_format(std::string_view format, std::string_view text) {
  // Prefixes are of generated names: a dash at the end is good.
  std::string longer(text);
  if (!longer.empty() && longer.back() == '-') longer.back() = 'a';
  if (format == "dns1123Label") return check_dns1123_label(text);
  if (format == "dns1123Subdomain") return check_dns1123_subdomain(text);
  if (format == "dns1035Label") return check_dns1035_label(text);
  if (format == "dns1123LabelPrefix") return check_dns1123_label(longer);
  if (format == "dns1123SubdomainPrefix") return check_dns1123_subdomain(longer);
  if (format == "dns1035LabelPrefix") return check_dns1035_label(longer);
  if (format == "qualifiedName") return check_qualified_name(text);
  if (format == "labelValue") return check_label_value(text);
  if (format == "byte") {
    return base64_decode(text).ok() ? Messages{} : Messages{"invalid base64"};
  }
  if (format == "date") {
    return parse_moment(std::string(text) + "T00:00:00Z") ? Messages{} : Messages{"invalid date"};
  }
  if (format == "datetime") return parse_moment(text) ? Messages{} : Messages{"invalid datetime"};
  if (format == "uuid") {
    bool good = text.size() == 36;
    for (std::size_t i = 0; good && i < text.size(); ++i) {
      const char c = text[i];
      const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
      const bool hex = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
      good = dash ? c == '-' : hex;
    }
    return good ? Messages{} : Messages{"does not match the UUID format"};
  }
  if (format == "uri") {
    for (const Overload& o : find_overloads("isURL")) {
      Budget free{1};
      const Value arg[] = {Value::text(std::string(text))};
      return o.call(arg, free).is_true() ? Messages{} : Messages{"invalid URI"};
    }
  }
  return std::nullopt;
}

Value named_format(std::string_view name) { return Value::text(std::string(name), Kind::kFormat); }

Value find_format(Args a, Budget&) {
  if (!check_format(a[0].as_text(), "")) return Value::optional(std::nullopt);
  return Value::optional(named_format(a[0].as_text()));
}

Value validate(Args a, Budget&) {
  const auto messages = check_format(a[0].as_text(), a[1].as_text());
  if (!messages || messages->empty()) return Value::optional(std::nullopt);
  Values out;
  for (const std::string& message : *messages) out.push_back(Value::text(message));
  return Value::optional(Value::list(std::move(out)));
}

#define CORACLE_CEL_FORMAT(name) \
  {"format." name, ":f", [](Args, Budget&) { return named_format(name); }}

constexpr Overload kKubernetes[] = {
    {"quantity", "s:q", [](Args a, Budget&) { return quantity(a[0].as_text()); }},
    {"isQuantity", "s:b",
     [](Args a, Budget&) { return Value::of(!quantity(a[0].as_text()).is_error()); }},
    {"sign", "q.:i",
     [](Args a, Budget&) { return Value::of(std::int64_t{a[0].as_quantity().sign()}); }},
    {"isGreaterThan", "q.q:b",
     [](Args a, Budget&) { return Value::of(a[0].as_quantity() > a[1].as_quantity()); }},
    {"isLessThan", "q.q:b",
     [](Args a, Budget&) { return Value::of(a[0].as_quantity() < a[1].as_quantity()); }},
    {"compareTo", "q.q:i", order_of},
    {"asApproximateFloat", "q.:d",
     [](Args a, Budget&) { return Value::of(a[0].as_quantity().as_double()); }},
    {"asInteger", "q.:i", as_integer},
    {"isInteger", "q.:b", [](Args a, Budget&) { return Value::of(whole(a[0].as_quantity())); }},
    {"add", "q.q:q", moved<1>},
    {"add", "q.i:q", moved<1>},
    {"sub", "q.q:q", moved<-1>},
    {"sub", "q.i:q", moved<-1>},
    {"format.named", "s:of", find_format},
    {"validate", "f.s:ol", validate},
    CORACLE_CEL_FORMAT("dns1123Label"),
    CORACLE_CEL_FORMAT("dns1123Subdomain"),
    CORACLE_CEL_FORMAT("dns1035Label"),
    CORACLE_CEL_FORMAT("dns1123LabelPrefix"),
    CORACLE_CEL_FORMAT("dns1123SubdomainPrefix"),
    CORACLE_CEL_FORMAT("dns1035LabelPrefix"),
    CORACLE_CEL_FORMAT("qualifiedName"),
    CORACLE_CEL_FORMAT("labelValue"),
    CORACLE_CEL_FORMAT("uri"),
    CORACLE_CEL_FORMAT("uuid"),
    CORACLE_CEL_FORMAT("byte"),
    CORACLE_CEL_FORMAT("date"),
    CORACLE_CEL_FORMAT("datetime"),
};
#undef CORACLE_CEL_FORMAT

}  // namespace

std::span<const Overload> kubernetes_overloads() { return kKubernetes; }

}  // namespace coracle::api::cel
