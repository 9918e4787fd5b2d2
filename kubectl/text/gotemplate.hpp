// go-template: the part of Go's text/template that people use with `-o go-template`: fields,
// variables, pipelines, if/else if/with/range/else/end, break, continue, comments, trim marks, and
// the functions and or not eq ne lt le gt ge len index slice print printf println html js urlquery
// exists base64decode. Data is JSON; numbers behave as Go's float64 (as kubectl's do).
//
// Parsed once, run often; immutable. Pure. Errors are InvalidArgument with Go's texts.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace coracle::text {

struct TemplateNode;

class GoTemplate {
 public:
  static Result<GoTemplate> parse(std::string_view text);
  GoTemplate(GoTemplate&&) noexcept;
  GoTemplate& operator=(GoTemplate&&) noexcept;
  ~GoTemplate();

  // Without `missing_keys` a key that is not there is an error.
  Result<std::string> run(const json::value& data, bool missing_keys = true) const;

 private:
  GoTemplate();
  std::unique_ptr<TemplateNode> root_;
};

}  // namespace coracle::text
