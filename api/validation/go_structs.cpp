#include "api/validation/go_structs.hpp"

#include <algorithm>
#include <vector>

#include "api/validation/checks.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using Lines = std::vector<std::string>;

constexpr std::size_t kLinesMax = 4000;
constexpr std::size_t kContext = 3;

std::string key_of(std::string_view name) {
  std::string key(name);
  if (!key.empty()) key.front() = static_cast<char>(key.front() - 'A' + 'a');
  return key;
}

// These of a pod upstream keeps in its security context.
bool lives_in_spec(std::string_view type, std::string_view name) {
  return type == "PodSecurityContext" &&
         (name == "HostNetwork" || name == "HostPID" || name == "HostIPC" ||
          name == "ShareProcessNamespace" || name == "HostUsers");
}

json::value shown(const json::value* value, std::string_view kind, const json::value& outer);

json::value as_struct(const json::value& object, std::string_view type, const json::value& outer) {
  const auto row = go_struct_rows().find(type);
  if (row == go_struct_rows().end()) return object;
  json::object out;
  for (const std::string& field : split(row->second, ' ')) {
    const std::size_t colon = field.rfind(':');
    const std::size_t equals = field.find('=');
    const std::string name = field.substr(0, std::min(colon, equals));
    const std::string key =
        equals < colon ? field.substr(equals + 1, colon - equals - 1) : key_of(name);
    const json::value& holder = lives_in_spec(type, name) ? outer : object;
    out[name] =
        shown(checks::member(holder, key), std::string_view(field).substr(colon + 1), object);
  }
  return out;
}

json::value shown(const json::value* value, std::string_view kind, const json::value& outer) {
  if (kind == "s") return value == nullptr ? json::value("") : *value;
  if (kind == "b") return value == nullptr ? json::value(false) : *value;
  if (kind == "i") return value == nullptr ? json::value(0) : *value;
  if (kind == "q") return value == nullptr ? json::value("0") : *value;
  if (kind == "n") return value == nullptr ? json::value(nullptr) : *value;
  static const json::value kNothing = json::object();
  if (kind.starts_with("[]")) {
    const json::array* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr) return nullptr;
    json::array out;
    for (const json::value& item : *list) out.push_back(as_struct(item, kind.substr(2), outer));
    return out;
  }
  if (kind.starts_with('*')) {
    kind.remove_prefix(1);
    // A pod's security context is always there.
    if (value == nullptr && kind != "PodSecurityContext") return nullptr;
  }
  return as_struct(value == nullptr ? kNothing : *value, kind, outer);
}

// As json.MarshalIndent with one blank.
void print(const json::value& value, std::size_t depth, std::string& out) {
  const std::string inner(depth + 1, ' ');
  if (const json::object* members = value.if_object(); members != nullptr && !members->empty()) {
    out += "{\n";
    std::size_t left = members->size();
    for (const auto& [key, member] : *members) {
      out += inner + quoted(std::string_view(key)) + ": ";
      print(member, depth + 1, out);
      out += --left == 0 ? "\n" : ",\n";
    }
    out += std::string(depth, ' ') + "}";
  } else if (const json::array* items = value.if_array(); items != nullptr && !items->empty()) {
    out += "[\n";
    for (std::size_t i = 0; i < items->size(); ++i) {
      out += inner;
      print((*items)[i], depth + 1, out);
      out += i + 1 == items->size() ? "\n" : ",\n";
    }
    out += std::string(depth, ' ') + "]";
  } else {
    out += to_json(value);
  }
}

std::string printed(const json::value& value) {
  std::string out;
  print(value, 0, out);
  return out;
}

struct Step {
  char mark;  // ' ', '-', '+'
  std::size_t before, now;
};

