// Static types of expressions, as far as they are known before there are values: `*` (dyn) fits
// everything, so what has no schema is checked when it runs.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/schema.hpp"

namespace coracle::api::cel {

struct Type {
  char letter = '*';               // as in signatures (functions.hpp)
  const Schema* schema = nullptr;  // of an object: its fields
  std::vector<Type> of;            // list: item; map: key, value; optional: inner; closed: fields
  // An object with these fields and no others: `variables`, `request`.
  bool closed = false;
  std::vector<std::string> names;  // their types are in `of`

  static Type dyn() { return {}; }
  static Type of_letter(char letter);
  static Type list(Type item);
  static Type from_schema(const Schema* schema);
  static Type closed_object(std::vector<std::pair<std::string, Type>> fields);

  bool is_dyn() const { return letter == '*'; }
  // "list(int)", "map(string, dyn)", "object".
  std::string text() const;
};

// Whether values of one may be values of the other. null goes with everything.
bool compatible(const Type& a, const Type& b);
// What is known of either.
Type joined(const Type& a, const Type& b);

}  // namespace coracle::api::cel
