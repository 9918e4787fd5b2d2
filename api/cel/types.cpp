#include "api/cel/types.hpp"

namespace coracle::api::cel {

namespace {
constexpr int kTextDepth = 8;  // schemas may be recursive

bool is_number(char letter) { return letter == 'i' || letter == 'u' || letter == 'd'; }
}  // namespace

Type Type::of_letter(char letter) {
  Type out;
  out.letter = letter == '=' || letter == 'E' ? '*' : letter;
  return out;
}

Type Type::list(Type item) {
  Type out = of_letter('l');
  out.of.push_back(std::move(item));
  return out;
}

Type Type::closed_object(std::vector<std::pair<std::string, Type>> fields) {
  Type out = of_letter('m');
  out.closed = true;
  for (auto& [name, type] : fields) {
    out.names.push_back(std::move(name));
    out.of.push_back(std::move(type));
  }
  return out;
}

Type Type::from_schema(const Schema* schema) {
  if (schema == nullptr) return dyn();
  if (schema->well_known == WellKnown::kQuantity) return dyn();
  switch (schema->type) {
    case SchemaType::kString:
      if (schema->format == SchemaFormat::kByte) return of_letter('y');
      if (schema->format == SchemaFormat::kDateTime || schema->format == SchemaFormat::kMicroTime) {
        return of_letter('t');
      }
      return of_letter('s');
    case SchemaType::kInteger:
      return of_letter('i');
    case SchemaType::kNumber:
      return of_letter('d');
    case SchemaType::kBoolean:
      return of_letter('b');
    case SchemaType::kObject: {
      if (schema->properties.empty()) return dyn();
      Type out = of_letter('m');
      out.schema = schema;
      return out;
    }
    // Items are looked up when they are needed: a schema may hold itself.
    case SchemaType::kMap:
    case SchemaType::kArray: {
      Type out = of_letter(schema->type == SchemaType::kArray ? 'l' : 'm');
      out.schema = schema;
      return out;
    }
    default:
      return dyn();
  }
}

std::string Type::text() const {
  const auto inner = [this](std::size_t i) { return i < of.size() ? of[i].text() : "dyn"; };
  switch (letter) {
    case 'n':
      return "null";
    case 'b':
      return "bool";
    case 'i':
      return "int";
    case 'u':
      return "uint";
    case 'd':
      return "double";
    case 's':
      return "string";
    case 'y':
      return "bytes";
    case 'l': {
      const Schema* items = schema != nullptr ? schema->items : nullptr;
      int depth = 0;
      std::string open, close;
      while (items != nullptr && items->type == SchemaType::kArray && ++depth < kTextDepth) {
        items = items->items;
        open += "list(";
        close += ")";
      }
      if (items == nullptr) return "list(" + inner(0) + ")";
      return "list(" + open +
             (items->type == SchemaType::kArray ? "dyn" : from_schema(items).text()) + close + ")";
    }
    case 'm':
      if (closed || (schema != nullptr && schema->type == SchemaType::kObject)) return "object";
      return "map(" + (of.empty() ? "string" : inner(0)) + ", " + inner(1) + ")";
    case 't':
      return "timestamp";
    case 'D':
      return "duration";
    case 'T':
      return "type";
    case 'o':
      return "optional_type(" + inner(0) + ")";
    case 'q':
      return "kubernetes.Quantity";
    case 'U':
      return "kubernetes.URL";
    case 'p':
      return "net.IP";
    case 'c':
      return "net.CIDR";
    case 'f':
      return "kubernetes.NamedFormat";
    case 'v':
      return "kubernetes.Semver";
    case 'A':
      return "kubernetes.authorization.Authorizer";
    case 'P':
      return "kubernetes.authorization.PathCheck";
    case 'G':
      return "kubernetes.authorization.GroupCheck";
    case 'R':
      return "kubernetes.authorization.ResourceCheck";
    case 'X':
      return "kubernetes.authorization.Decision";
    case '#':
      return "double";
    default:
      return "dyn";
  }
}

bool compatible(const Type& a, const Type& b) {
  if (a.is_dyn() || b.is_dyn() || a.letter == 'n' || b.letter == 'n') return true;
  if (a.letter == '#' || b.letter == '#') return is_number(a.letter == '#' ? b.letter : a.letter);
  if (a.letter != b.letter) return false;
  for (std::size_t i = 0; i < a.of.size() && i < b.of.size(); ++i) {
    if (!compatible(a.of[i], b.of[i])) return false;
  }
  return true;
}

Type joined(const Type& a, const Type& b) {
  if (a.letter != b.letter) return a.letter == 'n' ? b : b.letter == 'n' ? a : Type::dyn();
  if (!compatible(a, b)) return Type::of_letter(a.letter);
  return a.schema == b.schema ? a : Type::of_letter(a.letter);
}

}  // namespace coracle::api::cel