// The longest common part by the usual table, between the ends that are alike.
std::vector<Step> steps(const Lines& a, const Lines& b) {
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head &&
         a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) {
    ++tail;
  }
  const std::size_t rows = a.size() - head - tail;
  const std::size_t columns = b.size() - head - tail;
  std::vector<Step> out;
  for (std::size_t i = 0; i < head; ++i) out.push_back({' ', i, i});
  std::size_t i = 0, j = 0;
  if (rows < kLinesMax && columns < kLinesMax && rows * columns < kLinesMax * kLinesMax / 4) {
    std::vector<std::vector<std::uint32_t>> common(rows + 1,
                                                   std::vector<std::uint32_t>(columns + 1, 0));
    for (std::size_t r = rows; r-- > 0;) {
      for (std::size_t c = columns; c-- > 0;) {
        common[r][c] = a[head + r] == b[head + c] ? common[r + 1][c + 1] + 1
                                                  : std::max(common[r + 1][c], common[r][c + 1]);
      }
    }
    while (i < rows && j < columns) {
      if (a[head + i] == b[head + j]) {
        out.push_back({' ', head + i++, head + j++});
      } else if (common[i + 1][j] >= common[i][j + 1]) {
        out.push_back({'-', head + i++, head + j});
      } else {
        out.push_back({'+', head + i, head + j++});
      }
    }
  }
  while (i < rows) out.push_back({'-', head + i++, head + j});
  while (j < columns) out.push_back({'+', head + i, head + j++});
  for (std::size_t t = 0; t < tail; ++t) {
    out.push_back({' ', head + rows + t, head + columns + t});
  }
  return out;
}

std::string range(std::size_t start, std::size_t length) {
  if (length == 1) return std::to_string(start + 1);
  return std::to_string(length == 0 ? start : start + 1) + "," + std::to_string(length);
}

std::string hunk(const std::vector<Step>& all, std::size_t from, std::size_t to, const Lines& a,
                 const Lines& b) {
  std::size_t removed = 0, added = 0;
  std::string body;
  for (std::size_t i = from; i < to; ++i) {
    const Step& step = all[i];
    removed += step.mark != '+' ? 1 : 0;
    added += step.mark != '-' ? 1 : 0;
    body += step.mark + (step.mark == '+' ? b[step.now] : a[step.before]) + "\n";
  }
  return "@@ -" + range(all[from].before, removed) + " +" + range(all[from].now, added) + " @@\n" +
         body;
}

}  // namespace

json::value as_go_struct(const json::value& object, std::string_view type) {
  return as_struct(object, type, object);
}

json::value template_as_go_struct(const json::value& pod_template) {
  json::object out;
  const json::value* metadata = checks::member(pod_template, "metadata");
  for (const std::string_view key :
       {"name", "generateName", "namespace", "uid", "creationTimestamp", "labels", "annotations",
        "ownerReferences", "finalizers"}) {
    const json::value* value = metadata == nullptr ? nullptr : checks::member(*metadata, key);
    if (!checks::is_empty(value)) out[key] = *value;
  }
  const json::value* spec = checks::member(pod_template, "spec");
  out["Spec"] = as_go_struct(spec == nullptr ? json::value(json::object()) : *spec, "PodSpec");
  return out;
}

std::string unified_diff(std::string_view before, std::string_view now) {
  const Lines a = split(before, '\n');
  const Lines b = split(now, '\n');
  const std::vector<Step> all = steps(a, b);
  std::string out;
  for (std::size_t i = 0; i < all.size();) {
    if (all[i].mark == ' ') {
      ++i;
      continue;
    }
    // Changes closer than twice the context share a hunk.
    std::size_t last = i;
    for (std::size_t k = i + 1; k < all.size() && k <= last + 2 * kContext + 1; ++k) {
      if (all[k].mark != ' ') last = k;
    }
    const std::size_t from = i > kContext ? i - kContext : 0;
    const std::size_t to = std::min(all.size(), last + kContext + 1);
    out += hunk(all, from, to, a, b);
    i = last + 1;
  }
  return out;
}

std::string changed_spec(const json::value& before, const json::value& now, std::string_view type) {
  return "\n" + unified_diff(printed(as_go_struct(before, type)), printed(as_go_struct(now, type)));
}

}  // namespace coracle::api::validation
